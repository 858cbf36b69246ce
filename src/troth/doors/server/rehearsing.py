"""For whom examples act that are replayed: they call what their account may call, read its data, and change nothing."""

from __future__ import annotations

import uuid
from dataclasses import replace

from troth.access.roles import Actor
from troth.access.scopes import DataAccess
from troth.calls.routing import Caller, Route
from troth.calls.within import Rehearsal
from troth.commands.replaying import Run, spec_of
from troth.registry.build_records import BuildRow


def acting(actor: Actor, subject: str, build: BuildRow) -> Run:
    """A build whose examples are run for this account, by what its key is for and no more."""
    spec, permissions = spec_of(build), build.permissions
    data = DataAccess.NONE if actor.scope.data is DataAccess.NONE else DataAccess.READ
    scope = replace(actor.scope, data=data, manage=False, administrator=False, production=False)
    caller = Caller(actor.id, actor.name, False, scope=scope, kind=actor.kind)
    route = Route(build.hash, build.source, spec, permissions.pipeline_enabled, permissions.source_visibility == "open")
    return Run(spec, lambda: Rehearsal(caller, route, subject, f"req-{uuid.uuid4()}"))
