"""`troth.toml` of a product: what a team declares of its software, its releases, and the policy that they are judged by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from troth.contracts.declared_tables import FILE, Table, read, wrong
from troth.contracts.path_patterns import matches
from troth.errors import TrothError
from troth.versions import names
from troth.versions.releases.evidence import Decision, Maturity
from troth.versions.releases.numbers import ReleaseNumber
from troth.versions.releases.rules import EXCEPTIONS, PROFILES

__all__ = ["FILE", "Component", "Infrastructure", "Migrations", "Product", "Promised", "parse_product"]

CONTRACTS: Final = ("openapi", "python", "wire", "settings", "values", "help")
MIGRATIONS: Final = ("sql", "alembic", "django", "command")
OCCASIONS: Final = ("fix", "functionality", "scheduled")
_DECISIONS: Final = ("patch", "minor", "major")


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a product. `maturity` is None where it has no mark; the core needs none and is stable."""

    name: str
    paths: tuple[str, ...]
    maturity: Maturity | None
    core: bool = False

    def claims(self, path: str) -> bool:
        """Whether a file belongs to it."""
        return any(matches(pattern, path) for pattern in self.paths)

    @property
    def promised(self) -> Maturity:
        """What it promises: what is not marked promises everything."""
        return self.maturity or Maturity.STABLE


@dataclass(frozen=True, slots=True)
class Promised:
    """A contract of a product: a file, or a folder with a Python package, that others rely on."""

    kind: str
    path: str
    component: str = ""
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A read whose answer the migrations leave as it is."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Migrations:
    """A chain of migrations, and how it is run. `run` and `list` are commands, started in the product's folder."""

    kind: str
    path: str
    component: str = ""
    run: tuple[str, ...] = ()
    listed_by: tuple[str, ...] = ()
    #: the interpreter that runs them, a path below the product's folder or of this machine
    python: str = ""
    #: the environment variable that they read the database's address from
    variable: str = "DATABASE_URL"
    #: a file of SQL that fills a database, `{version}` standing for the release that it is of
    fixtures: str = ""
    queries: tuple[Query, ...] = ()

    @property
    def called(self) -> str:
        """What the chain is called: the folder that it lies in, else the command that lists it."""
        return self.path or " ".join(self.listed_by)


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """Something that the product is tested on, by what it differs from others in kind (note N24), and its JUnit records."""

    name: str
    provider: str
    cluster: str
    runtime: str
    records: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, str, str]:
        """By what it is told apart."""
        return self.provider, self.cluster, self.runtime


@dataclass(frozen=True, slots=True)
class Product:
    """The declarations of one product."""

    owner: str
    name: str
    #: the number of the next release, where it is declared
    version: ReleaseNumber | None
    profiles: tuple[str, ...]
    since: ReleaseNumber | None
    exceptions: tuple[str, ...]
    supported: tuple[str, ...] | None
    tags: str
    #: the folder in which releases are recorded, each in one of its number; empty where tags tell them
    recorded: str
    #: files that a record holds beside contracts and migrations
    recorded_with: tuple[str, ...]
    lenient: bool
    components: tuple[Component, ...]
    contracts: tuple[Promised, ...]
    migrations: tuple[Migrations, ...]
    targets: tuple[str, ...]
    packaging: tuple[str, ...]
    #: files that say which version it is; their change is no change of the product
    stamps: tuple[str, ...]
    documentation: tuple[str, ...]
    documentation_build: tuple[str, ...]
    #: the folder that the build writes
    documentation_built: str
    #: pages of versions of APIs that are retired, which the documentation has no more
    documentation_retired: tuple[str, ...]
    #: files that do not concern who runs the product
    aside: tuple[str, ...]
    infrastructures: tuple[Infrastructure, ...]
    notes: str
    notes_path: str
    occasion: str = ""
    major: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    only_target: bool = False
    decisions: tuple[Decision, ...] = field(default=())

    @property
    def subject(self) -> str:
        return f"{self.owner}/{self.name}"

    def component_of(self, path: str) -> Component | None:
        """The component that a file belongs to: the first that claims it, the core last."""
        return next((one for one in sorted(self.components, key=lambda one: one.core) if one.claims(path)), None)

    def component(self, name: str) -> Component | None:
        """The component of that name."""
        return next((one for one in self.components if one.name == name), None)


def is_product(document: bytes) -> bool:
    """Whether a troth.toml describes a product. Raises MalformedSource for what is no TOML."""
    return "product" in read(document)


