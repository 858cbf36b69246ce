"""The demonstration tells the truth, and notices when it would not."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from troth.doors.cli.demo import story
from troth.doors.cli.demo.tell import Narrator, tell
from troth.errors import StoryBroken
from troth.sdk import Client


def test_the_story_holds() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "troth", "demo", "--json"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["held"] is True
    assert all(observation["held"] for observation in told["observations"])
    assert len({observation["chapter"] for observation in told["observations"]}) == 11
    words = json.dumps(told)
    for clause in (
        "ALG-01",
        "ALG-02",
        "ALG-04",
        "ALG-05",
        "ALG-07",
        "ALG-08",
        "ALG-09",
        "ALG-10",
        "ALG-13",
        "ALG-15",
        "ALG-18",
        "ALG-19",
        "ALG-21",
        "ALG-22",
    ):
        assert clause in words


def test_a_broken_observation_breaks_the_story(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first answer is falsified on its way to the story; nothing after it is told."""
    original = Client.call

    def falsified(self: Client, reference: str, given: object, **options: object) -> object:
        answer = original(self, reference, given, **options)  # type: ignore[arg-type]
        answer.receipt["version"] = "9.9.9"
        return answer

    monkeypatch.setattr(Client, "call", falsified)
    with pytest.raises(StoryBroken) as caught:
        tell(port=0, as_json=False)
    assert caught.value.exit_code == 1
    assert caught.value.found["version"] == "9.9.9"
    assert "NO" in capsys.readouterr().out


def test_the_narrator_holds_to_what_was_expected() -> None:
    narrator = Narrator(quiet=True)
    narrator.chapter("one")
    narrator.saw("this", 1, 1)
    narrator.saw("that", "abc", story.Holding("has b", lambda seen: "b" in seen))
    with pytest.raises(StoryBroken, match="not what the story says"):
        narrator.saw("another", "abc", story.Holding("has d", lambda seen: "d" in seen))
    assert [row["held"] for row in narrator.observations] == [True, True, False]
