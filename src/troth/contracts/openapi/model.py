"""What an OpenAPI document describes, in one form for 3.0 and 3.1, with references followed and defaults filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from troth.contracts.openapi.document import Document
from troth.contracts.openapi.text import UnreadableDocument, escaped

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_TEMPLATED: Final = re.compile(r"\{([^{}]*)\}")
#: Header parameters that the specification has ignored: other parts of the document say them (3.1.0, Parameter Object).
_IGNORED_HEADERS: Final = frozenset({"accept", "content-type", "authorization"})


@dataclass(frozen=True, slots=True)
class Media:
    """One way to write a body: its schema, and how its parts are encoded."""

    schema: Any
    place: str
    encoding: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a request, or a header of a response."""

    name: str
    where: str
    place: str
    required: bool
    deprecated: bool
    style: str
    explode: bool
    allows_empty: bool
    allows_reserved: bool
    #: by media type where `content` says how it is written; else under ""
    media: dict[str, Media]
    described: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries."""

    required: bool
    media: dict[str, Media]
    place: str


@dataclass(frozen=True, slots=True)
class Response:
    """What comes back under one status code."""

    media: dict[str, Media]
    headers: dict[str, Parameter]
    links: dict[str, Any]
    place: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `callbacks` are read when they are compared, because they may lead back here."""

    method: str
    place: str
    parameters: dict[tuple[str, str], Parameter]
    body: Body | None
    responses: dict[str, Response]
    security: tuple[dict[str, frozenset[str]], ...]
    servers: tuple[dict[str, Any], ...]
    callbacks: dict[str, Any]
    described: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PathItem:
    """One path with its methods. `names` are those of its parameters, in the order of the path."""

    path: str
    names: tuple[str, ...]
    operations: dict[str, Operation]


