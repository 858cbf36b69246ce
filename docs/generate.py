"""Writes the reference pages from the code that they describe: `python -m docs.generate`.

Each page is a function here that returns its text. `tests/docs/test_reference.py` compares the texts with the files.
"""

from __future__ import annotations

import inspect
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cyclopts import App
from rich.console import Console

from docs import contracts
from troth.access.roles import GRANTS
from troth.commands.formats import shipped
from troth.contracts.rules.table import Rule, rules
from troth.doors.cli import main as cli
from troth.doors.cli import operator, output
from troth.errors import BY_CODE, TrothError, tree
from troth.queries.entities import ENTITIES
from troth.queries.entities.rows import Entity
from troth.queries.language.fields import FUNCTIONS, OPERATORS, Field
from troth.settings import Settings, documentation
from troth.versions.clauses import Clause, policy

FOLDER = Path(__file__).parent
_WIDTH = 100
_SOURCES = ("Algorithmia versioning", "PuppetDB versioning policy", "Polyaxon versioning")

#: One legal value for each field that a command may require; example payloads are made of them and checked.
_SAMPLES: dict[str, Any] = {
    "account": "bob",
    "calendar": "1f0a7c3e-5b2d-4c6e-8f90-a1b2c3d4e5f6",
    "command": "ada/replace_facts",
    "format": {"version": 1, "schema": {"type": "string"}, "serialisation": "json"},
    "golden": [{"payload": "web1", "result": {"deactivated": "web1"}}],
    "handler": "ada/deactivate/0.1",
    "set_command_state.state": "retired",
    "uuid": "5b7e0f0c-3a55-4a0e-9b1e-0a4c2d1f9c11",
    "publish_command_version.version": 1,
    "set_command_state.version": 1,
    "state": "deprecated",
    "version": 1,
    "commit": "57f9098cb1c0a4d3e2f1b0c9d8e7f6a5b4c3d2e1",
    "due": "2026-11-30",
    "evidence": "9d2f6c1b0a394857667584930a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "occasion": "scheduled",
    "plan": "2c9e8d7f-6a5b-4d3c-b2a1-908f7e6d5c4b",
    "product": "ada/shop",
    "position": 7,
    "kind": "algorithm",
    "roll_back.reason": "it was better",
    "values": {"summary": "greets"},
    "tag": "v0.1.0",
    "about": "v6 beside v5",
    "acl": "private",
    "allowed": True,
    "api": "ada/shop",
    "api_version": "v4",
    "decide_api.reason": "two teams try out two ideas",
    "extend_api.reason": "the bank moves in spring",
    "release": "7.4.0",
    "until": "9.0.0",
    "algorithm": "ada/hello",
    "base": "https://git.example.org",
    "bump": "minor",
    "after": 0,
    "begins": "2027-01-10T10:00:00Z",
    "brownout": "1f0a7c3e-5b2d-4c6e-8f90-a1b2c3d4e5f6",
    "bytes": 1000000000,
    "clauses": ["ALG-07"],
    "collection": "photos",
    "create_organization.name": "acme",
    "delete_secret.name": "PASSPHRASE",
    "description": "of the bank's API",
    "details": {},
    "enabled": False,
    "ends": "2027-01-10T10:05:00Z",
    "expires_at": "2027-01-31T00:00:00Z",
    "file": "cat.png",
    "force": True,
    "hash": "57f9098cb1c0a4d3e2f1b0c9d8e7f6a5b4c3d2e1",
    "hook": "251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "key_id": "251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "label": "bank",
    "line": 1,
    "request_line_waiver.clauses": ["ALG-11"],
    "name": "bob",
    "number": "0.1.0",
    "of": "ada/hello",
    "organization": "acme",
    "outcome": "reproduced",
    "yank_release.reason": "it loses orders",
    "provider": "gitlab",
    "reason": "no caller ever sent that field",
    "role": "member",
    "scm": "251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "scope": {"algorithms": ["algo://ada/*"], "data": "read"},
    "session": "req-251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "session_before": "2026-11-24T12:00:00.000000Z",
    "set_secret.name": "PASSPHRASE",
    "source": "9d2f6c1b0a394857667584930a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    "started_by": "ada",
    "temporary_before": "2026-11-24T12:00:00.000000Z",
    "things": [{"kind": "source", "id": "9d2f6c1b0a394857667584930a1b2c3d4e5f60718293a4b5c6d7e8f901234567"}],
    "create_alert_hook.url": "https://ops.example.org/troth",
    "upload": "251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "url": "https://shop.internal.example:8443",
    "value": "never shown again",
    "waiver": "251506ec-5d95-40f9-9da1-24001c5f4ce2",
    "worker": 3,
}  # fmt: skip


