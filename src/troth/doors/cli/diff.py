"""The command that lays two versions side by side: what they promise, what they may, what they are made of, what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Remote, show, show_json, working
from troth.errors import CallFailed, NotFound, TrothError
from troth.sdk import Client
from troth.versions import references
from troth.versions.escaping import short
from troth.versions.evidence import Difference
from troth.versions.permissions import permissions_of

if TYPE_CHECKING:
    from troth.contracts.document import Contract

_SECONDS: Final = 30.0
_ENDED: Final = object()


def diff(
    old: str,
    new: str,
    /,
    *,
    examples: Annotated[int, Parameter(help="Examples that are called on both, at most; 0 calls nothing.")] = 10,
    remote: Remote = Remote(),
) -> int:
    """Lays two published versions side by side: contract, permissions, dependencies, and how they answer declared examples.

    The examples are those of both contracts. Dependencies are listed to members of the owner; others see whether they differ.

    Parameters
    ----------
    old
        owner/name/version.
    new
        owner/name/version, also of another algorithm.
    """
    with remote.client() as client, working("comparing ..."):
        older, newer = (_Side.of(client, reference.removeprefix("algo://")) for reference in (old, new))
        told = _compared(older, newer)
        told["examples"] = list(_examples(client, older, newer, examples))
    if remote.json:
        show_json(told)
    else:
        for line in _lines(told):
            show(escape(line))
    return 0


@dataclass(frozen=True, slots=True)
class _Side:
    """One version as the server tells of it; `packages` are its dependencies where they may be known."""

    reference: str
    row: Mapping[str, Any]
    contract: Contract
    packages: Mapping[str, str] | None

    @staticmethod
    def of(client: Client, text: str) -> _Side:
        """The version that a reference means. Raises NotFound."""
        found = client.contract(text)
        subject = references.parse(text).subject
        rows = client.versions(subject)["versions"]
        row = next(row for row in rows if row["version"] == found["version"])
        promised = found["contract"]
        from troth.contracts.document import Contract  # here, because no other command should wait for its libraries

        contract = Contract(promised["input"], promised["output"], tuple(promised["examples"]))
        return _Side(f"{found['algorithm']}/{found['version']}", row, contract, _packages(client, subject, row))


def _packages(client: Client, subject: str, row: Mapping[str, Any]) -> dict[str, str] | None:
    if "hash" not in row:
        return None
    try:
        components = client.bill_of_materials(subject, row["hash"]).get("components", [])
    except NotFound:
        return None
    return {one["name"]: one.get("version", "") for one in components}


def _compared(old: _Side, new: _Side) -> dict[str, Any]:
    from troth.commands.comparing import compared

    found: tuple[Difference, ...] = ()
    if (old.contract.input, old.contract.output) != (new.contract.input, new.contract.output):
        (found,) = compared([old.contract], new.contract, _SECONDS)
    changed = permissions_of(dict(new.row["permissions"])).differences(permissions_of(dict(old.row["permissions"])))
    return {
        "old": old.reference,
        "new": new.reference,
        "contract": [one.as_dict() for one in found],
        "permissions": {name: {"old": was, "new": is_} for name, (is_, was) in changed.items()},
        "source": {"same": old.row["source"] == new.row["source"]},
        "dependencies": _dependencies(old, new),
    }


def _dependencies(old: _Side, new: _Side) -> dict[str, Any]:
    told: dict[str, Any] = {"same": old.row["environment"] == new.row["environment"]}
    if old.packages is None or new.packages is None:
        return told
    names = sorted(old.packages.keys() | new.packages.keys())
    changed = {name: {"old": old.packages.get(name), "new": new.packages.get(name)} for name in names}
    return told | {"changed": {name: pair for name, pair in changed.items() if pair["old"] != pair["new"]}}


def _examples(client: Client, old: _Side, new: _Side, most: int) -> Iterator[dict[str, Any]]:
    """Each example with what both versions answer, and whether the newer answers as the older does, within the tolerance."""
    from troth.contracts.examples import agrees

    distinct: dict[str, dict[str, Any]] = {}
    for side in (old, new):
        for example in side.contract.examples:
            distinct.setdefault(repr(example["input"]), example)
    for example in list(distinct.values())[: max(most, 0)]:
        answers = [_answer(client, side.reference, example["input"]) for side in (old, new)]
        was, is_ = (one.get("answer", _ENDED) for one in answers)
        both = was is not _ENDED and is_ is not _ENDED
        same = agrees({**example, "output": was}, is_, new.contract.output) if both else None
        yield {"input": example["input"], "old": answers[0], "new": answers[1], "same": same}


def _answer(client: Client, reference: str, given: Any) -> dict[str, Any]:
    try:
        answer = client.call(reference, given)
    except CallFailed as error:
        return {"error": error.what}
    except TrothError as error:
        return {"error": f"it cannot be called: {error.what}"}
    return {"answer": answer.result, "seconds": answer.seconds}


# --- in words


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['old']} -> {told['new']}"
    if not told["contract"]:
        yield "contract: no difference"
    for one in told["contract"]:
        yield f"contract: {one['path']}: {one['words']}  ({one['rule']}, {one['least']})"
        if "witness" in one:
            yield f"            e.g. {short(one['witness'])}"
    if not told["permissions"]:
        yield "permissions: no difference"
    for name, pair in told["permissions"].items():
        yield f"permissions: {name} {pair['old']} -> {pair['new']}"
    yield f"source: {'the same' if told['source']['same'] else 'another'}"
    yield f"dependencies: {'the same' if told['dependencies']['same'] else 'others'}"
    for name, pair in told["dependencies"].get("changed", {}).items():
        yield f"dependencies: {name} {pair['old'] or '(none)'} -> {pair['new'] or '(none)'}"
    if not told["examples"]:
        yield "examples: none was called"
    for one in told["examples"]:
        both = all("answer" in one[side] for side in ("old", "new"))
        unknown = "whether it is the same was not found out" if both else "no two answers"
        result = {True: "same answer", False: "another answer", None: unknown}[one["same"]]
        yield f"example {short(one['input'])}: {result}"
        yield from (f"  {word}  {_told(one[side])}" for word, side in (("was", "old"), ("is ", "new")))


def _told(answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        return f"error: {answer['error']}"
    return f"{short(answer['answer'])}  ({answer['seconds'] * 1000:.1f} ms)"
