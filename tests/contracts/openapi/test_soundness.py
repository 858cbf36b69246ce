"""Schemas that are taken apart are judged as they are in one piece: no part-by-part "compatible" is refuted by the whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from troth.contracts.changes import Answer, concluded
from troth.contracts.openapi.document import Document
from troth.contracts.openapi.flow import CALLED, Flow
from troth.contracts.openapi.model import Media
from troth.contracts.openapi.places import PLAIN
from troth.contracts.openapi.schema_comparison import Comparing
from troth.contracts.schema import Answer as Proved

NAMES = ("a", "b")
PARTS = ("P", "Q")

plain = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer"},
        {"type": ["integer", "string"]},
        {"type": "string", "maxLength": 3},
        {"enum": ["x", "y"]},
        {"const": "x"},
        {},
        {"$ref": "#/components/schemas/P"},
        {"$ref": "#/components/schemas/Q"},
    ]
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from(NAMES), inner, min_size=1)},
        optional={
            "required": st.lists(st.sampled_from(NAMES), unique=True),
            "additionalProperties": st.one_of(st.booleans(), plain),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 2),
            "patternProperties": st.fixed_dictionaries({"^b": plain}),
        },
    )


def composed(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        objects(inner),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"oneOf": several}, optional={"type": st.just("object")}),
        st.fixed_dictionaries({"anyOf": several}),
        st.fixed_dictionaries({"allOf": several}, optional={"unevaluatedProperties": st.just(False)}),
    )


schemas = st.recursive(plain, composed, max_leaves=5)
components = st.fixed_dictionaries({"P": objects(plain), "Q": objects(st.just({"type": "string"}))})


@given(schemas, schemas, components, components, st.sampled_from([CALLED.request, CALLED.response]))
@settings(max_examples=250, deadline=None, derandomize=True)
def test_no_part_by_part_yes_is_refuted_by_the_whole(old: Any, new: Any, before: Any, after: Any, flow: Flow) -> None:
    first, second = (Document({"components": {"schemas": one}}, "3.1") for one in (before, after))
    comparing = Comparing(first, second)
    media = Media(old, ""), Media(new, "")
    changes = list(comparing.changes(*media, flow, ""))
    if concluded(change for change in changes if change.rule not in PLAIN).answer is Answer.COMPATIBLE:
        wholes = comparing.whole(media[0], flow, newer=False), comparing.whole(media[1], flow, newer=True)
        if wholes[0].digest != wholes[1].digest:
            answer, witness = comparing.answer(*wholes, flow)
            assert answer is not Proved.NO, witness
