"""Bodies, media types, encodings, responses and headers, in their older and newer form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from troth.contracts.changes import ABSENT, Change
from troth.contracts.openapi.flow import Flow
from troth.contracts.openapi.model import Body, Media, Response
from troth.contracts.openapi.parameter_comparison import parameter_changes
from troth.contracts.openapi.schema_comparison import Comparing
from troth.contracts.rules.table import rule


def body_changes(old: Body | None, new: Body | None, flow: Flow, path: str, comparing: Comparing) -> Iterator[Change]:
    """What changed of the body of a request."""
    here = f"{path} body"
    if old is None and new is None:
        return
    if old is None or new is None:
        gone = new is None
        required = new is not None and new.required and flow.side == "input"
        suffix = "removed" if gone else "added-required" if required else "added"
        told = (True, ABSENT) if gone else (ABSENT, True)
        yield rule(f"openapi-{flow.side}-body-{suffix}").found(here, *told)
        return
    if old.required != new.required:
        suffix = "required" if new.required else "optional"
        yield rule(f"openapi-{flow.side}-body-{suffix}").found(here, old.required, new.required)
    yield from media_changes(old.media, new.media, flow, here, comparing)


def media_changes(
    old: Mapping[str, Media], new: Mapping[str, Media], flow: Flow, path: str, comparing: Comparing
) -> Iterator[Change]:
    """What changed of the ways in which a body is written."""
    for name, before in old.items():
        after = _covering(name, new)
        if after is None:
            words = f"{name} is no longer {'taken' if flow.side == 'input' else 'given'}"
            yield rule(f"openapi-{flow.side}-media-removed").found(f"{path} {name}", name, ABSENT, words)
            continue
        yield from comparing.changes(before, after, _as(name, flow), f"{path} {name}: ")
        if name.startswith(("multipart/", "application/x-www-form-urlencoded")):
            yield from _encodings(before, after, flow, f"{path} {name}")
    for name, after in new.items():
        covering = _covering(name, old)
        if covering is None:
            yield rule(f"openapi-{flow.side}-media-added").found(f"{path} {name}", ABSENT, name, f"{name} is new")
        elif name not in old:
            yield from comparing.changes(covering, after, _as(name, flow), f"{path} {name}: ")


def _as(name: str, flow: Flow) -> Flow:
    kind = name.partition(";")[0]
    return replace(flow, xml=kind.endswith(("/xml", "+xml")))


def _covering(name: str, media: Mapping[str, Media]) -> Media | None:
    """The media type itself, or the range that it lies in, the narrowest first."""
    kind = name.partition(";")[0]
    for range_ in (name, kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if range_ in media:
            return media[range_]
    return None


def _encodings(old: Media, new: Media, flow: Flow, path: str) -> Iterator[Change]:
    """What changed of how the parts of a form are written, and of which types they may be."""
    sent, understood = (old, new) if flow.side == "input" else (new, old)
    for name in {**old.encoding, **new.encoding}:
        given, taken = (_written(one.encoding.get(name)) for one in (sent, understood))
        types = (given.pop("contentType"), taken.pop("contentType"))
        if given != taken or not all(_is_among(one, types[1]) for one in types[0] or [""]):
            told = (old.encoding.get(name, ABSENT), new.encoding.get(name, ABSENT))
            yield rule("openapi-encoding").found(f"{path} encoding {name}", *told)
        elif types[0] != types[1]:
            yield rule("openapi-encoding-widened").found(f"{path} encoding {name}", types[0], types[1])


def _written(encoding: Any) -> dict[str, Any]:
    """An encoding with its defaults (3.1.0, Encoding Object)."""
    said = encoding if isinstance(encoding, dict) else {}
    style = said.get("style", "form")
    return {
        "contentType": [one.strip() for one in str(said.get("contentType", "")).lower().split(",") if one.strip()],
        "style": style,
        "explode": said.get("explode", style == "form"),
        "allowReserved": said.get("allowReserved") is True,
        "headers": sorted(map(str.lower, said["headers"])) if isinstance(said.get("headers"), dict) else [],
    }


def _is_among(name: str, taken: list[str]) -> bool:
    return not taken if not name else any(one in (name, "*/*", f"{name.partition('/')[0]}/*") for one in taken)


def response_changes(
    old: Mapping[str, Response], new: Mapping[str, Response], flow: Flow, path: str, comparing: Comparing
) -> Iterator[Change]:
    """What changed of the responses, by their codes; a range or `default` speaks for the codes that are not named."""
    for code, before in old.items():
        after = _speaking(code, new)
        here = f"{path} {code}"
        if after is not None:
            yield from _response(before, after, flow, here, comparing)
        elif not _stays(code, new, flow):
            yield rule(f"openapi-{flow.side}-response-removed").found(
                here, code, ABSENT, f"the response {code} is gone"
            )
    for code, after in new.items():
        promised = _speaking(code, old)
        here = f"{path} {code}"
        if promised is not None and code not in old:
            yield from _response(promised, after, flow, here, comparing)
        elif promised is None:
            kind = "error-" if _is_error(code) else ""
            words = f"the response {code} is new"
            yield rule(f"openapi-{flow.side}-{kind}response-added").found(here, ABSENT, code, words)


def _stays(code: str, new: Mapping[str, Response], flow: Flow) -> bool:
    """Whether a status may go without breaking anything: it is given less often, and a success stays."""
    if flow.side == "input":
        return False
    return code[:1] != "2" or any(name[:1] == "2" or name == "default" for name in new)


def _is_error(code: str) -> bool:
    return code[:1] in ("4", "5") or code == "default"


def _speaking(code: str, responses: Mapping[str, Response]) -> Response | None:
    for one in (code, f"{code[:1]}XX", "default"):
        if one in responses:
            return responses[one]
    return None


def _response(old: Response, new: Response, flow: Flow, here: str, comparing: Comparing) -> Iterator[Change]:
    if old is new:
        return
    if old.media and not new.media:
        yield rule(f"openapi-{flow.side}-content-removed").found(
            here, sorted(old.media), ABSENT, "it has no body any more"
        )
    elif new.media and not old.media:
        yield rule(f"openapi-{flow.side}-content-added").found(here, ABSENT, sorted(new.media), "it has a body now")
    else:
        yield from media_changes(old.media, new.media, flow, here, comparing)
    yield from parameter_changes(old.headers, new.headers, flow, here, comparing)
    for name in old.links:
        if name not in new.links:
            yield rule("openapi-link-removed").found(f"{here} link {name}", name, ABSENT, f"the link {name} is gone")
        elif old.links[name] != new.links[name]:
            yield rule("openapi-link-changed").found(f"{here} link {name}", old.links[name], new.links[name])
    for name in new.links:
        if name not in old.links:
            yield rule("openapi-link-added").found(f"{here} link {name}", ABSENT, name, f"the link {name} is new")
