"""Middleware that keeps an API's life cycle inside the application that serves it: headers on every reply, 410 where it is gone.

`asgi.LifeCycle` is for FastAPI, Starlette and Django under ASGI, `wsgi.LifeCycle` for Flask and everything else of WSGI,
`django.LifeCycle` for Django's own list of middleware. All go by `states.ApiStates`.
"""

from troth.sdk.lifecycles.states import ApiStates

__all__ = ["ApiStates"]