def pages() -> dict[str, Callable[[], str]]:
    """What writes each generated page, by its file name in this folder."""
    return {
        "clauses.md": clauses_page,
        "cli.md": cli_page,
        "commands.md": commands_page,
        "entities.md": entities_page,
        "errors.md": errors_page,
        "rules.md": rules_page,
        "settings.md": settings_page,
    }


def page(name: str) -> str:
    """The text of a generated page."""
    return "\n".join(line.rstrip() for line in pages()[name]().splitlines()) + "\n"


def write() -> None:
    """Writes every page to its file, and the documents of what troth promises to theirs."""
    for name in pages():
        (FOLDER / name).write_text(page(name))
    contracts.write()


# --- clauses


def clauses_page() -> str:
    """The policy: every clause with what the machine makes of it, and the notes on how unclear words are read."""
    rows = list(policy().clauses.values())
    counts = {status: sum(row.status == status for row in rows) for status in ("enforced", "shown", "planned")}
    return "\n".join(
        [
            *_head("The policy, clause by clause", "the table `src/troth/versions/clauses.toml`"),
            f"This is revision {policy().revision} of the policy: {len(rows)} statements of three public documents, restated.",
            "`troth explain ID` prints one of them, and a refusal by the policy names those that decided.",
            "",
            f"- {counts['enforced']} are **enforced**: running code keeps them, and `make clause-mutants` breaks it on purpose to see",
            "  that a test notices.",
            f"- {counts['shown']} are **shown**: they advise or explain, and nothing is refused for them.",
            f"- {counts['planned']} are **planned**: this release does not claim them, though parts of some run already.",
            "",
            "The kinds: a RULE is refused when broken; a MAY must not be refused; SEMANTICS says how a name or request",
            "is understood; ADVICE is addressed to people; CONTEXT is reason or history.",
            "",
            *_clause_table(rows),
            *(line for source in _SOURCES for line in _clauses_of(source, rows)),
            "## Notes on unclear or conflicting statements",
            "",
            *(f"**{note.id}** ({note.concerns}) {note.reading}\n" for note in policy().notes.values()),
        ]
    )


def _clause_table(rows: Sequence[Clause]) -> list[str]:
    cells = ((f"[{row.id}](#{row.id.lower()})", row.kind, row.status, row.sentence) for row in rows)
    return _table(["clause", "kind", "status", "statement"], cells)


def _clauses_of(source: str, rows: Iterable[Clause]) -> Iterator[str]:
    yield f"## {source}\n"
    for row in rows:
        if row.source.startswith(source):
            yield f"### {row.id}\n"
            yield f"{row.sentence}\n"
            yield f"- {row.kind}, {row.status}; affects: {row.affects}"
            yield f"- the machine{', as planned' if row.status == 'planned' else ''}: {row.enforcement}"
            if row.notes:
                yield f"- read as in {', '.join(row.notes)}"
            yield ""


# --- settings


