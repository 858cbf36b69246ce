"""The admission of calls that algorithms make: what holds for them beside what holds for every call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from troth.calls.within import CallKeys
from troth.doors.algorithmia.answers import CallError

if TYPE_CHECKING:
    from troth.calls.routing import Caller
    from troth.doors.algorithmia.exchange import Exchange

#: Calls that may be under way within one outermost call, beside each other or each in the one before (algorithmia-api, 16.4).
MOST = 24


def admit_within(exchange: Exchange, keys: CallKeys) -> Caller:
    """The caller of a call that an algorithm makes, which gets its parent's id, time and end.

    Raises CallError where the key is no good any more, the algorithm may not call others, or too many calls are under way;
    and NotYet.
    """
    found = keys.find(exchange.authorization, exchange.peer)
    if found is None:
        raise CallError("authorization required: the call that this key was made for has ended")
    origin, tree = found.origin, found.call.family()
    if origin.route is None or not origin.route.pipeline_enabled:
        raise CallError(f"algo://{origin.subject} may not call algorithms: its version has pipeline_enabled = false")
    if tree.under_way >= MOST:
        raise CallError(
            f"algo://{origin.subject} may not make this call: {MOST} calls are under way within the outermost one, beside"
            " each other or each in the one before, and no more are allowed"
        )
    left = found.call.since - asyncio.get_running_loop().time()
    if left <= 0:
        raise CallError("the time of the call in which this one is made is over", "TimeoutError")
    if exchange.parent is None:
        tree.made += 1
        exchange.request_id = f"{origin.request_id.partition('.')[0]}.{tree.made}"
    exchange.parent = found.call
    if exchange.options.seconds > left:
        exchange.options = replace(exchange.options, seconds=left)
    return found.caller
