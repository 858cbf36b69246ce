"""Random histories of algorithms, references to them, and callers."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from troth.versions.candidate import Candidate
from troth.versions.history import BuildStatus, Built, History, Published
from troth.versions.numbers import ZERO, Bump, Number
from troth.versions.permissions import Permissions
from troth.versions.policy import judge
from troth.versions.verdict import Outcome

Attempt: TypeAlias = Candidate | tuple[Bump, Permissions]

visibilities = st.sampled_from(["public", "private"])
permission_sets = st.builds(
    Permissions,
    visibility=visibilities,
    network_access=st.sampled_from(["isolated", "full"]),
    pipeline_enabled=st.booleans(),
)
small = st.integers(0, 3)
numbers = st.builds(Number, small, small, small)
hashes = st.integers(0, 5).map(lambda n: f"{n:040x}")
candidates = st.builds(Candidate, numbers, permission_sets, confirmed=st.just(True))

#: What is tried one after the other; only what the policy allows becomes history.
attempts = st.lists(
    st.one_of(candidates, st.tuples(st.sampled_from(list(Bump)), permission_sets)), min_size=1, max_size=25
)

#: Histories that no policy has seen, as imported data might be, with versions that lie behind a deletion of their algorithm.
wild_histories = st.builds(
    lambda published, built: History(
        tuple({version.number: version for version in published}.values()),
        tuple({build.hash: build for build in built}.values()),
    ),
    st.lists(st.builds(Published, numbers, permission_sets, hashes, st.booleans()), max_size=12),
    st.lists(st.builds(Built, hashes, st.sampled_from(list(BuildStatus))), max_size=4),
)

_texts = st.one_of(
    st.sampled_from(
        ["", "latest", "latestPrivate", "1", "x", "1.x", "1.2.x", "latestprivate", "*", "0.*.*", "01.0.0", "1.0.0-a"]
    ),
    numbers.map(str),
    st.builds("{}.{}".format, small, small),
    st.builds("{}.{}.*".format, small, small),
    st.builds("{}.*".format, small),
    hashes,
    hashes.map(str.upper),
    hashes.map(lambda text: text[:39]),
)
references = _texts.map(lambda text: f"util/echo/{text}" if text else "util/echo")


def lived(tries: list[Attempt]) -> list[History]:
    """The history after each attempt that the policy allowed, the empty one first."""
    stages = [History(builds=(Built("a" * 40, BuildStatus.SUCCEEDED),))]
    for attempt in tries:
        history = stages[-1]
        if not isinstance(attempt, Candidate):
            bump, permissions = attempt
            attempt = Candidate(max(history.numbers(), default=ZERO).raised(bump), permissions, confirmed=True)
        if judge(attempt, history).outcome is Outcome.ALLOWED:
            version = Published(attempt.number, attempt.permissions, "a" * 40)
            stages.append(History((*history.versions, version), history.builds))
    return stages