def settings_page() -> str:
    """Every setting with its variable, flag, values and default."""
    hints = get_type_hints(Settings)
    rows = (
        (f"`{name}`", f"`TROTH_{name.upper()}`", _flag(name), _values(hints[name]), _default(default), doc)
        for name, default, doc in documentation()
    )
    return "\n".join(
        [
            *_head("Settings", "`troth.settings`"),
            "A value comes from the first of these that has it:",
            "",
            "1. the flag of the command, where there is one;",
            "2. the environment variable;",
            "3. the table `[settings]` of the `troth.toml` in the present folder (not for `key` and `server`);",
            "4. the user's file, `troth/config.toml` in `XDG_CONFIG_HOME` (else `~/.config`);",
            "5. the default.",
            "",
            "Sizes are bytes and times are seconds. A value that a setting cannot have stops the command with exit",
            "code 2 and the place that the value came from.",
            "",
            *_table(["setting", "variable", "flag", "values", "default", "meaning"], rows),
        ]
    )


def _flag(name: str) -> str:
    if name == "key":
        return "`--key-file FILE`"
    named = {*inspect.signature(operator.up).parameters, *output.Remote.__dataclass_fields__}
    return f"`--{name.replace('_', '-')}`" if name in named else ""


def _values(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(kind))
    return {str: "text", bool: "`true` or `false`", int: "a whole number", float: "a number"}[kind]


def _default(value: str) -> str:
    return f"`{value.lower() if value in ('True', 'False') else value}`" if value else "empty"


# --- errors


def errors_page() -> str:
    """Every error with its code, HTTP status and exit code."""
    kinds = [kind for kind in tree() if BY_CODE.get(kind.code) is kind]
    rows = (
        (f"`{kind.code}`", _parent(kind), str(kind.status), str(kind.exit_code), f"`{kind.__name__}`", _sentence(kind))
        for kind in kinds
    )
    return "\n".join(
        [
            *_head("Errors", "the tree in `troth.errors`"),
            "Every error says what happened, why, and what would repair it. The command line prints these three as",
            "`error:`, `why:` and `help:`, and exits with the code of the last table.",
            "",
            "`/api/v1` sends problem details (RFC 9457, `application/problem+json`) with the members `type`, `title`,",
            "`status`, `code`, `detail`, `why`, `repair`, `clauses` (a list), `asked`, `found`, `least` and `instance`.",
            "`type` is `urn:troth:error:` and the code. The Python client raises the same class again, and its traceback ends with why and help.",
            "",
            "`/v1/algo` answers in the shape of the Algorithmia clients: status 200 with an `error` object that holds",
            "`message` and `error_type`. The exceptions are overload (503), faults of the server (500), a method other",
            "than POST (405) and `output=raw` (400). Everything else below `/v1` answers in both shapes that clients read;",
            "[decision 0017](decisions/0017-what-algorithmias-python-client-is-told.md) says with which status.",
            "",
            *_table(["code", "kind of", "HTTP", "exit", "class", "meaning"], rows),
            *_exit_codes(),
        ]
    )


def _parent(kind: type[TrothError]) -> str:
    (parent,) = [other for other in tree() if kind in other.__subclasses__()]
    return "" if parent is TrothError else f"`{parent.code}`"


