"""What a call to a deprecated major line of an algorithm takes longer than one to the current line."""

from __future__ import annotations

from dataclasses import replace

from bench.gateway import paired
from bench.section import Findings, Options
from bench.servers import ONE_WORKER, OWNER, EchoServer, published, troth_server, write_project
from bench.table import Table, rounds_of

_NAME = "lined"


def measure(options: Options) -> Findings:
    """Processor time of each. Raises LoadFailed."""
    wrong: list[int] = []
    return Findings([_line(options, wrong)], sum(wrong))


def _line(options: Options, wrong: list[int]) -> Table:
    """The same build under two numbers of one algorithm, answered by the same worker of one server."""
    with troth_server(ONE_WORKER) as server, server.client() as client:
        project = write_project(server.folder, _NAME)
        build, subject = client.compile(project)["hash"], f"{OWNER}/{_NAME}"
        for _ in range(2):
            client.publish(subject, build, bump="major", visibility="public")
        client.command("set_line_notice", algorithm=subject, days=90)
        assert [row["state"] for row in client.lines(subject)["lines"]] == ["deprecated", "current"]
        echo = published(server, "echo")
        deprecated, current = (_under(echo, f"{subject}/{number}") for number in ("1.0.0", "2.0.0"))
        rows = paired(options, "line", {"current": current, "deprecated": deprecated}, wrong)
    note = (
        "Echo of 100 bytes of JSON, by complete numbers of one build: four more headers a reply of the deprecated line."
    )
    return Table(
        "Lines on calls of algorithms: µs of the server's processor time",
        ["what", *rounds_of(options.rounds), "target below", ""],
        rows,
        note,
    )


def _under(server: EchoServer, reference: str) -> EchoServer:
    return replace(server, target=replace(server.target, path=f"/v1/algo/{reference}"))
