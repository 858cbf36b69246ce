"""Entry of the `troth` command: the table of its verbs, and exit codes.

0 done, 1 failed, 2 wrong use, 3 refused by a clause or a permission, 4 not found, 5 unavailable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App
from cyclopts.exceptions import CycloptsError
from cyclopts.help import format_usage
from rich.markup import escape

from troth import __version__
from troth.doors.cli import (
    announcing,
    api_callers,
    api_gateway,
    api_waivers,
    author,
    builds,
    caller,
    inside,
    operator,
    people,
    policy,
    publishing,
    references,
)
from troth.doors.cli.api import api
from troth.doors.cli.api_check import check as api_check
from troth.doors.cli.check import check
from troth.doors.cli.command import command
from troth.doors.cli.credential import credential
from troth.doors.cli.diff import diff
from troth.doors.cli.history import history
from troth.doors.cli.importing import import_
from troth.doors.cli.journal import journal, rollback
from troth.doors.cli.line import line
from troth.doors.cli.output import say, show_error
from troth.doors.cli.product import product
from troth.doors.cli.querying import query
from troth.doors.cli.recording import record
from troth.doors.cli.registry_upgrade import upgrade
from troth.doors.cli.release import release
from troth.doors.cli.release_waivers import request_waiver
from troth.doors.cli.rules import rules
from troth.doors.cli.service import service
from troth.doors.cli.top import top
from troth.doors.cli.upgrading import upgrade_plan
from troth.doors.cli.waiver import waiver
from troth.doors.cli.worker import worker
from troth.errors import Failed, TrothError
from troth.observe import logs

app = App(
    name="troth",
    help="A version is a promise; troth keeps it.\n\nBegin with `troth demo`, or `troth up` and then `troth new hello`.",
    version=__version__,
    version_flags=["--version", "-V"],
    help_format="plaintext",
)
app.command(operator.up)
app.command(upgrade)
app.command(operator.demo)
app.command(author.new)
app.command(author.run)
app.command(author.compile_, name="compile")
app.command(author.publish)
app.command(import_, name="import")
app.command(builds.build)
app.command(builds.rebuild)
app.command(check)
check.command(history)
app.command(credential)
app.command(caller.call)
app.command(caller.why)
app.command(caller.versions)
app.command(diff)
app.command(api)
api.command(api_callers.callers)
api.command(api_callers.alerts)
api.command(api_gateway.upstream)
api.command(api_gateway.served)
api.command(api_gateway.brownout)
api.command(api_check, name="check")
api.command(api_waivers.request_waiver, name="request-waiver")
app.command(command)
app.command(product)
app.command(release)
release.command(record)
release.command(publishing.cut)
release.command(request_waiver, name="request-waiver")
release.command(publishing.list_, name="list")
release.command(publishing.show_, name="show")
release.command(publishing.changelog)
release.command(publishing.stable)
release.command(publishing.yank)
release.command(publishing.fetch)
release.command(announcing.due)
release.command(announcing.cadence)
release.command(announcing.plan)
release.command(announcing.cancel)
app.command(announcing.calendar)
app.command(upgrade_plan, name="upgrade-plan")
app.command(references.lint)
app.command(references.lock)
app.command(policy.policy_in_force, name="policy")
app.command(policy.clauses)
app.command(policy.explain)
app.command(rules)
app.command(waiver)
app.command(line)
app.command(operator.doctor)
app.command(top)
app.command(worker)
app.command(service)
app.command(query)
app.command(journal)
app.command(rollback)
app.command(builds.collect)
app.command(inside.secret)
app.command(inside.insights)
app.command(people.key)
app.command(people.account)


def _say_usage(chain: Sequence[str]) -> None:
    """Tells how a command is given, behind what its parser had against it."""
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
        _say_usage(error.command_chain or ())
        return 2
    except TrothError as error:
        show_error(error, as_json="--json" in tokens)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("TROTH_TRACEBACK"):
            raise
        fault = Failed(
            f"troth itself failed: {type(error).__name__}: {error}",
            why="this is a fault of troth, not of yours",
            repair="please report it with what TROTH_TRACEBACK=1 shows when you do the same again",
        )
        show_error(fault, as_json="--json" in tokens)
        return fault.exit_code