def parse_product(document: bytes) -> Product:
    """What `document`, the bytes of a troth.toml, declares of a product.

    Raises MalformedSource, MalformedName or MalformedNumber, naming the table and key.
    """
    top = Table(read(document), "")
    recorded = top.table("recorded")
    head, policy, release = top.table("product"), top.table("policy"), top.table("release")
    packaging, documentation, notes = top.table("packaging"), top.table("documentation"), top.table("notes")
    infrastructures = tuple(_infrastructure(name, table) for name, table in top.named("infrastructures").items())
    components = _components(top)
    profiles = _chosen(policy, "profiles", PROFILES, ("semver",))
    found = Product(
        owner=names.check_owner(head.text("owner")),
        name=names.check_product(head.text("name")),
        version=_number(head, "version"),
        tags=_tags(head.text("tags", "v{version}")),
        recorded=recorded.path("path", ""),
        recorded_with=recorded.paths("with"),
        aside=head.paths("aside"),
        profiles=profiles,
        since=_number(policy, "since"),
        exceptions=_chosen(policy, "exceptions", EXCEPTIONS, EXCEPTIONS if "puppetdb" in profiles else ()),
        supported=policy.texts("supported") or None,
        lenient=policy.flag("lenient"),
        decisions=tuple(_decision(table) for table in top.tables("decisions")),
        components=components,
        contracts=tuple(_promised(table, components) for table in top.tables("contracts")),
        migrations=tuple(_migrations(table, components) for table in top.tables("migrations")),
        targets=packaging.texts("targets"),
        packaging=packaging.paths("paths"),
        stamps=packaging.paths("stamps"),
        documentation=documentation.paths("paths"),
        documentation_build=documentation.command("build"),
        documentation_built=documentation.path("built", ""),
        documentation_retired=documentation.paths("retired"),
        infrastructures=infrastructures,
        notes=notes.choice("kind", ("fragments", "commits"), ""),
        notes_path=notes.path("path", ""),
        occasion=release.choice("occasion", OCCASIONS, ""),
        major=release.texts("major"),
        manual=release.texts("manual"),
        only_target=release.flag("only_target"),
    )
    for table in (head, recorded, policy, packaging, documentation, notes, release, top):
        table.done()
    _check(found)
    return found


def _check(product: Product) -> None:
    if product.notes == "fragments" and not product.notes_path:
        raise wrong("[notes] path is missing", "fragments are files of a folder", 'write path = "changes"')
    if sum(one.core for one in product.components) > 1:
        raise wrong("there are several cores", "a product has one core", "leave core = true to one component")


def _components(top: Table) -> tuple[Component, ...]:
    """The declared components; where there are none, all files are of one core."""
    found = tuple(_component(name, table) for name, table in top.named("components").items())
    return found or (Component("core", ("**",), Maturity.STABLE, True),)


def _component(name: str, table: Table) -> Component:
    paths, core = table.paths("paths"), table.flag("core")
    mark = table.choice("maturity", list(Maturity), "")
    table.done()
    if not paths:
        raise wrong(f"[{table.name}] paths is missing", "a component claims files", 'write paths = ["src/"]')
    if core and mark not in ("", "stable"):
        raise wrong(f"[{table.name}] is the core, and {mark}", "the core is stable", "take core or maturity out")
    return Component(
        names.check_component(name), paths, Maturity.STABLE if core else Maturity(mark) if mark else None, core
    )


def _promised(table: Table, components: Iterable[Component]) -> Promised:
    kind = table.choice("kind", CONTRACTS)
    found = Promised(
        kind, table.path("path"), _of(table, components), table.flag("tolerant") if kind == "wire" else False
    )
    table.done()
    return found


def _migrations(table: Table, components: Iterable[Component]) -> Migrations:
    kind = table.choice("kind", MIGRATIONS)
    found = Migrations(
        kind=kind,
        path=table.path("path", *(("",) if kind == "command" else ())),
        component=_of(table, components),
        run=table.command("run"),
        listed_by=table.command("list"),
        python=table.text("python", ""),
        variable=table.text("variable", "DATABASE_URL"),
        fixtures=table.path("fixtures", ""),
        queries=tuple(_query(inner) for inner in table.tables("queries")),
    )
    table.done()
    if kind == "command" and not (found.run and found.listed_by):
        raise wrong(
            f"[{table.name}] has no {'list' if found.run else 'run'}",
            "both are commands",
            'write list = ["./migrate", "list"]',
        )
    return found


def _query(table: Table) -> Query:
    found = Query(table.text("name"), table.text("sql"))
    table.done()
    return found


def _infrastructure(name: str, table: Table) -> Infrastructure:
    kind = [table.text(key, "") for key in ("provider", "cluster", "runtime")]
    found = Infrastructure(name, kind[0], kind[1], kind[2], table.paths("records"))
    table.done()
    if not any(kind):
        raise wrong(f"[{table.name}] has no kind", "infrastructures are told apart by it", 'write provider = "..."')
    return found


def _decision(table: Table) -> Decision:
    found = Decision(table.text("about"), table.choice("step", _DECISIONS), table.text("reason"))
    table.done()
    return found


def _of(table: Table, components: Iterable[Component]) -> str:
    """The component that something belongs to; empty where it is left open."""
    name = table.text("component", "")
    known = [one.name for one in components]
    if name and name not in known:
        raise wrong(f"[{table.name}] names the component {name!r}", f"there are {', '.join(known)}", "name one of them")
    return name


def _chosen(table: Table, key: str, legal: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    chosen = table.texts(key, default)
    for one in chosen:
        if one not in legal:
            raise wrong(f"[{table.name}] {key} has {one!r}", f"there are {', '.join(legal)}", "name one of them")
    return tuple(dict.fromkeys(chosen))


def _number(table: Table, key: str) -> ReleaseNumber | None:
    text = table.text(key, "")
    try:
        return ReleaseNumber.parse(text) if text else None
    except TrothError as error:
        raise type(error)(f"{FILE}: [{table.name}] {key}: {error.what}", why=error.why, repair=error.repair,
                          clauses=error.clauses, asked=error.asked) from None  # fmt: skip


def _tags(pattern: str) -> str:
    if pattern.count("{version}") != 1:
        raise wrong("[product] tags has no {version}", "it is the name of a release's tag", 'write tags = "v{version}"')
    return pattern
