"""What callers send becomes the author's types, or an error that names the place; the schema says the same."""

from __future__ import annotations

import base64
import importlib.util
import json
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.authoring.models import (
    Bound,
    Color,
    Digit,
    Frozen,
    Item,
    Level,
    Loose,
    Mode,
    Name,
    Node,
    Options,
    Pair,
    Point,
    Rows,
    Scored,
    Share,
    Tree,
    UserId,
)
from troth.authoring import InputError, Unsupported, convert, plain, schema_of

#: as authors wrote it for years
_OLD_OPTIONAL: Any = Optional[int]  # noqa: UP045
_OLD_UNION: Any = Union[int, str, None]  # noqa: UP007

_GOOD: list[tuple[Any, Any, Any]] = [
    (None, None, None),
    (bool, True, True),
    (int, 5, 5),
    (int, 5.0, 5),
    (int, -(2**70), -(2**70)),
    (float, 5, 5.0),
    (float, 0.25, 0.25),
    (str, "", ""),
    (bytes, b"\0\1", b"\0\1"),
    (bytes, "AAE=", b"\0\1"),
    (bytes, "", b""),
    (Any, {"a": [1, None]}, {"a": [1, None]}),
    (object, [1], [1]),
    (list, [1, "a"], [1, "a"]),
    (list[int], [], []),
    (list[list[int]], [[1], [2.0]], [[1], [2]]),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
    (dict[Any, int], {"a": 1}, {"a": 1}),
    (Rows, [{"a": 1}], [{"a": 1}]),
    (tuple, [1, "a"], (1, "a")),
    (tuple[()], [], ()),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
    (set[str], ["b", "a"], {"a", "b"}),
    (frozenset[int], [1], frozenset([1])),
    (set[Frozen], [{"key": "a"}], {Frozen("a")}),
    (_OLD_OPTIONAL, None, None),
    (_OLD_OPTIONAL, 3, 3),
    (int | str, "a", "a"),
    (_OLD_UNION, None, None),
    (int | float, 1.5, 1.5),
    (Point | list[int], [1], [1]),
    (Mode, "slow", "slow"),
    (Mode, True, True),
    (Mode, 1.0, 1),
    (Mode, None, None),
    (Literal[Color.RED], "red", Color.RED),
    (Color, "green", Color.GREEN),
    (Color, None, Color.NONE),
    (Level, 2, Level.HIGH),
    (dict[str, Level], {"a": 1}, {"a": Level.LOW}),
    (Share, 1, 1.0),
    (Digit, 9, 9),
    (Name, "abc", "abc"),
    (Annotated[list[int] | None, Bound(min_length=1)], None, None),
    (Annotated[dict[str, int], Bound(max_length=1)], {"a": 1}, {"a": 1}),
    (Annotated[bytes, Bound(min_length=2)], "AAE=", b"\0\1"),
    (Annotated[str, "only words"], "a", "a"),
    (Point, {"x": 1}, Point(1, 0.5)),
    (Point, {"y": 2, "x": 1}, Point(1, 2.0)),
    (Tree, {"name": "a", "children": [{"name": "b"}]}, Tree("a", [Tree("b")])),
    (Scored, {"score": 60}, Scored(60)),
    (Options, {"name": "a"}, {"name": "a"}),
    (Options, {"name": "a", "size": 2}, {"name": "a", "size": 2}),
    (Loose, {"name": "a"}, {"name": "a"}),
    (Pair, ["a"], Pair("a", 7)),
    (Pair, ["a", 1], Pair("a", 1)),
    (Node, [1, [2]], Node(1, Node(2))),
    (UserId, 4, 4),
    (Item, {"name": "a", "parts": [{"name": "b"}]}, Item("a", 0.0, [Item("b")])),
    (list[Item], [{"name": "a"}], [Item("a")]),
]

