"""Bodies, media types, encodings, responses and headers, in their older and newer form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
        yield from comparing.changes(before, after, flow, f"{path} {name}: ")
        yield from _encodings(before, after, f"{path} {name}")
    for name, after in new.items():
        before = _covering(name, old)
        if before is None:
            yield rule(f"openapi-{flow.side}-media-added").found(f"{path} {name}", ABSENT, name, f"{name} is new")
        elif name not in old:
            yield from comparing.changes(before, after, flow, f"{path} {name}: ")


def _covering(name: str, media: Mapping[str, Media]) -> Media | None:
    """The media type itself, or the range that it lies in, the narrowest first."""
    kind = name.partition(";")[0]
    for range_ in (name, kind, f"{kind.partition('/')[0]}/*", "*/*"):
        if range_ in media:
            return media[range_]
    return None


def _encodings(old: Media, new: Media, path: str) -> Iterator[Change]:
    for name in {**old.encoding, **new.encoding}:
        before, after = old.encoding.get(name, {}), new.encoding.get(name, {})
        if _told(before) != _told(after):
            yield rule("openapi-encoding").found(f"{path} encoding {name}", before or ABSENT, after or ABSENT)


def _told(encoding: object) -> object:
    return (
        {key: value for key, value in encoding.items() if not key.startswith("x-")}
        if isinstance(encoding, dict)
        else encoding
    )


def response_changes(
    old: Mapping[str, Response], new: Mapping[str, Response], flow: Flow, path: str, comparing: Comparing
) -> Iterator[Change]:
    """What changed of the responses, by their codes; a range or `default` speaks for the codes that are not named."""
    for code, before in old.items():
        after = _speaking(code, new)
        here = f"{path} {code}"
        if after is None:
            kind = "error-" if _is_error(code) and flow.side == "output" else ""
            words = f"the response {code} is gone"
            yield rule(f"openapi-{flow.side}-{kind}response-removed").found(here, code, ABSENT, words)
        else:
            yield from _response(before, after, flow, here, comparing)
    for code, after in new.items():
        before_ = _speaking(code, old)
        here = f"{path} {code}"
        if before_ is None:
            kind = "error-" if _is_error(code) else ""
            yield rule(f"openapi-{flow.side}-{kind}response-added").found(
                here, ABSENT, code, f"the response {code} is new"
            )
        elif code not in old:
            yield from _response(before_, after, flow, here, comparing)


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