def _sentence(kind: type[TrothError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


# --- rules


def rules_page() -> str:
    """Every rule by which contracts are compared, with its example."""
    rows = [(f"[`{row.id}`](#{row.id})", row.purpose, row.level.value, row.least) for row in rules().values()]
    return "\n".join(
        [
            *_head("Rules of comparison", "the tables in `src/troth/contracts/rules`"),
            "What a comparison of two contracts can find. `troth explain ID` prints one rule. The example of each is its test:",
            "between the two documents the checker finds this and nothing else. `least` is the smallest bump that a version",
            "with the finding may have.",
            "",
            *_table(["rule", "what it says", "level", "least"], rows),
            *(line for row in rules().values() for line in _rule(row)),
        ]
    )


def _rule(row: Rule) -> list[str]:
    decided = "; nothing is proved either way, so the answer is never compatible" if row.undecided else ""
    language = "python" if row.kind == "python" and not row.before.startswith("{") else "json"
    examples = [line for text in (row.before, row.after) for line in (f"```{language}", text.strip(), "```", "")]
    clauses = f" Clauses: {', '.join(row.clauses)}." if row.clauses else ""
    return [f"## {row.id}", "", f"{row.purpose} Level: {row.level.value}{decided}.{clauses}", "", *examples]


# --- entities of queries


def entities_page() -> str:
    """Every entity that can be asked about, with its fields and who sees which rows; operators and functions."""
    return "\n".join(
        [
            *_head("Entities of queries", "the table in `troth.queries.entities`"),
            "[Queries](queries.md) says how to ask. `/api/v1/query/ENTITY` and `troth query ENTITY` answer.",
            "",
            "## Operators",
            "",
            *_table(["operator", "for fields of the kinds", "means"],
                    ((f"`{row.name}`", ", ".join(sorted(row.kinds)), row.means) for row in OPERATORS.values())),
            "`and`, `or` and `not` join expressions.",
            "",
            "## Functions",
            "",
            *_table(["function", "of fields of the kinds", "gives"],
                    ((f"`{row.name}`", ", ".join(sorted(row.kinds)), row.means) for row in FUNCTIONS.values())),
            *(line for row in ENTITIES.values() for line in _entity(row)),
        ]
    )  # fmt: skip


def _entity(row: Entity) -> list[str]:
    fields = (
        (f"`{one.field.name}`", one.field.kind.value, one.field.summary, _particulars(one.field)) for one in row.columns
    )
    return [
        f"## {row.name}",
        "",
        f"{row.summary} Seen by: {row.seen_by[0].lower()}{row.seen_by[1:]} Order: {row.order_summary}, unless another is asked for.",
        *([row.as_of_note] if row.as_of_note else []),
        "",
        *_table(["field", "kind", "what it is", ""], fields),
    ]


def _particulars(field: Field) -> str:
    said = {"may be null": field.nullable, "where it is extracted": field.large}
    return "; ".join(text for text, holds in said.items() if holds)


# --- commands


def commands_page() -> str:
    """The wire format of every command in every version, with an example."""
    lines = [
        *_head("Commands and their wire formats", "`src/troth/commands/formats`"),
        "Every write is a command. It is sent as",
        "",
        "```text",
        "POST /api/v1/cmd?command=NAME&version=N&uuid=UUID",
        "Authorization: Bearer KEY",
        "```",
        "",
        "with its payload as JSON in the body. The reply is `uuid`, `command`, `version`, `outcome` (`done`) and",
        "`result`, or an [error](errors.md). The same account and `uuid` get the same outcome again, without anything",
        "being done twice; the same `uuid` with another payload is refused. Without `uuid` one is made.",
        "",
        "A version of a format that was shipped is never edited. The schemas are JSON Schema 2020-12, and fields that",
        "they do not name are refused.",
        "",
    ]
    for name, versions in sorted(shipped().schemas.items()):
        for version, schema in sorted(versions.items()):
            assert isinstance(schema.schema, dict)
            lines += _command(name, version, schema.schema)
    return "\n".join(lines)


def _command(name: str, version: int, schema: dict[str, Any]) -> list[str]:
    payload = _example(name, version, schema)
    allowed = ", ".join(sorted(GRANTS[name]))
    required = schema.get("required", [])
    rows = [
        (f"`{field}`", "yes" if field in required else "", _kind(rule)) for field, rule in schema["properties"].items()
    ]
    choice = [one for option in schema.get("oneOf", []) for one in option["required"]]
    return [
        f"## {name}, version {version}",
        "",
        schema["description"],
        "",
        f"May be sent by: {allowed}.",
        "",
        *(_table(["field", "required", "value"], rows) if rows else ["The payload is an empty object.", ""]),
        *([f"Exactly one of {_named(choice)} is given.", ""] if choice else []),
        *_by_value(schema.get("allOf", [])),
        *([f"{_named(schema['not']['required'])} exclude each other.", ""] if "not" in schema else []),
        "```json",
        json.dumps(payload, indent=2),
        "```",
        "",
    ]


def _by_value(rows: list[dict[str, Any]]) -> list[str]:
    """Which fields are given too, by the value of another one."""
    if not rows:
        return []
    (field,) = rows[0]["if"]["properties"]
    cells = ((f"`{row['if']['properties'][field]['const']}`", _named(row["then"]["required"])) for row in rows)
    return _table([field, "also given"], cells)


def _named(fields: Iterable[str]) -> str:
    return " and ".join(f"`{field}`" for field in fields)


def _example(name: str, version: int, schema: dict[str, Any]) -> dict[str, Any]:
    alternatives = schema.get("oneOf", [])
    fields = [*schema.get("required", []), *(alternatives[0]["required"] if alternatives else [])]
    fields += [one for row in schema.get("allOf", [])[:1] for one in row["then"]["required"]]
    payload = {field: _SAMPLES.get(f"{name}.{field}", _SAMPLES[field]) for field in fields}
    shipped().decode(name, version, json.dumps(payload).encode())
    return payload


def _kind(rule: dict[str, Any]) -> str:
    if "enum" in rule:
        return " or ".join(f"`{value}`" for value in rule["enum"])
    if "const" in rule:
        return f"`{rule['const']}`"
    if "anyOf" in rule:
        return " or ".join(map(_kind, rule["anyOf"]))
    named = {"string": "text", "boolean": "true or false", "array": "list", "object": "object", "null": "null",
             "integer": "whole number", "number": "number"}  # fmt: skip
    kinds = rule["type"] if isinstance(rule["type"], list) else [rule["type"]]
    said = " or ".join(named[kind] for kind in kinds)
    if "items" in rule:
        said += f" of {_kind(rule['items'])}"
    if "pattern" in rule:
        said += f" that matches `{rule['pattern']}`"
    if rule.get("minLength") == rule.get("maxLength") and "maxLength" in rule:
        return f"{said} of {rule['maxLength']} characters"
    return f"{said} of at most {rule['maxLength']} characters" if "maxLength" in rule else said


# --- command line


def cli_page() -> str:
    """The help of every command as it prints it, and the exit codes."""
    return "\n".join(
        [
            *_head("The command line", "the help of the commands themselves"),
            "Data goes to standard output, talk goes to standard error. With `--json` a command prints one JSON",
            "document instead of text, also for an error. Colours are used on terminals only, and `NO_COLOR` and",
            "`TERM=dumb` are honoured. What no option says comes from [the settings](settings.md). A fault of troth itself is",
            "told as an error; with `TROTH_TRACEBACK=1` the command shows where it happened.",
            "",
            *(line for tokens in _verbs(cli.app, []) for line in _help(tokens)),
            *_exit_codes(),
        ]
    )


def _verbs(app: App, tokens: list[str]) -> Iterator[list[str]]:
    yield tokens
    for name in app:
        if not name.startswith("-"):
            yield from _verbs(app[name], [*tokens, name])


def _help(tokens: list[str]) -> list[str]:
    printed = io.StringIO()
    console = Console(file=printed, width=_WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    cli.app.help_print(tokens, console=console)
    return [f"## {' '.join(['troth', *tokens])}", "", "```text", printed.getvalue().strip(), "```", ""]


def _exit_codes() -> list[str]:
    """The exit codes, as the entry of the command line lists them."""
    (listed,) = [line for line in (cli.__doc__ or "").splitlines() if line.startswith("0 done")]
    pairs = [part.split(" ", 1) for part in listed.rstrip(".").split(", ")]
    rows = [*pairs, ["130", "interrupted from the keyboard"]]
    return ["## Exit codes", "", *_table(["code", "meaning"], rows)]


# --- parts of pages


def _head(title: str, origin: str) -> list[str]:
    return [f"# {title}", "", f"<!-- Written by `python -m docs.generate` from {origin}. Do not edit. -->", ""]


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in [columns, *rows]]
    return [lines[0], f"|{'---|' * len(columns)}", *lines[1:], ""]


if __name__ == "__main__":
    write()
