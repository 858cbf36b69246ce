"""The paths that upgrades take: from each supported release, its database filled, to today (PLX-09, note N22)."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from troth.contracts.migrations.chain import Chain, Migration
from troth.contracts.product import Migrations, Product
from troth.errors import Malformed, MalformedSource
from troth.releases.history import Release, declared_at, snapshot_of
from troth.releases.migration_changes import chain_at
from troth.versions.releases.evidence import Fact, Kind
from troth.versions.releases.numbers import ReleaseNumber, Step, supported

if TYPE_CHECKING:
    from troth.releases.check import Asked, Subject
    from troth.releases.repository import Snapshot
    from troth.releases.proving.databases import Database, Server
    from troth.releases.proving.running import Ran, Running

_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What came of one path."""

    begins: str
    database: str
    fault: str = ""
    #: what keeps it from being a proof though nothing failed
    doubt: str = ""
    seconds: float = 0.0
    locked: float | None = None
    words: str = ""
    also: tuple[str, ...] = ()
    #: seconds of each migration that its tool tells the time of, in the order in which they were run
    times: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Proved:
    """What the paths showed: facts for the policy, and each path as it is told."""

    facts: list[Fact] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)


class Proving:
    """Runs the migrations of a product. Used as a context, because it keeps commits checked out meanwhile."""

    def __init__(self, subject: Subject, address: str | None, seconds: float) -> None:
        self._subject = subject
        self._address = address
        self._seconds = seconds
        self._scratch = tempfile.TemporaryDirectory(prefix="troth-", ignore_cleanup_errors=True)
        self._folder = Path(self._scratch.name)
        self._trees: dict[str, Path] = {}
        self._running: Running | None = None

    def __enter__(self) -> Proving:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running is not None:
            self._running.close()
        self._scratch.cleanup()

    def listed(self, migrations: Migrations, snapshot: Snapshot) -> Sequence[str]:
        """What a project's own command lists as the migrations of a commit. Raises MalformedSource where it fails."""
        from troth.releases.proving.databases import last_line

        ran = self.running.listing(migrations, self._tree(snapshot))
        if not ran.succeeded:
            why = "it took too long" if ran.late else last_line(ran.output)
            raise MalformedSource(
                f"the command that lists migrations failed at {snapshot.commit[:12]}: {shlex.join(migrations.listed_by)}",
                why=why,
                repair="mend it, so that it prints the name of a migration a line",
            )
        return ran.output.decode(errors="replace").splitlines()

    def proved(self, facts: Sequence[Fact], asked: Asked, only: Sequence[str]) -> Proved:
        """Runs every path, or those from the releases that are named. Raises Malformed for a release that is none."""
        from troth.releases.proving.databases import Server, writable

        found = Proved()
        server = Server(writable(self._folder / "scratch"), self._address)
        for migrations in self._subject.product.migrations:
            chain = chain_at(migrations, self._subject.now, self.listed)
            starts = list(self._starts(migrations, chain, asked, only))
            if not starts:
                continue
            with server.database() as fresh:
                ran = self.running.migrate(migrations, self._tree(self._subject.now), fresh)
                if not ran.succeeded:
                    found.facts.append(self._unusable(migrations, ran))
                    continue
                for release, also in starts:
                    path = self._path(migrations, chain, release, server, fresh)
                    self._add(found, migrations, replace(path, also=tuple(also)))
        return found

    @property
    def running(self) -> Running:
        """What runs commands of the project."""
        if self._running is None:
            from troth.releases.proving.databases import writable
            from troth.releases.proving.running import Running

            scratch = writable(self._folder / "scratch")
            self._running = Running(self._subject.repository.folder.absolute(), scratch, self._seconds)
        return self._running

    # --- where paths begin

    def _starts(
        self, migrations: Migrations, chain: Chain, asked: Asked, only: Sequence[str]
    ) -> Iterator[tuple[Release, list[str]]]:
        """The releases from which something is pending, each with those that had the same migrations."""
        states: dict[tuple[tuple[str, str], ...], list[Release]] = {}
        for release in self._supported(asked, only):
            before = self._chain(migrations, release)
            if _state(before) != _state(chain):
                states.setdefault(_state(before), []).append(release)
        for same in states.values():
            yield same[-1], [str(one.number) for one in same[:-1]]

    def _supported(self, asked: Asked, only: Sequence[str]) -> list[Release]:
        """The releases that the next one has to be reachable from, lowest first; or those that are named."""
        subject = self._subject
        every = {one.number: one for one in subject.releases.releases}
        if only:
            return [self._named(every, name) for name in only]
        from troth.releases.check import situation_of

        situation = situation_of(subject, asked)
        if situation.supported is not None:
            return [every[one] for one in situation.supported]
        if situation.former is None:
            return []
        candidates = [situation.former.raised(step) for step in (Step.MINOR, Step.MAJOR)]
        wanted = {one for candidate in candidates for one in supported(candidate, list(situation.used))}
        since = subject.product.since
        return [every[one] for one in sorted(wanted) if since is None or one >= since]

    def _named(self, every: dict[ReleaseNumber, Release], name: str) -> Release:
        number = ReleaseNumber.parse(name)
        if number not in every:
            listed = ", ".join(map(str, every)) or "none"
            raise Malformed(f"there is no release {name}", why=f"there are {listed}", repair="name one of them")
        return every[number]

    def _chain(self, migrations: Migrations, release: Release) -> Chain:
        return chain_at(self._then(migrations, release), snapshot_of(self._subject.repository, release), self.listed)

    def _then(self, migrations: Migrations, release: Release) -> Migrations:
        """How the migrations were declared at a release, else as they are now."""
        declared: Product | None = declared_at(self._subject.repository, release)
        found = [one for one in declared.migrations if one.path == migrations.path] if declared else []
        return found[0] if found else migrations

    # --- one path

    def _path(self, migrations: Migrations, chain: Chain, release: Release, server: Server, fresh: Database) -> Upgrade:
        from troth.releases.proving.databases import last_line
        from troth.releases.proving.rows import fill
        from troth.releases.proving.times import times

        begins = str(release.number)
        then = snapshot_of(self._subject.repository, release)
        before = chain_at(self._then(migrations, release), then, self.listed)
        pending = [one for one in chain.migrations if one.id not in before.by_id()]
        with server.database() as upgraded:
            built = self.running.migrate(self._then(migrations, release), self._tree(then), upgraded)
            if not built.succeeded:
                why = _why(built, self._seconds)
                return Upgrade(
                    begins, server.kind, f"the database of {begins} cannot be built by its own migrations: {why}"
                )
            if migrations.fixtures and (script := self._fixtures(migrations, release)) is not None:
                upgraded.execute_script(script)
            with server.database(upgraded) as empty:
                filled = fill(upgraded)
                upgraded.open_to_all()
                facts = _Facts.of(upgraded, migrations)
                ran, locked = self._upgrade(migrations, upgraded)
                if not ran.succeeded:
                    fault = _why(ran, self._seconds)
                    if (
                        not ran.late
                        and self.running.migrate(migrations, self._tree(self._subject.now), empty).succeeded
                    ):
                        fault = f"it runs on empty tables and fails on rows: {last_line(ran.output)}"
                    return Upgrade(begins, server.kind, fault, "", ran.seconds, locked)
            fault = "; ".join([*facts.changes(upgraded, migrations), *_shape_faults(upgraded, fresh)][:_TOLD])
            doubt = self._doubt(pending, filled.empty)
        words = f"{len(pending)} migration{'s' if len(pending) != 1 else ''}, {sum(facts.counts.values())} rows kept"
        dropped = [name for name, count in facts.counts.items() if count and name not in facts.kept]
        words += f"; dropped with its rows: {', '.join(dropped)}" if dropped else ""
        took = times(ran.output, {one.id for one in pending})
        return Upgrade(begins, server.kind, fault, doubt, ran.seconds, locked, words, times=took)

    def _upgrade(self, migrations: Migrations, database: Database) -> tuple[Ran, float]:
        from troth.releases.proving.locks import Watched

        with Watched(database) as watched:
            ran = self.running.migrate(migrations, self._tree(self._subject.now), database)
        return ran, watched.seconds

    def _fixtures(self, migrations: Migrations, release: Release) -> str | None:
        path = migrations.fixtures.replace("{version}", str(release.number))
        content = self._subject.now.file(path)
        return content.decode() if content is not None else None

    def _doubt(self, pending: Sequence[Migration], empty: dict[str, str]) -> str:
        """Tables without rows that a pending migration speaks of; what was not tried on rows is not proved."""
        contents = self._subject.now.read([one.path for one in pending])
        texts = " ".join(content.decode(errors="replace") for content in contents.values())
        touched = {name: why for name, why in empty.items() if name in texts or not contents}
        told = [f"{name} was left empty, because no row could be made for it ({why})" for name, why in touched.items()]
        return "; ".join(told[:_TOLD])

    # --- what is told

    def _unusable(self, migrations: Migrations, ran: Ran) -> Fact:
        words = f"the migrations do not run on an empty database: {_why(ran, self._seconds)}"
        return Fact(Kind.MIGRATION_GAP, migrations.path or "[[migrations]]", words, "mend them, and run them once")

    def _add(self, found: Proved, migrations: Migrations, path: Upgrade) -> None:
        again = f"troth release check --prove-from {path.begins}" + (" --database ADDRESS" if self._address else "")
        said = path.fault or path.doubt
        confined = self.running.confined(remote=self._address is not None)
        found.told.append(
            {
                "migrations": migrations.called,
                "from": path.begins,
                "also": list(path.also),
                "database": path.database,
                "outcome": "failed" if path.fault else "not proved" if path.doubt else "passed",
                "words": said or path.words,
                "seconds": round(path.seconds, 3),
                "locked": None if path.locked is None else round(path.locked, 3),
                "times": [{"id": name, "seconds": round(took, 3)} for name, took in path.times.items()],
                "confined": confined,
                "again": again,
            }
        )
        for begins in (*path.also, path.begins):
            if said:
                kind = Kind.PATH_BROKEN if path.fault else Kind.PATH_UNPROVED
                repair = (
                    "mend the migration that fails"
                    if path.fault
                    else "name a file that fills it: fixtures in [[migrations]]"
                )
                found.facts.append(Fact(kind, f"from {begins}", said, repair, detail={"from": begins, "again": again}))

    def _tree(self, snapshot: Snapshot) -> Path:
        name = snapshot.commit if snapshot.whole else f"{snapshot.commit}-{snapshot.recorded.replace('/', '-')}"
        if name not in self._trees:
            target = self._folder / "trees" / name
            self._subject.repository.check_out(snapshot.commit, target, self._folder, snapshot.recorded)
            self._trees[name] = target
        return self._trees[name]


