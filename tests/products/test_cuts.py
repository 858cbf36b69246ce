"""Who reads releases before they are recorded: threads of their own, and one release of an account at a time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.products.conftest import Shop
from troth.commands.cuts import Cuts
from troth.commands.cutting import CutRelease, Staged
from troth.commands.formats import Payload

SECONDS = 60.0


def test_an_account_has_its_turn_and_others_are_not_kept() -> None:
    cuts, free = Cuts(), threading.Event()
    begun: list[str] = []

    def held(payload: Payload) -> str:
        begun.append(payload["name"])
        assert free.wait(SECONDS)
        return str(payload["name"])

    async def main() -> list[str]:
        first = asyncio.create_task(cuts.run("ada", held, {"name": "first"}))
        while not begun:
            await asyncio.sleep(0)
        left = asyncio.create_task(cuts.run("ada", held, {"name": "second"}))
        assert await cuts.run("sam", lambda payload: "other", {}) == "other"
        first.cancel()  # who leaves keeps the turn as long as the work goes on
        assert await cuts.run("sam", lambda payload: "another", {}) == "another"
        assert begun == ["first"]
        free.set()
        return [await asyncio.wait_for(left, SECONDS)]

    try:
        assert asyncio.run(main()) == ["second"]
    finally:
        free.set()
        cuts.close()


def test_what_fails_ends_its_turn() -> None:
    cuts = Cuts()

    def fails(payload: Payload) -> None:
        raise ValueError("no")

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await asyncio.wait_for(cuts.run("ada", fails, {}), SECONDS)

    asyncio.run(main())
    cuts.close()


def test_releases_are_not_read_by_the_threads_that_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    staged = CutRelease._staged

    def watched(self: CutRelease, payload: Payload) -> Staged:
        names.append(threading.current_thread().name)
        return staged(self, payload)

    monkeypatch.setattr(CutRelease, "_staged", watched)
    assert shop.cut()[0] == 0
    assert [name.partition("_")[0] for name in names] == ["cuts"]
