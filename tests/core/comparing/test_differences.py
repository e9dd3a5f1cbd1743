"""What differs is told, from legacy to new, by place, field and kind; what is equal, or let pass by a rule, is not."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.captured import CapturedAnswer
from gateway.core.comparing.differences import MOST, OVERFLOW, Difference, differences, scalars
from gateway.core.comparing.rules import PLAIN
from gateway.core.comparing.values import ABSENT, pointer_text
from tests.core.comparing.answers import answer, as_json, as_soap, as_xml, document, rules


def found(legacy: CapturedAnswer, new: CapturedAnswer, **said: Any) -> list[tuple[str, str]]:
    """Each difference as its field and kind."""
    return [
        (pointer_text(each.field), each.kind)
        for each in differences(document(legacy), document(new), rules(**said).across)
    ]


def in_json(legacy: Any, new: Any, **said: Any) -> list[tuple[str, str]]:
    return found(as_json(legacy), as_json(new), **said)


def in_xml(legacy: str, new: str, **said: Any) -> list[tuple[str, str]]:
    return found(as_xml(legacy), as_xml(new), **said)


@pytest.mark.parametrize(
    ("legacy", "new"),
    [
        (b'{"a": 1, "b": [1, 2]}', b'{"b":[1,2],"a":1.0}'),
        (b'{"a": 1e2}', b'{"a": 100}'),
        (b'{"a": [{"b": true, "c": 1}]}', b'{"a": [{"c": 1.0, "b": true}]}'),
        (b'"\\u00eb"', '"ë"'.encode()),
        (b"[0.1, 12345678901234567890]", b"[1e-1, 12345678901234567890]"),
        (b"[0.5, 1]", b"[0.50000000000000000000, 1.000000000000000000]"),
    ],
)
def test_equal_json_has_no_differences(legacy: bytes, new: bytes) -> None:
    """Neither the order of members nor how a number or a letter is written means anything."""
    assert found(answer(legacy, "application/json"), answer(new, "application/json")) == []


@pytest.mark.parametrize(
    ("legacy", "new", "expected"),
    [
        ({"a": 1}, {}, [("/a", "missing")]),
        ({}, {"a": 1}, [("/a", "extra")]),
        ({"a": 1}, {"a": "1"}, [("/a", "type")]),
        ({"a": 1}, {"a": True}, [("/a", "type")]),
        ({"a": [1, 0]}, {"a": [True, False]}, [("/a/*", "type")]),
        ({"a": {"b": 1, "c": False}}, {"a": {"b": True, "c": False}}, [("/a/b", "type")]),
        ({"a": None}, {"a": ""}, [("/a", "type")]),
        ({"a": []}, {"a": {}}, [("/a", "type")]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("/a/b", "value")]),
        ({"a": {"b": 1}}, {"a": 2}, [("/a", "type")]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, [("/a/*", "missing")]),
        ({"a": [1, 2, 3]}, {"a": [3, 2, 1]}, [("/a", "value")]),
        ({"a": []}, {"a": [1]}, [("/a/*", "extra")]),
        ([[1], [2]], [[1], [3]], [("/*/*", "value")]),
        (1, 2, [("", "value")]),
        ({"a~/b": 1}, {"a~/b": 2}, [("/a~0~1b", "value")]),
        ({"12345678": {"x": 1}}, {"12345678": {"x": 2}}, [("/*/x", "value")]),
        ({"12345678": 1}, {"87654321": 1}, [("/*", "missing"), ("/*", "extra")]),
    ],
)
def test_differences_of_json(legacy: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """Missing, extra, type and value; list indices, and names that are data, are one field."""
    assert in_json(legacy, new) == expected


def test_long_numbers_differ_in_their_last_digit() -> None:
    """Where doubles would be equal, and beside a document whose numbers are short."""
    one, other = (answer(b'{"id": 1234567890123456789%d}' % digit, "application/json") for digit in (1, 2))
    assert found(one, other) == [("/id", "value")]
    assert found(answer(b"[0.1]", "application/json"), answer(b"[0.10000000000000001]", "application/json")) == [
        ("/*", "value")
    ]


def test_the_place_is_exact_and_the_values_are_there() -> None:
    """Where it is in the one that has it, and what both say, ABSENT where one says nothing."""
    legacy, new = {"a": [{"id": "x", "n": 1}, {"id": "y", "n": 1}]}, {"a": [{"id": "y", "n": 2}, {"id": "z", "n": 3}]}
    assert differences(document(as_json(legacy)), document(as_json(new)), PLAIN) == (
        Difference(("a", "*", "n"), ("a", "1", "n"), "value", 1, 2),
        Difference(("a", "*", "id"), ("a", "0", "id"), "value", "x", "z"),
    )
    assert differences(document(as_json([1, 2])), document(as_json([1])), PLAIN) == (
        Difference(("*",), ("1",), "missing", 2, ABSENT),
    )


def test_their_number_is_bounded() -> None:
    """A hundred fields, each with its first place, and then one for all the others."""
    legacy = {f"m{chr(97 + index // 26)}{chr(97 + index % 26)}": 1 for index in range(MOST + 5)}
    told = differences(document(as_json(legacy)), document(as_json({})), PLAIN)
    assert len(told) == MOST + 1
    assert (told[-1].field, told[-1].kind) == OVERFLOW


@pytest.mark.parametrize(
    ("legacy", "new", "expected"),
    [
        (answer(b""), as_json({}), [("", "extra")]),
        (as_json({}), answer(b""), [("", "missing")]),
        (as_json({}), answer(b"{", "application/json"), [("", "type")]),
        (answer(b"", status=204), answer(b""), []),
        (answer(b"one\r\n", "text/plain"), answer(b"one\n", "text/plain"), []),
        (answer(b"one", "text/plain"), answer(b"two", "text/plain"), [("", "value")]),
        (answer(b"%1", "image/png"), answer(b"%2", "image/png"), [("", "value")]),
        (as_soap("<a/>"), as_soap("<s:Fault><faultcode>s:Server</faultcode></s:Fault>"), [("", "type")]),
    ],
)
def test_documents_of_two_kinds_differ_as_a_whole(
    legacy: CapturedAnswer, new: CapturedAnswer, expected: list[tuple[str, str]]
) -> None:
    """Nothing beside something, JSON beside what claims to be JSON, an answer beside a fault."""
    assert found(legacy, new) == expected
    assert differences(document(legacy), document(new), PLAIN._replace(ignore=True)) == ()


@pytest.mark.parametrize(
    ("legacy", "new", "expected"),
    [
        ("<r><a>1</a><b/></r>", "<r> <a>1</a> <b></b> </r>", []),
        ("<r><a>1</a><b>2</b></r>", "<r><b>2</b><a>1</a></r>", [("/r/#order", "value")]),
        ("<r><a/><b/><a/></r>", "<r><a/><a/><b/></r>", [("/r/#order", "missing")]),
        ('<r b="1" a="2"/>', '<r a="2" b="1"/>', []),
        ('<r a="1"/>', '<r a="2"/>', [("/r/@a", "value")]),
        ('<r><x a="1">t</x></r>', "<r><x>t</x></r>", [("/r/x/@a", "missing")]),
        ("<r><x/></r>", "<r><x><y/></x></r>", [("/r/x/y", "extra")]),
        ("<r><x>t</x></r>", "<r><x><y/></x></r>", [("/r/x", "type")]),
        ("<r><x>1</x></r>", "<r><x>1</x><x>2</x></r>", [("/r/x", "extra")]),
        ("<r><x>1</x><x>2</x></r>", "<r><x>1</x><x>3</x></r>", [("/r/x", "value")]),
        ("<r><x><y>1</y></x><x><y>2</y></x></r>", "<r><x><y>1</y></x><x><y>3</y></x></r>", [("/r/x/y", "value")]),
        ('<r xmlns="urn:1"/>', '<r xmlns="urn:2"/>', [("/#namespaces/r", "value")]),
        ('<r xmlns="urn:1"/>', "<r/>", [("/#namespaces", "missing")]),
        ('<r xmlns="urn:1"><x/></r>', '<r xmlns="urn:1"/>', [("/r/x", "missing")]),
        ("<r/>", "<s/>", [("/r", "missing"), ("/s", "extra")]),
        ("<r>one <b>two</b></r>", "<r>one <b>three</b></r>", [("/r/#mixed/*/b", "value")]),
    ],
)
def test_differences_of_xml(legacy: str, new: str, expected: list[tuple[str, str]]) -> None:
    """One element beside several is no other type, and the order of elements counts, unlike that of members."""
    assert in_xml(legacy, new) == expected


def test_repeated_elements_have_a_place() -> None:
    """Counted from 1, as XPath does; for rules and counts they are one."""
    (told,) = differences(
        document(as_xml("<r><x>1</x><x>2</x></r>")), document(as_xml("<r><x>1</x><x>3</x></r>")), PLAIN
    )
    assert (told.at, told.field) == (("r", "x[2]"), ("r", "x"))


def test_nil_beside_several_is_another_type() -> None:
    """null for a list is one difference, and not also items that are missing."""
    nil = '<r xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><x i:nil="1"/></r>'
    assert in_xml("<r><x>1</x><x>2</x></r>", nil) == [("/r/x", "type")]


def test_soap_messages_are_compared_below_their_element() -> None:
    """By the same pointers as what a codec says."""
    assert found(as_soap("<a><x>1</x></a>"), as_soap("<a><x>2</x></a>")) == [("/x", "value")]
    assert found(as_soap("<a/>"), as_soap("<b/>")) == [("/#element", "value")]


ITEMS = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]


@pytest.mark.parametrize(
    ("said", "legacy", "new"),
    [
        ({"ignore": ["/a"]}, {"a": 1}, {"a": "x"}),
        ({"ignore": ["/a"]}, {"a": 1}, {}),
        ({"ignore": ["/a"]}, {}, {"a": 1}),
        ({"ignore": ["/a/*"]}, {"a": [1, 2]}, {"a": [1]}),
        ({"ignore": ["/*/at"]}, [{"at": 1, "b": 1}], [{"at": 2, "b": 1}]),
        ({"unordered": {"/a": ""}}, {"a": ITEMS}, {"a": ITEMS[::-1]}),
        ({"unordered": {"/a": "id"}}, {"a": ITEMS}, {"a": ITEMS[::-1]}),
        ({"unordered": {"/a": ""}}, {"a": [1, 2, 3]}, {"a": [3.0, 2, 1.0]}),
        (
            {"unordered": {"/a": ""}, "ignore": ["/a/*/id"]},
            {"a": ITEMS},
            {"a": [{"id": "a", "n": 2}, {"id": "b", "n": 1}]},
        ),
        ({"tolerance": {"/a": "0.005"}}, {"a": 1.0}, {"a": 1.004}),
        ({"tolerance": {"/a/*": "0.005"}, "unordered": {"/a": ""}}, {"a": [10.0, 2.0]}, {"a": [2.001, 10.001]}),
        ({"same_instant": ["/a"]}, {"a": "2026-01-01T00:00:00Z"}, {"a": "2026-01-01T01:00:00+01:00"}),
        ({"case": ["/a"]}, {"a": "Open"}, {"a": "OPEN"}),
        ({"absent_is_null": ["/a"]}, {"a": None}, {}),
        ({"absent_is_null": ["/a"]}, {}, {"a": None}),
        ({"map": {"/a": (("A", "1"), ("null", "none"), ("true", "Y"))}}, {"a": "A"}, {"a": "1"}),
        ({"map": {"/a": (("A", "1"), ("null", "none"), ("true", "Y"))}}, {"a": "A"}, {"a": 1}),
        ({"map": {"/a": (("A", "1"), ("null", "none"), ("true", "Y"))}}, {"a": None}, {"a": "none"}),
        ({"map": {"/a": (("A", "1"), ("null", "none"), ("true", "Y"))}}, {"a": True}, {"a": "Y"}),
        ({"map": {"/a": (("A", "1"), ("null", "none"), ("true", "Y"))}}, {"a": "other"}, {"a": "other"}),
        ({"map": {"/a/*": (("A", "1"),)}, "unordered": {"/a": ""}}, {"a": ["A", "B"]}, {"a": ["B", "1"]}),
    ],
)
def test_rules_let_pass(said: dict[str, Any], legacy: Any, new: Any) -> None:
    """What each rule is for, at its place; and it is that rule which does it."""
    assert in_json(legacy, new, **said) == []
    assert legacy == new or in_json(legacy, new) != []


@pytest.mark.parametrize(
    ("said", "legacy", "new", "expected"),
    [
        ({"unordered": {"/a": ""}}, {"a": [1, 1, 2]}, {"a": [1, 2, 2]}, [("/a/*", "value")]),
        ({"unordered": {"/a": ""}}, {"a": [1, 2, 3]}, {"a": [3, 2.0]}, [("/a/*", "missing")]),
        ({"unordered": {"/a": ""}}, {"a": [1, 0]}, {"a": [True, 1]}, [("/a/*", "type")]),
        ({"unordered": {"/a": "id"}}, {"a": ITEMS}, {"a": ITEMS[:1]}, [("/a/*", "missing")]),
        ({"tolerance": {"/a": "0.005"}}, {"a": 1.0}, {"a": 1.01}, [("/a", "value")]),
        ({"absent_is_null": ["/a"]}, {"a": 0}, {}, [("/a", "missing")]),
        ({"map": {"/a": (("A", "1"),)}}, {"a": "A"}, {"a": "A"}, [("/a", "value")]),
        ({"map": {"/a": (("A", "1"),)}}, {"a": "A"}, {"a": ["1"]}, [("/a", "value")]),
        ({"map": {"/a": (("A", "1"),)}}, {"a": {"b": 1}}, {"a": {"b": 1}}, []),
        ({"map": {"/a/*": (("A", "1"),)}}, {"a": ["A"], "b": 1}, {"a": ["A"], "b": 1}, [("/a/*", "value")]),
    ],
)
def test_rules_let_nothing_else_pass(said: Any, legacy: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    """What a table translates has to be translated, even where both sides say the same."""
    assert in_json(legacy, new, **said) == expected


def test_rules_of_xml_pass_through_repeated_elements() -> None:
    """One pointer, whether there is one element or there are several."""
    assert in_xml("<r><x>1.0</x></r>", "<r><x>1.001</x></r>", tolerance={"/r/x": "0.01"}) == []
    assert in_xml("<r><x>1.0</x><x>2</x></r>", "<r><x>1.001</x><x>2</x></r>", tolerance={"/r/x": "0.01"}) == []
    assert in_xml("<r><x>1</x><x>2</x></r>", "<r><x>2</x><x>1</x></r>", unordered={"/r/x": ""}) == []
    assert in_xml("<r><x>1</x><x>2</x></r>", "<r><x>2</x></r>", ignore=["/r/x"]) == []
    assert in_xml("<r><a/><b/></r>", "<r><b/><a/></r>", ignore=["/r/#order"]) == []


def test_scalars_are_told_by_kind() -> None:
    """For values that stand alone, such as those of headers."""
    assert [scalars("a", other, PLAIN) for other in ("a", "b", None)] == [None, "value", "type"]


def documents(longest: int) -> st.SearchStrategy[Any]:
    """Documents whose lists have up to so many items."""
    return st.recursive(
        st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "", "a"]),
        lambda inner: st.lists(inner, max_size=longest) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=12,
    )


JSON = documents(4)


def strictly_equal(one: Any, other: Any) -> bool:
    """Equal as JSON: by value, never across types."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(strictly_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(strictly_equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@given(JSON, JSON)
def test_there_is_a_difference_exactly_where_values_differ(legacy: Any, new: Any) -> None:
    """Nothing is overlooked by the quick ways, and nothing is made up."""
    assert (in_json([legacy], [new]) == []) == strictly_equal(legacy, new)
    assert in_json(legacy, deepcopy(legacy)) == []


@given(documents(1), documents(1))
def test_both_directions_tell_the_same(legacy: Any, new: Any) -> None:
    """Missing one way is extra the other way. (Of longer lists, either way may find other items to be the same.)"""
    turned = {"missing": "extra", "extra": "missing"}
    there = {(field, kind) for field, kind in in_json([legacy], [new])}
    back = {(field, turned.get(kind, kind)) for field, kind in in_json([new], [legacy])}
    assert there == back
