"""A verdict in words: every form says what broke, where, with what, and which number is right."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from troth.contracts.rendering import as_html as page_of_pair
from troth.versions.candidate import Candidate
from troth.versions.evidence import Difference, Evidence, Judged
from troth.versions.history import History, Published, Readings
from troth.versions.numbers import Bump, Number
from troth.versions.pages import SECURITY_POLICY
from troth.versions.permissions import Permissions
from troth.versions.policy import judge, least_number
from troth.versions.rendering import as_annotations, as_html, as_markdown, as_text, differences
from troth.versions.verdict import Outcome, Verdict

OPEN = Permissions("public")
HISTORY = History(tuple(Published(Number(1, minor, 0), OPEN, "a" * 40) for minor in (0, 1)))
GONE = Difference(
    "input-property-refused", "input.lang", "lang", None, "lang is gone", Bump.MAJOR,
    witness=({"lang": "<b>|%\n"},), repair="accept input.lang again",
)  # fmt: skip
NEW = Difference("input-property-added", "input.mode", None, "mode", "mode is new", Bump.MINOR)
UNCLEAR = Difference("input-schema-undecided", "input", {}, {}, "nobody can tell", Bump.MAJOR, undecided=True)


def verdict(number: Number, *found: Difference, readings: Readings = Readings()) -> Verdict:
    evidence = {version.number: Evidence(version.number, found) for version in HISTORY.versions}
    return judge(Candidate(number, OPEN, Judged(evidence, "described")), HISTORY, readings)


def told(number: Number, *found: Difference) -> dict[str, Any]:
    return verdict(number, *found).as_dict()


def test_text_says_what_broke_where_and_what_is_right() -> None:
    text = as_text(told(Number(1, 2, 0), GONE))
    for part in ("1.2.0 is refused", "ALG-05", "ALG-07", "input.lang", "was  \"lang\"", "is   (nothing)", "e.g. ", "1.0.0, 1.1.0",
                 "accept input.lang again", "or publish as 2.0.0", "interface described, behaviour not checked"):  # fmt: skip
        assert part in text


def test_each_difference_is_shown_once_with_all_versions() -> None:
    assert sum("input.lang" in line for line in differences(told(Number(1, 2, 0), GONE))) == 1


def test_an_allowed_version_says_what_is_new() -> None:
    text = as_text(told(Number(1, 2, 0), NEW))
    assert "1.2.0 is allowed" in text
    assert "beside 1.1.0: input.mode: mode is new  (input-property-added, minor)" in text


def test_markdown_is_a_table_that_strangers_cannot_break() -> None:
    text = as_markdown(told(Number(1, 2, 0), GONE))
    assert text.startswith("### 1.2.0 is refused\n")
    rows = [line for line in text.splitlines() if line.startswith("| `input.lang`")]
    assert len(rows) == 1
    assert rows[0].count("|") == 7
    assert "<b>" not in text


class Tags(HTMLParser):
    """The elements of a page, and the text of its style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.style = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("meta", "html"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "html":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data


HOSTILE = "</style></title><script>alert(1)</script><img src=x onerror='a'>\"&|`"


@given(text=st.text(max_size=40) | st.just(HOSTILE))
@example(text=HOSTILE)
def test_a_page_is_made_of_our_elements_alone(text: str) -> None:
    """Whatever strangers wrote: no element, attribute or style of theirs."""
    found = Difference("rule", text, {text: text}, text, text, Bump.MAJOR, witness=(text,), repair=text)
    pages = [as_html(told(Number(1, 2, 0), found))]
    change = {
        "level": "breaking",
        "path": text,
        "rule": text,
        "old": text,
        "new": [text],
        "words": text,
        "witness": text,
    }
    pages.append(page_of_pair("schema", {"verdict": "breaking", "changes": [change], "fault": text}))
    for page in pages:
        tags = Tags(page)
        assert tags.open == []
        assert tags.names <= {"html", "meta", "title", "style", "main", "h1", "h2", "p", "ul", "li", "strong", "span", "code",
                              "div", "table", "thead", "tbody", "tr", "th", "td"}  # fmt: skip
        assert tags.attributes <= {"lang", "charset", "name", "content", "http-equiv", "class"}
        digest = base64.b64encode(hashlib.sha256(tags.style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in SECURITY_POLICY


def test_a_page_says_what_text_says() -> None:
    page = as_html(told(Number(1, 2, 0), GONE))
    for part in ("1.2.0 is refused", "ALG-05", "ALG-07", "input.lang", "lang is gone", "&lt;b&gt;", "1.0.0, 1.1.0",
                 "accept input.lang again", "or publish as 2.0.0", "interface described, behaviour not checked"):  # fmt: skip
        assert part in page
    assert "input.mode: mode is new" in as_html(told(Number(1, 2, 0), NEW))


def test_annotations_are_commands_of_one_line() -> None:
    lines = as_annotations(told(Number(1, 2, 0), GONE), "a,b:c.toml").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::error"]
    assert lines[0].startswith("::error file=a%2Cb%3Ac.toml,title=ALG-05%3A 1.2.0 is refused::")
    assert as_annotations(told(Number(1, 2, 0), NEW)) == ""


def test_a_warning_is_said_and_refuses_nothing() -> None:
    found = verdict(Number(1, 2, 0), GONE, readings=Readings(compatibility="warn"))
    assert (found.outcome, found.findings) == (Outcome.ALLOWED, ())
    assert [finding.clause for finding in found.warnings] == ["ALG-05", "ALG-07"]
    assert as_annotations(found.as_dict()).startswith("::warning ")
    assert "accept" in as_text(found.as_dict())


def test_a_warning_softens_nothing_else() -> None:
    private = Candidate(Number(1, 2, 0), Permissions("private"), Judged({}))
    assert judge(private, HISTORY, Readings(compatibility="warn")).outcome is Outcome.REFUSED


def test_what_cannot_be_told_is_no_break_and_no_yes() -> None:
    found = verdict(Number(1, 2, 0), UNCLEAR)
    assert (found.outcome, found.clauses, found.least) == (Outcome.REFUSED, ("ALG-07",), Number(2, 0, 0))
    assert verdict(Number(1, 1, 1), UNCLEAR).clauses == ("ALG-09",)


def test_the_lowest_number_is_one_that_passes() -> None:
    for found, least in (((), Number(1, 1, 1)), ((NEW,), Number(1, 2, 0)), ((NEW, GONE), Number(2, 0, 0))):
        evidence = {version.number: Evidence(version.number, found) for version in HISTORY.versions}
        candidate = Candidate(Number(1, 1, 0), OPEN, Judged(evidence))
        assert least_number(candidate, HISTORY) == least
    assert least_number(Candidate(Number(0, 0, 0), OPEN), History()) == Number(0, 1, 0)
