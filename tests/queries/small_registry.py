"""A small registry of random rows, the same on every database, and what is in it as plain Python."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from troth.access.roles import Actor
from troth.clock import stamp
from troth.registry.call_records import CallRecord, add_records
from troth.registry.deletions import deletions
from troth.registry.former_rows import FORMER
from troth.registry.lines import line_states
from troth.registry.product_tables import products, releases
from troth.registry.tables import accounts, algorithms, builds, members, versions
from troth.versions.names import folded
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.ordering import order_key

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
NOTES = ("", "fix", "Fix", "näher", "a_b", "a%b", "zwei\nZeilen", "ech", "echo 10", "echo 9", "𝔘", "~", "-", "_x", "İ")
NUMBERS = ("1.0.0", "1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "2.10.0",
           "2.9.0", "10.0.0", "0.1.0", "1.2.0", "1.10.3", "1.0.0-0.3.7", "1.0.0-x-y-z")  # fmt: skip


@dataclass
class Known:
    """The rows that were made, as answers show them, beside what decides who sees them."""

    actors: dict[str, Actor] = field(default_factory=dict)
    #: organisation to those that belong to it now
    members: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def moment(hours: float) -> str:
    """So many hours after the beginning."""
    return stamp(BEGINNING + timedelta(hours=hours))


class Making:
    """Fills a registry. Ids come from the generator too, so that two databases hold the same."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.connection = connection
        self.random = random.Random(seed)
        self.known = Known()
        self._identities = self._uuids()

    def _uuids(self) -> Iterator[str]:
        while True:
            yield str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def insert(self, table: Any, **values: Any) -> str:
        identity = next(self._identities)
        self.connection.execute(table.insert().values(id=identity, **values))
        return identity

    def account(self, name: str, kind: str = "user", *, administrator: bool = False) -> Actor:
        identity = self.insert(
            accounts, name=name, folded=folded(name), kind=kind, administrator=administrator, created_at=moment(0)
        )
        actor = self.known.actors[name] = Actor(identity, name, kind, administrator)
        return actor

    def all(self) -> Known:
        """Everything, in an order that does not matter."""
        for name in ("ada", "sam", "Zed"):
            self.account(name)
        self.account("root", administrator=True)
        for name in ("util", "lab"):
            self.account(name, "organization")
        self._belongs("util", "ada", None)
        self._belongs("lab", "sam", None)
        self._belongs("lab", "ada", moment(40))  # until then
        self.known.members = {"util": {"ada"}, "lab": {"sam"}}
        self.known.rows = {name: [] for name in ("algorithms", "versions", "builds", "products", "releases", "calls")}
        for owner in ("util", "lab", "Zed"):
            for name in ("echo", "Echo2", "a_b", "z9"):
                self._algorithm(owner, name)
            for name in ("shop", "Tool"):
                self._product(owner, name)
        self._calls()
        return self.known

    def _belongs(self, organization: str, account: str, until: str | None) -> None:
        ids = {name: self.known.actors[name].id for name in (organization, account)}
        self.insert(members, organization_id=ids[organization], account_id=ids[account], role="member",
                    valid_from=moment(0), valid_to=until)  # fmt: skip

    def _algorithm(self, owner: str, name: str) -> None:
        chance, actor = self.random, self.known.actors[owner]
        made = moment(chance.randrange(1, 9))
        identity = self.insert(algorithms, owner_id=actor.id, name=name, folded=folded(name), summary=name, details="{}",
                               settings="{}", created_at=made)  # fmt: skip
        deleted = self._deleted(identity, actor) if name == "z9" else []
        row = {"algorithm": f"{owner}/{name}", "owner": owner, "name": name}
        shown = {"summary": name, "details": "{}", "settings": "{}"}
        former = self._former("algorithms", identity, lambda: {**shown, "summary": chance.choice(NOTES)})
        whole = {**row, **shown, "created_at": made, "deleted": deleted, "was": former}
        self.known.rows["algorithms"].append(whole)
        numbers = {
            (chance.choice((0, 1, 2, 10)), chance.choice((0, 1, 2, 10)), chance.choice((0, 3, 12))) for _ in range(6)
        }
        lines = {major: self._line(identity, major) for major in sorted({number[0] for number in numbers})}
        for number in sorted(numbers):
            self._version(identity, {**row, "line": lines[number[0]]}, deleted, number)

    def _line(self, algorithm: str, major: int) -> tuple[str | None, str | None]:
        """When the line was deprecated and retired; of every second one nothing was announced."""
        hour = self.random.randrange(20, 60)
        if hour % 2:
            return None, None
        deprecated, retired = moment(hour), moment(hour + 3) if hour % 3 else None
        values = {"deprecated_at": deprecated, "retires_after": deprecated, "retired_at": retired, "stopped": False}
        self.connection.execute(line_states.insert().values(algorithm_id=algorithm, major=major, **values))
        return deprecated, retired

    def _former(
        self, name: str, identity: str, values: Callable[[], dict[str, Any]]
    ) -> list[tuple[str, dict[str, Any]]]:
        """Up to three times it was something else."""
        chance = self.random
        found = [(moment(hours), values()) for hours in chance.sample(range(10, 50), chance.randrange(4))]
        for ends, held in found:
            self.connection.execute(FORMER[name].table.insert().values(id=identity, valid_to=ends, **held))
        return found

    def _deleted(self, identity: str, actor: Actor) -> list[tuple[str, str | None]]:
        """Deleted at 20 for ten hours; the last one made then stays so."""
        ends = moment(30) if actor.name != "lab" else None
        self.insert(deletions, algorithm_id=identity, deleted_by=actor.id, valid_from=moment(20), valid_to=ends)
        return [(moment(20), ends)]

    def _version(self, algorithm: str, row: dict[str, Any], deleted: Any, number: tuple[int, int, int]) -> None:
        chance, begun = self.random, self.random.randrange(10, 50)
        publisher = self.known.actors[chance.choice(("ada", "sam"))]
        commit = f"{chance.getrandbits(160):040x}"
        finished = moment(begun + 1) if chance.random() < 0.8 else None
        status = chance.choice(("succeeded", "failed")) if finished else "building"
        build = self.insert(
            builds, algorithm_id=algorithm, hash=commit, status=status, source=None, entry="", environment=None,
            permissions="{}", visibility_declared=False, contract="{}", log=chance.choice(NOTES), started_by=publisher.id,
            started_at=moment(begun), finished_at=finished,
        )  # fmt: skip
        self.known.rows["builds"].append(
            {**row, "hash": commit, "status": status, "source": None, "environment": None, "started_at": moment(begun),
             "finished_at": finished, "started_by": publisher.name, "deleted": deleted, "id": build}
        )  # fmt: skip
        visibility = chance.choice(("public", "private"))
        notes, published, digest = chance.choice(NOTES), moment(begun + 2), f"{chance.getrandbits(256):064x}"
        revision = chance.randrange(1, 4)
        self.insert(
            versions, algorithm_id=algorithm, build_id=build, major=number[0], minor=number[1], revision=number[2],
            visibility=visibility, permissions=json.dumps({"visibility": visibility}), contract="{}",
            contract_digest=digest, verdict="{}", policy_revision=revision, notes=notes, details="{}",
            published_by=publisher.id, valid_from=published, valid_to=None,
        )  # fmt: skip
        self.known.rows["versions"].append(
            {**row, "version": "{}.{}.{}".format(*number), "visibility": visibility, "published_at": published,
             "published_by": publisher.name, "hash": commit, "source": None, "environment": None,
             "contract_digest": digest, "policy_revision": revision, "notes": notes, "deleted": deleted}
        )  # fmt: skip

    def _product(self, owner: str, name: str) -> None:
        chance, actor = self.random, self.known.actors[owner]
        public, made = chance.random() < 0.5, moment(chance.randrange(1, 9))
        product = self.insert(
            products, owner_id=actor.id, name=name, folded=folded(name), summary="", public=public, created_at=made
        )
        row = {"product": f"{owner}/{name}", "owner": owner, "name": name}
        former = self._former(
            "products", product, lambda: {"summary": chance.choice(NOTES), "public": chance.random() < 0.5}
        )
        shown = {"summary": "", "public": public, "created_at": made, "was": former}
        self.known.rows["products"].append({**row, **shown})
        for number in chance.sample(NUMBERS, 6):
            self._release(product, row, public, number)

    def _release(self, product: str, row: dict[str, Any], public: bool, text: str) -> None:
        chance, number, cut = self.random, ReleaseNumber.parse(text), self.random.randrange(10, 50)
        by = self.known.actors["ada"]
        stable = moment(cut + 2) if chance.random() < 0.4 else None
        reason = chance.choice(NOTES) if chance.random() < 0.3 else None
        shown = {
            "number": text, "prerelease": number.is_prerelease, "former": None, "commit": "0" * 40, "tag": f"v{text}",
            "occasion": "usual", "policy_revision": chance.randrange(1, 4), "cut_at": moment(cut), "stable_at": stable,
            "yanked_at": moment(cut + 3) if reason is not None else None, "yank_reason": reason,
            "evidence_digest": "0" * 64, "docs_digest": None,
        }  # fmt: skip
        self.insert(
            releases, product_id=product, precedence=text, order_key=order_key(number), verdict="{}", state="0" * 64,
            told="{}", migrations="[]", settings="[]", cut_by=by.id, stable_by=by.id if stable else None,
            yanked_by=by.id if reason is not None else None, **shown,
        )  # fmt: skip
        marks = {"stable_by": "ada" if stable else None, "yanked_by": "ada" if reason is not None else None}
        self.known.rows["releases"].append({**row, **shown, **marks, "cut_by": "ada", "public": public})

    def _calls(self) -> None:
        made = []
        for number in range(60):
            chance, at = self.random, int((BEGINNING + timedelta(hours=number)).timestamp())
            caller, reference = chance.choice(("ada", "sam")), chance.choice(("util/echo", "lab/echo/1.0.0"))
            outcome, seconds = chance.choice(("ok", "timeout")), chance.choice((0.25, 0.5, 2.0))
            made.append(CallRecord(at, f"req-{number:03}", caller, reference, outcome, seconds, 1))
            self.known.rows["calls"].append(
                {"request": f"req-{number:03}", "at": moment(number), "caller": caller, "reference": reference,
                 "outcome": outcome, "seconds": seconds, "position": number}
            )  # fmt: skip
        add_records(self.connection, made)
