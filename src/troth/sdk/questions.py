"""What a client asks of products and APIs: releases, plans, states, who uses them, and what an account was told of that."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote


class Questions:
    """These questions, for a client that can ask."""

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer to a question. A client has it."""
        raise NotImplementedError

    def products(self) -> list[dict[str, Any]]:
        """The products that this caller may know of."""
        found: list[dict[str, Any]] = self._get("/api/v1/query/products")["products"]
        return found

    def product(self, product: str) -> dict[str, Any]:
        """One product, and what is planned of it."""
        return self._get("/api/v1/query/product", product=product)

    def apis(self) -> list[dict[str, Any]]:
        """The APIs that this caller may know of."""
        found: list[dict[str, Any]] = self._get("/api/v1/apis")["apis"]
        return found

    def api(self, api: str) -> dict[str, Any]:
        """One API: its versions, their states, what led there, and what was decided."""
        return self._get(f"/api/v1/apis/{quote(api)}")

    def api_states(self, api: str) -> dict[str, Any]:
        """The table of states of an API, as doors and middleware go by it."""
        return self._get(f"/api/v1/apis/{quote(api)}/states")

    def api_contract(self, api: str, version: str) -> dict[str, Any]:
        """The OpenAPI document of a version of an API."""
        return self._get(f"/api/v1/apis/{quote(api)}/versions/{quote(version)}/openapi.json")

    def api_callers(self, api: str, *, version: str = "", since: str = "", until: str = "") -> dict[str, Any]:
        """Requests to an API through the gateway by day, version, operation and parameter; days are like 2026-11-25."""
        question = {"version": version, "from": since, "to": until}
        return self._get(f"/api/v1/apis/{quote(api)}/callers", **question)

    def api_upstreams(self, api: str) -> dict[str, Any]:
        """Where an API runs, and which brownouts are planned, for members of its owner."""
        return self._get(f"/api/v1/apis/{quote(api)}/upstreams")

    def alerts(self, account: str = "", after: int = 0) -> dict[str, Any]:
        """What an account was told of versions that its keys use and that will go, and its webhooks."""
        return self._get("/api/v1/alerts", account=account, after=after)

    def policy(self) -> dict[str, Any]:
        """The policy in force, with what was decided beside it."""
        return self._get("/api/v1/policy")

    def releases(self, product: str) -> list[dict[str, Any]]:
        """The releases of a product, the highest first."""
        found: list[dict[str, Any]] = self._get("/api/v1/query/releases", product=product)["releases"]
        return found

    def release(self, product: str, number: str) -> dict[str, Any]:
        """A release whole; `number` may be `latest` or `stable`."""
        return self._get("/api/v1/query/release", product=product, number=number)

    def changelog(self, product: str, number: str = "") -> str:
        """The notes of a release, or of all, as Markdown."""
        return str(self._get("/api/v1/query/changelog", product=product, number=number)["changelog"])

    def upgrade_plan(self, product: str, start: str, target: str = "latest") -> dict[str, Any]:
        """The plan of an upgrade; its `wanted` are the documents of settings of the target."""
        return self._get("/api/v1/upgrade-plan", **{"product": product, "from": start, "to": target})

    def cadence(self, product: str) -> dict[str, Any]:
        """How often a product is released, what is announced, and what of it is late."""
        return self._get("/api/v1/query/cadence", product=product)

    def calendars(self) -> list[dict[str, Any]]:
        """This caller's calendar feeds, without their tokens."""
        found: list[dict[str, Any]] = self._get("/api/v1/query/calendars")["calendars"]
        return found
