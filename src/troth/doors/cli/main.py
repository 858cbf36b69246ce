"""Entry of the `troth` command: the table of its verbs, and exit codes.

0 done, 1 failed, 2 wrong use, 3 refused by a clause or a permission, 4 not found, 5 unavailable.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Sequence

from cyclopts import App
from cyclopts.command_spec import CommandSpec
from cyclopts.exceptions import CycloptsError, UnknownCommandError
from cyclopts.help import format_usage
from rich.console import Console
from rich.markup import escape

from troth import __version__
from troth.doors.cli.output import say, show_error
from troth.errors import Failed, TrothError, Unavailable
from troth.observe import logs
from troth.versions.nearest import did_you_mean

#: a full disk, a full quota, a file at its largest
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Verbs(App):
    """Verbs that are imported when they are asked for, so that none waits for the others."""

    def help_print(self, tokens: str | Iterable[str] | None = None, *, console: Console | None = None) -> None:
        """Prints the help of what these tokens lead to, which says of each verb below it what it is for."""
        _, chain, _ = self.parse_commands(tokens)
        _describe(chain[-1])
        super().help_print(tokens, console=console)


def _describe(verbs: App) -> None:
    for name, verb in verbs.resolved_commands().items():
        place = verbs._commands[name]
        if isinstance(place, CommandSpec):
            place.help = verb.help


app = _Verbs(
    name="troth",
    help="A version is a promise; troth keeps it.\n\nBegin with `troth demo`, or `troth up` and then `troth new hello`.",
    version=__version__,
    version_flags=["--version", "-V"],
    help_format="plaintext",
)
#: Where each verb is.
_VERBS = {
    "up": "operator:up",
    "upgrade": "registry_upgrade:upgrade",
    "demo": "operator:demo",
    "new": "author:new",
    "run": "author:run",
    "compile": "author:compile_",
    "publish": "author:publish",
    "import": "importing:import_",
    "build": "builds:build",
    "rebuild": "builds:rebuild",
    "check": "check:check",
    "credential": "credential:credential",
    "call": "caller:call",
    "why": "caller:why",
    "versions": "caller:versions",
    "diff": "diff:diff",
    "api": "api:api",
    "command": "command:command",
    "product": "product:product",
    "release": "release:release",
    "calendar": "announcing:calendar",
    "upgrade-plan": "upgrading:upgrade_plan",
    "lint": "references:lint",
    "lock": "references:lock",
    "policy": "policy:policy_in_force",
    "clauses": "policy:clauses",
    "explain": "policy:explain",
    "rules": "rules:rules",
    "waiver": "waiver:waiver",
    "line": "line:line",
    "doctor": "operator:doctor",
    "top": "top:top",
    "worker": "worker:worker",
    "service": "service:service",
    "query": "querying:query",
    "journal": "journal:journal",
    "rollback": "journal:rollback",
    "collect": "builds:collect",
    "secret": "inside:secret",
    "insights": "inside:insights",
    "key": "people:key",
    "account": "people:account",
}
for _name, _place in _VERBS.items():
    app.command(f"troth.doors.cli.{_place}", name=_name)


def _say_usage(error: CycloptsError) -> None:
    """Tells how a command is given, behind what its parser had against it."""
    chain = error.command_chain or ()
    # what may have been meant of commands that are imported already, the parser says itself
    meant = (
        isinstance(error, UnknownCommandError) and not chain and did_you_mean((error.unused_tokens or [""])[0], _VERBS)
    )
    if meant:
        say(escape(meant))
    say(escape(f"usage: {format_usage(app, chain).plain.strip()}"))
    say(f"see {' '.join(('troth', *chain))} --help")


def run(tokens: Sequence[str] | None = None) -> None:
    """Runs one command and exits with its code."""
    sys.exit(execute(sys.argv[1:] if tokens is None else tokens))


def execute(tokens: Sequence[str]) -> int:
    """The exit code of one command."""
    logs.configure("text", "warning")  # what troth's parts log is talk; `troth up` sets it anew
    try:
        code = app(list(tokens), exit_on_error=False, print_error=True, result_action="return_value")
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except CycloptsError as error:
        _say_usage(error)
        return 2
    except TrothError as error:
        show_error(error, as_json="--json" in tokens)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except Exception as error:
        if os.environ.get("TROTH_TRACEBACK"):
            raise
        fault = _fault(error)
        show_error(fault, as_json="--json" in tokens and not isinstance(fault, Unavailable))
        return fault.exit_code


def _fault(error: Exception) -> TrothError:
    """What is said of an error that no part of troth raised knowingly."""
    if isinstance(error, OSError) and error.errno in _FULL:
        _drop_output()
        return Unavailable(
            "there is no room for what is written",
            why=error.strerror or str(error),
            repair="make room, or let it go elsewhere; what the server was asked to do may be done",
        )
    return Failed(
        f"troth itself failed: {type(error).__name__}: {error}",
        why="this is a fault of troth, not of yours",
        repair="please report it with what TROTH_TRACEBACK=1 shows when you do the same again",
    )


def _drop_output() -> None:
    """Standard output leads nowhere from now on, so that what waits in it fails nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
