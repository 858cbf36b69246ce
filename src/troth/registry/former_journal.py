"""What rows were before there were former rows, as far as the commands in the journal tell.

Each command says again what it changed. Where that does not end with what the rows are now, it is not believed, and the history of
their table begins with the upgrade.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from troth.clock import now, stamp
from troth.contracts.apis.digests import contract_digest, contract_text
from troth.contracts.commands.wire_format import SERIALISATIONS
from troth.registry.access_tables import account_details
from troth.registry.api_tables import api_versions, apis
from troth.registry.command_tables import command_subjects, command_versions
from troth.registry.former_rows import FORMER, history_beginnings
from troth.registry.product_tables import products
from troth.registry.settable import parts_of
from troth.registry.tables import accounts, algorithms, journal
from troth.versions.lifecycles.numbers import parsed
from troth.versions.releases.numbers import ReleaseNumber

Values = dict[str, Any]
#: what a row is called in payloads: OWNER/NAME or the name of an account, and the number of a version
Key = tuple[str, int]
_ROWS = 500


class Reading:
    """What rows were, gathered command by command."""

    def __init__(self) -> None:
        self.now: dict[str, dict[Key, Values]] = {name: {} for name in FORMER}
        #: the rows that were, by their keys, with `valid_to`
        self.former: dict[str, list[tuple[Key, Values]]] = {name: [] for name in FORMER}
        #: moments of changes that the journal tells of without what was before
        self.untold: dict[str, str] = {}
        self.last = ""
        self._built: set[tuple[str, str, str]] = set()

    def hear(self, entry: Mapping[str, Any]) -> None:
        """Takes in an entry of the journal. Raises what reading strange ones raises."""
        self.last = entry["at"]
        result = entry["outcome"].get("result")
        if result is not None and entry["command"] in _SAID:
            _SAID[entry["command"]](self, entry["at"], entry["payload"], result)

    def say(self, table: str, at: str, subject: str, number: int = 0, **changes: Any) -> None:
        """A row is this from a moment on."""
        key, rows = (subject, number), self.now[table]
        before, after = rows.get(key), {**rows.get(key, {}), **changes}
        if before is not None and before != after:
            self.former[table].append((key, {**before, "valid_to": at}))
        rows[key] = after

    def built(self, at: str, command: str, subject: str, commit: str) -> None:
        """A build began or ended; one that does so twice was something else before."""
        if (command, subject, commit) in self._built:
            self.untold["builds"] = at
        self._built.add((command, subject, commit))


def read_former_rows(connection: Connection) -> None:
    """Fills the tables of former rows from the journal, and says of which tables the history begins now."""
    reading, strange = Reading(), False
    for entry in _entries(connection):
        try:
            reading.hear(json.loads(entry))
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ):  # what no server wrote; verifying the journal tells of it
            strange = True
    for name, former in FORMER.items():
        present = dict(_PRESENT[name](connection)) if name in _PRESENT else {}
        told = {key: values for key, (_, values) in present.items()} == reading.now[name]
        begins = (reading.last or stamp(now())) if strange or not told else reading.untold.get(name, "")
        if begins:
            connection.execute(insert(history_beginnings).values(name=name, valid_from=begins))
        elif rows := _identified(present, reading.former[name]):
            connection.execute(insert(former.table), rows)


def _identified(present: Mapping[Key, tuple[Values, Values]], former: list[tuple[Key, Values]]) -> list[Values]:
    rows = {(key, values["valid_to"]): {**present[key][0], **values} for key, values in reversed(former)}
    return list(rows.values())


def _entries(connection: Connection) -> Iterator[bytes]:
    after = 0
    while True:
        page = select(journal).where(journal.c.position > after).order_by(journal.c.position).limit(_ROWS)
        rows = connection.execute(page.with_only_columns(journal.c.position, journal.c.entry)).all()
        if not rows:
            return
        yield from (row.entry for row in rows)
        after = rows[-1].position


# --- what rows are now: how they are called, by what they are known, and what they hold


def _owned(table: Any) -> Callable[[Connection], Iterator[tuple[Key, tuple[Values, Values]]]]:
    def rows(connection: Connection) -> Iterator[tuple[Key, tuple[Values, Values]]]:
        kept = _kept(table)
        wanted = select(accounts.c.name.label("of"), table.c.name.label("called"), table.c.id, *kept)
        for row in connection.execute(wanted.join_from(table, accounts, accounts.c.id == table.c.owner_id)):
            yield (f"{row.of}/{row.called}", 0), ({"id": row.id}, _values(row, kept))

    return rows


def _people(connection: Connection) -> Iterator[tuple[Key, tuple[Values, Values]]]:
    kept = _kept(account_details)
    wanted = select(accounts.c.id, accounts.c.name, *kept).where(accounts.c.kind != "system")
    joined = wanted.join_from(accounts, account_details, account_details.c.account_id == accounts.c.id, isouter=True)
    for row in connection.execute(joined):
        yield (row.name, 0), ({"account_id": row.id}, _values(row, kept))


def _api_versions(connection: Connection) -> Iterator[tuple[Key, tuple[Values, Values]]]:
    kept = _kept(api_versions)
    wanted = select(accounts.c.name.label("of"), apis.c.name.label("called"), api_versions.c.api_id,
                    api_versions.c.number, *kept)  # fmt: skip
    joined = wanted.join_from(api_versions, apis, apis.c.id == api_versions.c.api_id).join(
        accounts, accounts.c.id == apis.c.owner_id
    )
    for row in connection.execute(joined):
        identity = {"api_id": row.api_id, "number": row.number}
        yield (f"{row.of}/{row.called}", row.number), (identity, _values(row, kept))


def _command_versions(connection: Connection) -> Iterator[tuple[Key, tuple[Values, Values]]]:
    kept = _kept(command_versions)
    of_version = command_subjects.c.id == command_versions.c.command_id
    wanted = select(accounts.c.name.label("of"), command_subjects.c.name.label("called"), command_versions.c.id,
                    command_versions.c.version, *kept)  # fmt: skip
    joined = wanted.join_from(command_versions, command_subjects, of_version).join(
        accounts, accounts.c.id == command_subjects.c.owner_id
    )
    for row in connection.execute(joined):
        yield (f"{row.of}/{row.called}", row.version), ({"id": row.id}, _values(row, kept))


def _kept(table: Any) -> list[Any]:
    former = FORMER[table.name].table
    return [table.c[one.name] for one in former.columns if one.name != "valid_to" and not one.primary_key]


def _values(row: Any, kept: list[Any]) -> Values:
    return {one.name: row._mapping[one] for one in kept}


#: Tables whose former rows can be read; of the others the journal tells only that something was before.
_PRESENT: Mapping[str, Callable[[Connection], Iterator[tuple[Key, tuple[Values, Values]]]]] = {
    "account_details": _people,
    "algorithms": _owned(algorithms),
    "api_versions": _api_versions,
    "apis": _owned(apis),
    "command_subjects": _owned(command_subjects),
    "command_versions": _command_versions,
    "products": _owned(products),
}

# --- what commands say


def _described(reading: Reading, at: str, payload: Values, result: Values) -> None:
    name = payload.get("name") or payload.get("account") or payload["organization"]
    details = payload.get("details", {})
    if "external_id" in details or "name" in payload:
        reading.say("account_details", at, name, external_id=details.get("external_id") or None)


def _ended(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.say("account_details", at, payload.get("account") or payload["organization"], external_id=None)


def _algorithm(reading: Reading, at: str, subject: str, summary: str, details: Values, settings: Values) -> None:
    told = {"summary": summary, "details": json.dumps(details, sort_keys=True)}
    reading.say("algorithms", at, subject, 0, **told, settings=json.dumps(settings, sort_keys=True))


def _algorithm_made(reading: Reading, at: str, payload: Values, result: Values) -> None:
    details, settings = payload.get("details", {}), payload.get("settings", {})
    _algorithm(reading, at, payload["algorithm"], payload.get("summary", ""), details, settings)


def _algorithm_changed(reading: Reading, at: str, payload: Values, result: Values) -> None:
    before = reading.now["algorithms"][payload["algorithm"], 0]
    summary = payload["summary"] if "summary" in payload else before["summary"]
    details, settings = ({**json.loads(before[name]), **payload.get(name, {})} for name in ("details", "settings"))
    _algorithm(reading, at, payload["algorithm"], summary, details, settings)


def _product_made(reading: Reading, at: str, payload: Values, result: Values) -> None:
    public = bool(payload.get("public"))
    reading.say("products", at, payload["product"], summary=payload.get("summary", ""), public=public)


def _product_changed(reading: Reading, at: str, payload: Values, result: Values) -> None:
    changes = {name: payload[name] for name in ("summary", "public") if name in payload}
    reading.say("products", at, payload["product"], **changes)


def _rolled_back(reading: Reading, at: str, payload: Values, result: Values) -> None:
    values = payload["values"]
    if "product" in payload:
        _product_made(reading, at, {**values, "product": payload["product"]}, result)
        return
    _algorithm(reading, at, payload["algorithm"], values.get("summary", ""), **parts_of(values))


def _api_made(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.say("apis", at, payload["api"], public=bool(payload.get("public")))


def _api_changed(reading: Reading, at: str, payload: Values, result: Values) -> None:
    if "public" in payload:
        reading.say("apis", at, payload["api"], public=payload["public"])


def _api_moved(reading: Reading, at: str, payload: Values, result: Values) -> None:
    """What `troth.commands.api_moves` writes."""
    moved, move = parsed(payload["api_version"]), result["verdict"]["move"]
    effects = {parsed(name): state for name, state in result["verdict"]["effects"].items()}
    release = str(ReleaseNumber.parse(payload["release"]).finished)
    known = reading.now["api_versions"]
    fresh = dict.fromkeys(("since", "deprecated_at", "extended", "sunset", "dropped_in", "contract_digest"))
    for number in {moved, *effects}:
        values = known.get((payload["api"], number), {"state": effects.get(number), **fresh})
        if number in effects:
            values = {**values, "state": effects[number], "since": release, "extended": None, "dropped_in": None}
        if effects.get(number) == "deprecated":
            values["deprecated_at"] = at
        if number == moved:
            values = {**values, **_moved_itself(payload, move, release)}
        if payload.get("sunset") and values["state"] == "deprecated" and (number in effects or move == "extend"):
            sunset = payload["sunset"]
            values = {**values, "sunset": sunset if "T" in sunset else f"{sunset}T00:00:00Z"}
        reading.say("api_versions", at, payload["api"], number, **values)


def _moved_itself(payload: Values, move: str, release: str) -> Values:
    values: Values = {"extended": str(ReleaseNumber.parse(payload["until"]))} if move == "extend" else {}
    if move == "drop":
        values["dropped_in"] = release
    if "contract" in payload:
        values["contract_digest"] = contract_digest(contract_text(payload["contract"]))
    return values


def _command_made(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.say("command_subjects", at, payload["command"], flow="running")


def _flow(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.say("command_subjects", at, payload["command"], flow=result["flow"])


def _command_published(reading: Reading, at: str, payload: Values, result: Values) -> None:
    form = payload["format"]
    values = {"schema": json.dumps(form["schema"]), "serialisation": SERIALISATIONS[form.get("serialisation", "json")],
              "handler": payload["handler"].removeprefix("algo://")}  # fmt: skip
    if result["new"]:
        values |= {"state": "current", "deprecated_in": None, "retired_in": None}
    reading.say("command_versions", at, payload["command"], result["version"], **values)
    for number in result["deprecated"]:
        moved = {"state": "deprecated", "deprecated_in": result["release"]}
        reading.say("command_versions", at, payload["command"], number, **moved)


def _command_moved(reading: Reading, at: str, payload: Values, result: Values) -> None:
    column = {"deprecated": "deprecated_in", "retired": "retired_in"}[result["state"]]
    changes = {"state": result["state"], column: result["release"]}
    reading.say("command_versions", at, payload["command"], result["version"], **changes)


def _queued(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.untold["queued_commands"] = at


def _build_begun(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.built(at, "begun", payload["algorithm"], payload["hash"])


def _build_ended(reading: Reading, at: str, payload: Values, result: Values) -> None:
    reading.built(at, "ended", payload["algorithm"], payload["hash"])


_MOVES = ("create_api_version", "graduate_api", "deprecate_api", "retire_api", "drop_api", "change_api", "extend_api")
_SAID: Mapping[str, Callable[[Reading, str, Values, Values], None]] = {
    **dict.fromkeys(("create_account", "create_organization", "update_account", "update_organization"), _described),
    **dict.fromkeys(("delete_account", "delete_organization"), _ended),
    "create_algorithm": _algorithm_made,
    "update_algorithm": _algorithm_changed,
    "create_product": _product_made,
    "update_product": _product_changed,
    "roll_back": _rolled_back,
    "create_api": _api_made,
    "update_api": _api_changed,
    **dict.fromkeys(_MOVES, _api_moved),
    "create_command": _command_made,
    **dict.fromkeys(("pause_command", "resume_command"), _flow),
    "publish_command_version": _command_published,
    "set_command_state": _command_moved,
    **dict.fromkeys(("retry_queued_command", "discard_queued_command"), _queued),
    "start_build": _build_begun,
    "finish_build": _build_ended,
}
