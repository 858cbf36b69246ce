"""troth check history: what was recorded of a product, its APIs and its commands, judged event by event."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.markup import escape

from troth.doors.cli.output import Common, say, show
from troth.errors import Malformed, Refused
from troth.versions.verdict import Outcome

_LARGEST_FILE = 16 << 20


def history(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True, help="The history; - is standard input.")],
    /,
    *,
    starting_point: Annotated[
        tuple[str, ...],
        Parameter(help="What is judged from: v4, API=v4, or the last release that is not judged, 0.4.4."),
    ] = (),
    common: Common = Common(),
) -> int:
    """Judges a recorded history: each release, each move of a version of an API, each version of a command.

    The file is YAML, JSON, or NDJSON with one event a line. With --json an answer is one line for each event, in order:
    {"event", "verdict", "clauses"} and more, where the verdict is allowed, refused or not-regulated. Exits with 3 where an
    event is not allowed.
    """
    from troth.contracts.histories.judging import judged
    from troth.contracts.histories.reading import history as read
    from troth.contracts.histories.reading import starting_points
    from troth.contracts.histories.rendering import lines_of, summary

    found = read(_text(file))
    if starting_point:
        versions, since = starting_points(starting_point)
        found = replace(found, starting_points={**found.starting_points, **versions}, since=since or found.since)
    verdicts = []
    for verdict in judged(found):
        verdicts.append(verdict)
        if common.json:
            print(json.dumps(verdict.as_dict(), ensure_ascii=False), flush=True)
        else:
            for line in lines_of(verdict):
                show(escape(line))
    if not common.json:
        say(escape(summary(verdicts)))
    return 0 if all(one.outcome is Outcome.ALLOWED for one in verdicts) else Refused.exit_code


def _text(path: Path) -> str:
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}", repair="name another file") from None
    except UnicodeDecodeError as error:
        raise Malformed(
            f"{path} is not text: {error.reason} at byte {error.start}", repair="convert it to UTF-8"
        ) from None
