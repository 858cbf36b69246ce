"""The command that shows what the server's worker makes of published examples."""

from __future__ import annotations

from troth.doors.cli.output import Remote, show, show_json, show_table


def worker(*, remote: Remote = Remote()) -> int:
    """Shows how published versions answered their examples on the worker that the server has, for administrators.

    A server replays them when it starts with a worker that is new to them. Exits with 1 where an answer differs.
    """
    with remote.client() as client:
        found = client.replays()
    counts = found["counts"]
    if remote.json:
        show_json(found)
    else:
        said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        show(f"worker {found['worker']}: {said}")
        rows = [
            [row["version"], row["outcome"], row["replayed_at"][:19].replace("T", " "), "; ".join(row["faults"])]
            for row in found["versions"]
            if row["outcome"] != "reproduced"
        ]
        if rows:
            show_table("", ["version", "outcome", "replayed", "what differs"], rows)
    return 1 if counts["differs"] else 0