_BAD: list[tuple[Any, Any, str]] = [
    (None, 0, "the input: expected null, got 0"),
    (bool, 1, "the input: expected true or false, got 1"),
    (int, "x" * 1000, 'the input: expected an integer, got "' + "x" * 59 + "..."),
    (int, True, "the input: expected an integer, got true"),
    (int, "5", 'the input: expected an integer, got "5"'),
    (int, 5.5, "the input: expected an integer, got 5.5"),
    (int, None, "the input: expected an integer, got null"),
    (float, False, "the input: expected a number, got false"),
    (float, 10**400, "the input: expected a number that a float can hold, got 1000"),
    (str, 1, "the input: expected a string, got 1"),
    (str, b"a", "the input: expected a string, got binary data"),
    (bytes, "AAE", 'the input: expected binary data, in JSON as base64, got "AAE"'),
    (bytes, "ä", 'the input: expected binary data, in JSON as base64, got "ä"'),
    (bytes, 1, "the input: expected binary data, in JSON as base64, got 1"),
    (list, {"a": 1}, "the input: expected an array, got an object with 1 keys"),
    (list[int], [1, "a"], 'the input at /1: expected an integer, got "a"'),
    (dict[str, int], {"a/b~c": None}, "the input at /a~1b~0c: expected an integer, got null"),
    (dict, [1], "the input: expected an object, got an array of 1"),
    (list[dict[str, Point]], [{"k": {"x": "1"}}], 'the input at /0/k/x: expected an integer, got "1"'),
    (tuple[int, str], [1], "the input: expected an array of 2, got an array of 1"),
    (tuple[int, str], [1, 2], "the input at /1: expected a string, got 2"),
    (tuple[int, ...], [1, None], "the input at /1: expected an integer, got null"),
    (set[int], [1, 1.0], "the input: expected an array of different items, got one of them twice"),
    (set, [[1]], "the input: expected an array of values without parts, got an array of 1"),
    (_OLD_OPTIONAL, "a", 'the input: expected an integer, got "a"'),
    (int | str, [1], "the input: expected an integer or a string, got an array of 1"),
    (Mode, "medium", 'the input: expected one of "fast", "slow", 1, true, null, got "medium"'),
    (Mode, False, 'the input: expected one of "fast", "slow", 1, true, null, got false'),
    (Literal[0], False, "the input: expected one of 0, got false"),
    (Literal["a"], ["a"], 'the input: expected one of "a", got an array of 1'),
    (Color, "RED", 'the input: expected one of "red", "green", null, got "RED"'),
    (Level, True, "the input: expected one of 1, 2, got true"),
    (Share, 1.5, "the input: expected a number of at most 1, got 1.5"),
    (Digit, -1, "the input: expected a number of at least 0, got -1"),
    (Annotated[int, Bound(gt=0)], 0, "the input: expected a number above 0, got 0"),
    (Annotated[int, Bound(lt=0)], 0, "the input: expected a number below 0, got 0"),
    (Name, "", "the input: expected a length of at least 1, got a length of 0"),
    (Name, "abcd", "the input: expected a length of at most 3, got a length of 4"),
    (Name, 5, "the input: expected a string, got 5"),
    (Annotated[bytes, Bound(min_length=3)], "AAE=", "the input: expected a length of at least 3, got a length of 2"),
    (Point, [1], "the input: expected an object (Point), got an array of 1"),
    (Point, {}, "the input at /x: expected an integer, got nothing: this key is required"),
    (Point, {"x": 1, "z": 2}, "the input at /z: expected no such key, got 2: known are x, y"),
    (Tree, {"name": "a", "children": [{}]}, "the input at /children/0/name: expected a string, got nothing"),
    (Scored, {"score": 1, "label": "a"}, 'the input at /label: expected no such key, got "a": known are score'),
    (Scored, {"score": 101}, "the input: expected an object (Scored): a score is at most 100"),
    (list[Scored], [{"score": 101}], "the input at /0: expected an object (Scored): a score is at most 100"),
    (Options, {"size": 1}, "the input at /name: expected a string, got nothing: this key is required"),
    (Options, {"name": "a", "other": 1}, "the input at /other: expected no such key, got 1: known are name, size"),
    (Loose, {"size": 1}, "the input at /name: expected a string, got nothing: this key is required"),
    (Pair, {"first": "a"}, "the input: expected an array (Pair) of 1 to 2, got an object with 1 keys"),
    (Pair, ["a", "b"], 'the input at /1: expected an integer, got "b"'),
    (Node, [1, [2, 3]], "the input at /1/1: expected an array (Node) of 1 to 2, got 3"),
    (Item, {"name": "a", "parts": [{"name": 1}]}, "the input at /parts/0/name: Expected `str`, got `int`"),
    (list[Item], [{}], "the input at /0: Object missing required field `name`"),
]


