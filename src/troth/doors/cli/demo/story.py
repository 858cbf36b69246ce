"""The story itself: what is done, and what has to come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from troth.doors.cli.demo.builds_ahead import BuildsAhead
from troth.doors.cli.demo.stage import LIBRARY, Stage
from troth.errors import TrothError
from troth.versions import chain
from troth.versions.rendering import checked, differences

VIRGINICA = [6.3, 3.3, 6.0, 2.5]
MEASURES = dict(zip(("sepal_length", "sepal_width", "petal_length", "petal_width"), VIRGINICA, strict=True))

_UNSAID = "interface not described, behaviour not checked"
#: What was compared of each version, where its types and examples say something.
_CHECKED = {
    "iris 0.1.0": "interface described, behaviour not checked",
    **dict.fromkeys(("iris 0.1.1", "iris 0.2.0", "iris 1.0.0"), "interface described, behaviour checked"),
}


@dataclass(frozen=True, slots=True)
class Holding:
    """An expectation that several observations would meet: in words, and as a test."""

    words: str
    test: Callable[[Any], bool]


class Teller(Protocol):
    """Prints the story and holds it to what happens."""

    def chapter(self, title: str) -> None:
        """Begins a chapter."""
        ...

    def saw(self, deed: str, seen: Any, expected: Any) -> None:
        """Tells what came of a deed. `expected` is the one thing that had to come of it, or a Holding."""
        ...


class Story:
    """The chapters, in order, on one stage."""

    def __init__(self, stage: Stage, builds: BuildsAhead, teller: Teller) -> None:
        self._stage = stage
        self._builds = builds
        self._teller = teller

    def tell(self) -> None:
        """All of it."""
        for chapter in (
            self._first_answer,
            self._fix,
            self._addition,
            self._libraries,
            self._break,
            self._private,
            self._forms,
            self._refusals,
            self._secret,
            self._tampering,
            self._record,
        ):
            chapter()

    def _first_answer(self) -> None:
        self._teller.chapter("A function becomes a version that anybody can call")
        self._publish("echo", "0.1.0", bump="minor", visibility="public")
        self._call("sam, a stranger, calls it", "acme/echo/0.1.0", {"hello": "world"}, {"hello": "world"}, "0.1.0")

    def _fix(self) -> None:
        self._teller.chapter("A model has a fault; its fix reaches those who asked for fixes, and nobody else")
        wrong, right = {"species": "versicolor"}, {"species": "virginica"}
        self._publish("iris", "0.1.0", bump="minor", visibility="public")
        self._call("sam shows it a virginica", "acme/iris/0.1", VIRGINICA, wrong, "0.1.0")
        self._publish("iris", "0.1.1", bump="revision", notes="learns from all flowers")
        self._call("the same request again", "acme/iris/0.1", VIRGINICA, right, "0.1.1")
        self._call("who pinned 0.1.0 keeps it, fault and all", "acme/iris/0.1.0", VIRGINICA, wrong, "0.1.0")

    def _addition(self) -> None:
        self._teller.chapter("A minor adds probabilities")
        self._publish("iris", "0.2.0", bump="minor", notes="probabilities")
        answer = self._stage.sam.call("acme/iris/latest", VIRGINICA)
        seen = {"version": answer.receipt["version"], **answer.result}
        sure = Holding(
            "0.2.0 says virginica, with a probability above 0.9",
            lambda s: (s["version"], s["species"]) == ("0.2.0", "virginica") and s["probabilities"]["virginica"] > 0.9,
        )
        self._teller.saw("sam calls acme/iris/latest", seen, sure)

    def _libraries(self) -> None:
        self._teller.chapter("Each version runs with the libraries that it was built with, side by side")
        built = {row["hash"]: row["packages"] for row in self._stage.ada.builds("acme/iris")["builds"]}
        for version in ("0.1.1", "0.2.0"):
            packages = built[self._builds.hash("iris", version)]
            seen = next(package for package in packages if package.startswith("scikit-learn=="))
            self._teller.saw(f"the build of acme/iris/{version} has", seen, f"scikit-learn=={LIBRARY[version]}")
        receipts = [self._stage.sam.call(f"acme/iris/{v}", VIRGINICA).receipt for v in ("0.1.1", "0.2.0", "0.1.1")]
        environments = [self._stage.sam.receipt(receipt["request"])["environment"][:12] for receipt in receipts]
        both = Holding(
            "two environments, the same one each time", lambda s: s[0] == s[2] and s[0] != s[1] and all(map(len, s))
        )
        self._teller.saw("sam calls 0.1.1, 0.2.0 and 0.1.1; the receipts name", environments, both)
        workers = [line for line in self._stage.ada.metrics().splitlines() if line.startswith("troth_workers{")]
        warm = Holding("a worker of each is up", lambda s: sum(float(line.split()[1]) for line in s) >= 2)
        self._teller.saw("neither had to make room for the other", workers, warm)

    def _break(self) -> None:
        self._teller.chapter("A major changes the input; the old line lives on")
        named = self._builds.hash("iris", "1.0.0")
        self._refused("the new input as a minor", "ALG-05, ALG-07", named, "1.0.0", bump="minor", visibility="public")
        self._publish("iris", "1.0.0", bump="major", visibility="public", notes="named measures")
        named = self._stage.sam.call("acme/iris/1.0.0", MEASURES).result["species"]
        self._teller.saw("sam calls acme/iris/1.0.0 with named measures", named, "virginica")
        listed = self._stage.sam.call("acme/iris/0.2", VIRGINICA).result["species"]
        self._teller.saw("sam calls acme/iris/0.2 as before", listed, "virginica")

    def _private(self) -> None:
        self._teller.chapter("A tool for members of the house only")
        self._publish("words", "0.1.0", bump="minor", visibility="private")
        answer = self._stage.ben.call("acme/words/latestPrivate", "A version is a promise; a promise is kept.")
        seen = {"version": answer.receipt["version"], "result": answer.result[:2]}
        expected = {"version": "0.1.0", "result": [["a", 3], ["is", 2]]}
        self._teller.saw("ben, a member, calls acme/words/latestPrivate", seen, expected)

    def _forms(self) -> None:
        self._teller.chapter("What each form of reference means, and why")
        build = self._builds.hash("iris", "0.1.1")
        self._why("acme/iris/0.1.0", "0.1.0", "ALG-13")
        self._why("acme/iris/0.1", "0.1.1", "ALG-15")
        self._why("acme/iris/0.*", "0.2.0", "ALG-12")
        self._why("acme/iris/latest", "1.0.0", "ALG-19")
        self._why("acme/iris", "1.0.0", "ALG-19")
        self._why("acme/words/latestPrivate", "0.1.0", "ALG-21")
        self._why("acme/words/0.1", None, "ALG-18")
        self._why(f"acme/iris/{build}", build, "ALG-22")
        by_hash = self._stage.ben.call(f"acme/iris/{build}", VIRGINICA)
        self._teller.saw("ben calls that build by its hash", by_hash.result, {"species": "virginica"})

    def _refusals(self) -> None:
        self._teller.chapter("What would break a promise is refused, with its reason")
        fix = self._builds.hash("iris", "0.1.1")
        online = self._builds.hash("iris", "1.0.0", network_access="full")
        lie = self._builds.hash("iris", "1.0.1")
        self._refused("a revision that no longer takes sepal_width", "ALG-05, ALG-09", lie, "2.0.0", bump="revision")
        self._refused(
            "a private revision in the public line 0.1", "ALG-10", fix, "2.0.0", number="0.1.2", visibility="private"
        )
        self._refused(
            "a minor that newly asks for the network", "ALG-08", online, "2.0.0", bump="minor", visibility="public"
        )
        self._refused(
            "other source under the number 0.1.1", "ALG-02", self._builds.hash("iris", "0.1.0"), "2.0.0", number="0.1.1"
        )
        self._refused("under a number that is none, v1.2", "ALG-01", fix, None, number="v1.2")

    def _secret(self) -> None:
        self._teller.chapter("To a stranger, what is private does not exist")
        private = _said(lambda: self._stage.sam.call("acme/words/0.1.0", "x"))
        nothing = _said(lambda: self._stage.sam.call("acme/nothing/0.1.0", "x"))
        self._teller.saw("sam calls the private version", private, "algorithm algo://acme/words/0.1.0 not found")
        self._teller.saw("and one that never was", nothing, private.replace("acme/words", "acme/nothing"))

    def _tampering(self) -> None:
        self._teller.chapter("Somebody alters published source on the server's disk")
        self._publish("echo", "0.1.1", bump="revision")
        build = self._builds.hash("echo", "0.1.1")
        source = next(row["source"] for row in self._stage.ada.builds("acme/echo")["builds"] if row["hash"] == build)
        stored = self._stage.home / "trees" / source / "src" / "echo.py"
        stored.chmod(0o644)
        stored.write_bytes(stored.read_bytes().replace(b"return input", b"return 'hi!'"))
        stored.chmod(0o444)
        clause = Holding("it is refused, naming ALG-04", lambda said: "ALG-04" in said)
        said = _said(lambda: self._stage.sam.call("acme/echo/0.1.1", "x"))
        self._teller.saw("sam calls the altered acme/echo/0.1.1", said, clause)
        self._call("0.1.0 was not altered", "acme/echo/0.1.0", "still here", "still here", "0.1.0")

    def _record(self) -> None:
        self._teller.chapter("Everything is on record")
        links = list(self._stage.ada.journal())
        entries, _ = chain.verify(links)
        seen = {"entries": entries, "refused": sum(b'"refusal"' in link.entry for link in links)}
        self._teller.saw("the journal's chain, computed anew, holds", seen, {"entries": len(links), "refused": 6})

    def _publish(self, name: str, number: str, **how: Any) -> None:
        done = self._stage.ada.publish(f"acme/{name}", self._builds.hash(name, number), **how)
        seen = {
            "version": done["version"],
            "visibility": done["permissions"]["visibility"],
            "verdict": f"{done['verdict']['outcome']}; {checked(done['verdict'])}",
        }
        expected = {
            "version": number,
            "visibility": how.get("visibility", "public"),
            "verdict": f"allowed; {_CHECKED.get(f'{name} {number}', _UNSAID)}",
        }
        self._teller.saw(f"ada publishes acme/{name} as the next {how['bump']}", seen, expected)

    def _call(self, deed: str, reference: str, given: Any, result: Any, version: str) -> None:
        answer = self._stage.sam.call(reference, given)
        seen = {"version": answer.receipt["version"], "result": answer.result}
        self._teller.saw(f"{deed}: {reference}", seen, {"version": version, "result": result})

    def _why(self, reference: str, version: str | None, clause: str) -> None:
        found = self._stage.ada.resolve(reference)
        seen = {
            "version": found["version"],
            "because": "; ".join(f"{r['clause']}: {r['text']}" for r in found["reasons"]),
        }
        expected = Holding(
            f"{version} by {clause}", lambda s: s["version"] == version and s["because"].startswith(f"{clause}: ")
        )
        self._teller.saw(f"why {reference}", seen, expected)

    def _refused(self, deed: str, clauses: str, build: str, least: str | None, **how: Any) -> None:
        """Refused by these clauses, with the number that would be right."""
        said, found = _refusal(lambda: self._stage.ada.publish("acme/iris", build, **how))
        words = f"it is refused by {clauses}" + (f", and {least} would pass" if least else "")
        expected = Holding(words, lambda told: told.startswith(f"refused by {clauses}: ") and found == least)
        self._teller.saw(f"ada publishes {deed}", said, expected)


def _refusal(attempt: Callable[[], Any]) -> tuple[str, str | None]:
    """What an attempt was answered with, in words, and the lowest number that would pass."""
    try:
        return f"done: {attempt()}", None
    except TrothError as error:
        lines = list(differences(error.verdict)) if error.verdict else []
        reason = f"refused by {', '.join(error.clauses)}: {error.what}"
        return "\n".join([reason, *lines, f"help: {error.repair}"]), error.least


def _said(attempt: Callable[[], Any]) -> str:
    """What an attempt was answered with, in words."""
    try:
        return f"done: {attempt()}"
    except TrothError as error:
        return (f"refused by {', '.join(error.clauses)}: " if error.clauses else "") + error.what