@dataclass(frozen=True, slots=True)
class Reading:
    """Turns the objects of one document into the model. Raises UnreadableDocument with the place of what is wrong."""

    document: Document

    def paths(self, base: str = "") -> dict[str, PathItem]:
        """The paths by their templates, in which names are left out: /a/{x} and /a/{y} are one (3.1.0, Paths Object).

        `base` goes before each template.
        """
        found: dict[str, PathItem] = {}
        for path, value in self.map(self.document.value, "paths", "").items():
            if path.startswith("x-"):
                continue
            if not path.startswith("/"):
                raise UnreadableDocument("a path begins with a slash", f"/paths/{escaped(path)}")
            key = _TEMPLATED.sub("{}", f"{base}{path}")
            if key in found:
                raise UnreadableDocument(f"it is the same path as {found[key].path}", f"/paths/{escaped(path)}")
            found[key] = self.path_item(path, value, f"/paths/{escaped(path)}")
        return found

    def webhooks(self) -> dict[str, PathItem]:
        """The requests that the server sends by itself (3.1), by name."""
        webhooks = self.map(self.document.value, "webhooks", "") if self.document.version != "3.0" else {}
        return {
            name: self.path_item(name, value, f"/webhooks/{escaped(name)}")
            for name, value in webhooks.items()
            if not name.startswith("x-")
        }

    def callbacks(self, operation: Operation) -> dict[str, PathItem]:
        """The requests that an operation causes, by the expressions that say where they go; their names are words only."""
        found: dict[str, PathItem] = {}
        for name, value in operation.callbacks.items():
            place = f"{operation.place}/callbacks/{escaped(name)}"
            for expression, item in (self.document.followed(value, place) or {}).items():
                if not expression.startswith("x-"):
                    key = expression if expression not in found else f"{expression} of {name}"
                    found[key] = self.path_item(expression, item, f"{place}/{escaped(expression)}")
        return found

    def path_item(self, path: str, value: Any, place: str) -> PathItem:
        """A path with its methods, what it says for all of them included."""
        item = self.document.followed(value, place) or {}
        if isinstance(value, dict) and "$ref" in value:
            item = {**item, **{key: one for key, one in value.items() if key != "$ref"}}
        names = tuple(_TEMPLATED.findall(path))
        shared = self._parameters(item, place, names)
        operations = {
            str(method): self._operation(method, item, shared, f"{place}/{method}", names)
            for method in METHODS
            if method in item
        }
        return PathItem(path, names, operations)

    def _operation(
        self,
        method: str,
        item: dict[str, Any],
        shared: dict[tuple[str, str], Parameter],
        place: str,
        names: tuple[str, ...],
    ) -> Operation:
        value = item[method]
        if not isinstance(value, dict):
            raise UnreadableDocument("an operation is an object", place)
        top = self.document.value
        security = value.get("security", top.get("security", []))
        servers = value.get("servers") or item.get("servers") or top.get("servers") or [{"url": "/"}]
        responses = self.map(value, "responses", place)
        return Operation(
            method,
            place,
            {**shared, **self._parameters(value, place, names)},
            self._body(value["requestBody"], f"{place}/requestBody") if "requestBody" in value else None,
            {
                str(code): self._response(one, f"{place}/responses/{code}")
                for code, one in responses.items()
                if not str(code).startswith("x-")
            },
            self._security(security, f"{place}/security"),
            tuple(self._objects(servers, f"{place}/servers")),
            self.map(value, "callbacks", place),
            value,
        )

    def _parameters(
        self, holder: dict[str, Any], place: str, names: tuple[str, ...]
    ) -> dict[tuple[str, str], Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        for index, value in enumerate(self.list(holder, "parameters", place)):
            here = f"{place}/parameters/{index}"
            described = self.document.followed(value, here)
            if described is None:
                continue
            name, where = described.get("name"), described.get("in")
            if not isinstance(name, str) or where not in ("query", "path", "header", "cookie"):
                raise UnreadableDocument("a parameter has a name, and in is query, path, header or cookie", here)
            key = (where, _key(name, where, names))
            if where == "header" and key[1] in _IGNORED_HEADERS:
                continue
            if key in found:
                raise UnreadableDocument(f"the {where} parameter {name} is there twice", here)
            found[key] = self._parameter(described, name, where, here)
        return found

    def _parameter(self, value: dict[str, Any], name: str, where: str, place: str) -> Parameter:
        style = value.get("style", "form" if where in ("query", "cookie") else "simple")
        media = (
            self._media(value, place)
            if "content" in value
            else {"": Media(value.get("schema", True), f"{place}/schema")}
        )
        return Parameter(
            name,
            where,
            place,
            required=value.get("required") is True or where == "path",
            deprecated=value.get("deprecated") is True,
            style=str(style),
            explode=bool(value.get("explode", style == "form")),
            allows_empty=value.get("allowEmptyValue") is True,
            allows_reserved=value.get("allowReserved") is True,
            media=media,
            described=value,
        )

    def _body(self, value: Any, place: str) -> Body | None:
        described = self.document.followed(value, place)
        if described is None:
            return None
        return Body(described.get("required") is True, self._media(described, place), place)

    def _response(self, value: Any, place: str) -> Response:
        described = self.document.followed(value, place) or {}
        headers = {}
        for name, one in self.map(described, "headers", place).items():
            here = f"{place}/headers/{escaped(name)}"
            found = self.document.followed(one, here)
            if found is not None and name.lower() != "content-type":
                headers[name.lower()] = self._parameter(found, name, "header", here)
        return Response(self._media(described, place), headers, self.map(described, "links", place), place)

    def _media(self, value: dict[str, Any], place: str) -> dict[str, Media]:
        found: dict[str, Media] = {}
        for name, one in self.map(value, "content", place).items():
            here = f"{place}/content/{escaped(name)}"
            if not isinstance(one, dict):
                raise UnreadableDocument("a media type is described by an object", here)
            found[media_type(name)] = Media(one.get("schema", True), f"{here}/schema", self.map(one, "encoding", here))
        return found

    def _security(self, value: Any, place: str) -> tuple[dict[str, frozenset[str]], ...]:
        found = []
        for one in self._objects(value, place):
            for name in one:
                if not isinstance(one[name], list):
                    raise UnreadableDocument("the scopes of a scheme are a list", f"{place}/{escaped(name)}")
                self.scheme(name, place)
            found.append({name: frozenset(map(str, scopes)) for name, scopes in one.items()})
        return tuple(found) or ({},)

    def scheme(self, name: str, place: str) -> dict[str, Any]:
        """The security scheme of a name."""
        schemes = self.map(self.map(self.document.value, "components", ""), "securitySchemes", "/components")
        if name not in schemes:
            raise UnreadableDocument(f"there is no security scheme {name!r}", place)
        return self.document.followed(schemes[name], f"/components/securitySchemes/{escaped(name)}") or {}

    def map(self, holder: dict[str, Any], key: str, place: str) -> dict[str, Any]:
        """An object inside of an object; empty where it is not there."""
        value = holder.get(key, {})
        if isinstance(value, dict):
            return value
        raise UnreadableDocument("it has to be an object", f"{place}/{key}")

    def list(self, holder: dict[str, Any], key: str, place: str) -> list[Any]:
        """A list inside of an object; empty where it is not there."""
        value = holder.get(key, [])
        if isinstance(value, list):
            return value
        raise UnreadableDocument("it has to be a list", f"{place}/{key}")

    def _objects(self, value: Any, place: str) -> Iterator[dict[str, Any]]:
        if not isinstance(value, list):
            raise UnreadableDocument("it has to be a list", place)
        for index, one in enumerate(value):
            if not isinstance(one, dict):
                raise UnreadableDocument("it has to be an object", f"{place}/{index}")
            yield one


def _key(name: str, where: str, names: tuple[str, ...]) -> str:
    """What identifies a parameter: of the path its position, of a header its name in whatever case."""
    if where == "path" and name in names:
        return str(names.index(name))
    return name.lower() if where == "header" else name


def media_type(name: str) -> str:
    """A media type in one spelling; the character set is left out where it is the usual one."""
    kind, *options = (part.strip() for part in name.lower().split(";"))
    kept = sorted(option.replace(" ", "") for option in options if option.replace('"', "") != "charset=utf-8")
    return "; ".join([kind, *kept])