@pytest.mark.parametrize(("kind", "sent", "expected"), _GOOD)
def test_what_is_accepted(kind: Any, sent: Any, expected: Any) -> None:
    found = convert(sent, kind)
    assert found == expected
    assert type(found) is type(expected)
    if not isinstance(sent, bytes):
        _validator(kind).validate(sent)


@pytest.mark.parametrize(("kind", "sent", "words"), _BAD)
def test_what_is_refused(kind: Any, sent: Any, words: str) -> None:
    with pytest.raises(InputError) as found:
        convert(sent, kind)
    assert str(found.value).startswith(words)
    assert found.value.error_type == "InputError"


#: What JSON Schema cannot say: of base64 text, of numbers beyond a float, of the author's own code.
_UNSAID = ("binary data", "that a float can hold", "a length of at least 3", "a score is at most")


@pytest.mark.parametrize(
    ("kind", "sent", "words"), [case for case in _BAD if not any(part in case[2] for part in _UNSAID)]
)
def test_what_is_refused_is_not_valid_either(kind: Any, sent: Any, words: str) -> None:
    if not (kind is set or isinstance(sent, bytes)):
        assert not _validator(kind).is_valid(sent), schema_of(kind)


def _validator(kind: Any) -> Draft202012Validator:
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(json.loads(json.dumps(schema)))


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, 2.0]) | st.sampled_from("abxy"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "name", "children"]), inner),
    max_leaves=8,
)
_KINDS: list[Any] = [
    int | None,
    list[int | str],
    dict[str, list[float]],
    tuple[int, str | None],
    set[str],
    Mode,
    Level,
    Point,
    list[Point],
    Tree,
    Options | Point,
    Pair,
    Node,
    Annotated[list[Share], Bound(min_length=1, max_length=2)],
    Annotated[int | str | list[int], Bound(ge=0, min_length=1)],
]


@pytest.mark.parametrize(("kind", "validator"), [(kind, _validator(kind)) for kind in _KINDS], ids=map(str, _KINDS))
@given(value=_values)
def test_the_schema_says_what_is_accepted(kind: Any, validator: Draft202012Validator, value: Any) -> None:
    try:
        convert(value, kind)
    except InputError:
        assert not validator.is_valid(value)
    else:
        assert validator.is_valid(value)


_TEXT = st.text(max_size=5)
_TREES: st.SearchStrategy[Any] = st.deferred(
    lambda: st.fixed_dictionaries({"name": _TEXT, "children": st.lists(_TREES, max_size=2)})
)
_ROUND: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (list[int], st.lists(st.integers())),
    (dict[str, bool | None], st.dictionaries(_TEXT, st.none() | st.booleans())),
    (tuple[str, float], st.tuples(_TEXT, st.floats(allow_nan=False)).map(list)),
    (set[int], st.sets(st.integers()).map(sorted)),
    (Point, st.fixed_dictionaries({"x": st.integers(), "y": st.floats(allow_nan=False)})),
    (Tree, _TREES),
    (Options, st.fixed_dictionaries({"name": _TEXT}, optional={"size": st.integers()})),
    (Pair, st.tuples(_TEXT, st.integers()).map(list)),
    (Color, st.sampled_from(["red", "green", None])),
    (list[bytes], st.lists(st.binary().map(lambda data: base64.b64encode(data).decode()))),
    (Item, st.fixed_dictionaries({"name": _TEXT, "price": st.floats(allow_nan=False), "parts": st.just([])})),
]