@dataclass(frozen=True)
class _Facts:
    """What a database holds before it is upgraded."""

    counts: dict[str, int]
    answers: dict[str, Any]
    kept: set[str]

    @staticmethod
    def of(database: Database, migrations: Migrations) -> _Facts:
        answers = {one.name: database.answer(one.sql) for one in migrations.queries}
        return _Facts(
            database.counts(), {name: told for name, told in answers.items() if not isinstance(told, str)}, set()
        )

    def changes(self, database: Database, migrations: Migrations) -> Iterator[str]:
        """Rows that were lost or came to be, and queries with another answer."""
        after = database.counts()
        self.kept.update(after)
        for name, count in self.counts.items():
            if name in after and after[name] != count:
                yield f"{name} had {count} rows and has {after[name]}"
        for one in migrations.queries:
            if one.name in self.answers:
                answer = database.answer(one.sql)
                if isinstance(answer, str):
                    yield f"the query {one.name} cannot be asked any more: {answer}"
                elif answer != self.answers[one.name]:
                    yield f"the query {one.name} has another answer"


def _shape_faults(upgraded: Database, fresh: Database) -> Iterator[str]:
    from troth.releases.proving.shapes import differences, shape

    for words in differences(shape(upgraded), shape(fresh)):
        yield f"beside a new database, {words}"


def _state(chain: Chain) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one.id, one.meaning) for one in chain.migrations))


def _why(ran: Ran, seconds: float) -> str:
    from troth.releases.proving.databases import last_line

    return f"it came to no end within {seconds:g} seconds" if ran.late else last_line(ran.output)