@pytest.mark.parametrize(("kind", "sent"), _ROUND, ids=[str(kind) for kind, _ in _ROUND])
@given(data=st.data())
def test_what_was_converted_becomes_plain_again(kind: Any, sent: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(sent)
    assert plain(convert(value, kind)) == value


def test_results_become_plain() -> None:
    result = {
        "point": Point(1),
        "scored": [Scored(60)],
        "pair": Pair("a"),
        "colors": {Color.RED, Color.GREEN},
        Color.RED: Level.HIGH,
        "bytes": bytearray(b"\0\1"),
        "mixed": frozenset([1, "a"]),
        "item": Item("a"),
        7: None,
    }
    assert plain(result) == {
        "point": {"x": 1, "y": 0.5},
        "scored": [{"score": 60, "label": "good"}],
        "pair": ["a", 7],
        "colors": ["green", "red"],
        "red": 2,
        "bytes": "AAE=",
        "mixed": sorted([1, "a"], key=repr),
        "item": {"name": "a", "price": 0.0, "parts": []},
        7: None,
    }
    assert plain(b"\0") == b"\0"
    assert type(plain(Level.HIGH)) is int
    unknown = object()
    assert plain(unknown) is unknown


class TestSchemas:
    def test_named_types_stand_once(self) -> None:
        schema = schema_of(dict[str, Point] | tuple[Point, Tree])
        assert list(schema["$defs"]) == ["Point", "Tree"]
        assert schema["$defs"]["Tree"]["properties"]["children"] == {
            "type": "array",
            "items": {"$ref": "#/$defs/Tree"},
        }

    def test_two_types_of_one_name(self) -> None:
        other: Any = TypedDict("Point", {"z": str})  # type: ignore[name-match]
        schema = schema_of(tuple[Point, other])
        assert [item["$ref"] for item in schema["prefixItems"]] == ["#/$defs/Point", "#/$defs/Point2"]
        assert list(schema["$defs"]["Point2"]["properties"]) == ["z"]

    def test_a_result_has_what_an_input_may_leave_out(self) -> None:
        assert schema_of(Point)["$defs"]["Point"]["required"] == ["x"]
        assert schema_of(Point, result=True)["$defs"]["Point"]["required"] == ["x", "y"]
        assert schema_of(Scored, result=True)["$defs"]["Scored"]["required"] == ["score", "label"]
        assert schema_of(Options, result=True)["$defs"]["Options"]["required"] == ["name"]
        assert schema_of(Pair, result=True)["$defs"]["Pair"]["minItems"] == 2

    def test_bounds(self) -> None:
        assert _without_dialect(Share) == {"type": "number", "minimum": 0, "maximum": 1}
        assert _without_dialect(Name) == {"type": "string", "minLength": 1, "maxLength": 3}
        twice = Annotated[int, Bound(ge=0), Bound(ge=2)]
        assert _without_dialect(twice) == {"allOf": [{"type": "integer", "minimum": 0}], "minimum": 2}

    def test_of_msgspec(self) -> None:
        schema = schema_of(list[Item])
        assert schema["items"] == {"$ref": "#/$defs/Item"}
        assert schema["$defs"]["Item"]["properties"]["parts"]["items"] == {"$ref": "#/$defs/Item"}

    def test_libraries_types_do_not_take_each_others_names(self) -> None:
        """Two Structs whose parts have one name, and are the same or are not."""

        def struct(name: str, part: type) -> Any:
            return msgspec.defstruct(name, [("part", part)])

        part, other = msgspec.defstruct("Part", [("a", int)]), msgspec.defstruct("Part", [("b", str)])
        schema = schema_of(tuple[struct("One", part), struct("Two", part), struct("Three", other), Point])  # type: ignore[misc]
        assert sorted(schema["$defs"]) == ["One", "Part", "Part2", "Point", "Three", "Two"]
        assert schema["$defs"]["Three"]["properties"]["part"] == {"$ref": "#/$defs/Part2"}
        assert schema["$defs"]["Two"]["properties"]["part"] == {"$ref": "#/$defs/Part"}
        assert "b" in schema["$defs"]["Part2"]["properties"]


def _without_dialect(kind: Any) -> dict[str, Any]:
    schema = schema_of(kind)
    assert schema.pop("$schema") == "https://json-schema.org/draft/2020-12/schema"
    return schema


_UNSUPPORTED: list[tuple[Any, str]] = [
    (complex, "complex is not a type that JSON can be read as"),
    (dict[int, str], "the keys of a JSON object are strings, not int"),
    (list[memoryview], "memoryview is not"),
    (Literal[b"a"], "b'a' cannot be one of the values of typing.Literal"),
    (list["Nowhere"], "Nowhere is not a type that JSON can be read as"),  # type: ignore[name-defined]  # noqa: F821
]


@pytest.mark.parametrize(("kind", "words"), _UNSUPPORTED)
def test_types_that_cannot_be_read(kind: Any, words: str) -> None:
    with pytest.raises(Unsupported) as found:
        convert(None, kind)
    assert words in str(found.value)


def test_an_input_that_is_nested_too_deeply() -> None:
    deep: Any = {"name": "leaf"}
    for _ in range(900):
        deep = {"name": "a", "children": [deep]}
    with pytest.raises(InputError, match="expected fewer levels"):
        convert(deep, Tree)


class _Model:
    """What pydantic's classes have."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def model_validate(cls, value: Any) -> _Model:
        if not isinstance(value, dict) or "name" not in value:
            raise _Invalid
        return cls(value["name"])

    @classmethod
    def model_json_schema(cls, mode: str) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {"part": {"$ref": "#/$defs/Part"}},
            "title": mode,
            "$defs": {"Part": {}},
        }

    def model_dump(self, mode: str) -> dict[str, Any]:
        return {"name": self.name, "mode": mode}


class _Invalid(ValueError):
    def errors(self) -> list[dict[str, Any]]:
        return [{"loc": ("parts", 0, "name"), "msg": "Field required", "input": {}}]


def test_models_like_pydantics() -> None:
    found = convert([{"name": "a"}], list[_Model])
    assert plain(found) == [{"name": "a", "mode": "json"}]
    with pytest.raises(InputError) as error:
        convert([{}], list[_Model])
    assert str(error.value) == "the input at /0/parts/0/name: Field required, got an object with 0 keys"
    schema = schema_of(_Model, result=True)
    assert schema["$ref"] == "#/$defs/_Model"
    assert schema["$defs"]["_Model"]["title"] == "serialization"
    assert schema["$defs"]["Part"] == {}


if importlib.util.find_spec("pydantic"):  # of the set for measuring; no dependency of troth's

    def test_pydantic_itself() -> None:
        pydantic = importlib.import_module("pydantic")
        part = pydantic.create_model("Part", size=(Annotated[int, pydantic.Field(ge=0)], ...))
        whole = pydantic.create_model("Whole", parts=(list[part], ...), name=(str, "none"))  # type: ignore[valid-type]
        found = convert({"parts": [{"size": 1}]}, whole)
        assert plain([found]) == [{"parts": [{"size": 1}], "name": "none"}]
        with pytest.raises(InputError, match=r"^the input at /1/parts/0/size: .* greater than or equal to 0, got -1$"):
            convert([{"parts": []}, {"parts": [{"size": -1}]}], list[whole])  # type: ignore[valid-type]
        schema = schema_of(tuple[whole, Point])  # type: ignore[valid-type]
        assert sorted(schema["$defs"]) == ["Part", "Point", "Whole"]
        Draft202012Validator(schema).validate([{"parts": [{"size": 1}]}, {"x": 1}])
        assert convert(5, Annotated[int, pydantic.Field(ge=5)]) == 5
        with pytest.raises(InputError):
            convert(4, Annotated[int, pydantic.Field(ge=5)])
