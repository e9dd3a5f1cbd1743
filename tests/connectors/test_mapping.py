from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.mapping import DEEPEST, Mapped, MappingFailed, MappingInvalid

REQUEST = {"path": {"account": "R1"}, "query": {"date": "2026-01-01"}, "header": {"x-user": "ann"}, "body": None}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def test_an_object_of_expressions() -> None:
    """Each member has an expression; keys with dots are objects within."""
    mapped = Mapped(
        {"AccountNo": "path.account", "Range.From": "query.date", "Range.To": "query.date", "By": {"N": "'x'"}}
    )
    day = "2026-01-01"
    assert mapped(REQUEST) == {"AccountNo": "R1", "Range": {"From": day, "To": day}, "By": {"N": "x"}}


def test_what_is_missing_is_left_out() -> None:
    """A member without a value is no member, nor is an object in which nothing is left; the whole is there."""
    assert Mapped({"A": "query.none", "B.C": "body.none", "D": "path.account"})(REQUEST) == {"D": "R1"}
    assert Mapped({"A": "query.none"})(REQUEST) == {}


def test_values_stand_for_themselves() -> None:
    """Numbers, truths and an empty object are what they are; lists hold what is there."""
    mapped = Mapped(
        {"Max": 10, "All": True, "Rate": 0.5, "Filter": {}, "Tags": ["path.account", "query.none", {"N": "body"}]}
    )
    assert mapped(REQUEST) == {"Max": 10, "All": True, "Rate": 0.5, "Filter": {}, "Tags": ["R1"]}


def test_one_expression_gives_the_whole() -> None:
    """A mapping in one line, as for replies."""
    reply = {"Amount": "1", "Lines": [{"Code": "A", "Value": "2"}]}
    mapped = Mapped("{balance: Amount, charges: Lines[].{code: Code, amount: Value}}")
    assert mapped(reply) == {"balance": "1", "charges": [{"code": "A", "amount": "2"}]}


@given(PLAIN)
def test_the_whole_is_given_back_unchanged(value: Any) -> None:
    """`@` is the document itself."""
    assert Mapped("@")(value) == value


@given(st.dictionaries(st.text("abc", min_size=1), PLAIN, max_size=4))
def test_every_member_that_is_there_comes(values: dict[str, Any]) -> None:
    """An object of names gives those members that have a value, and no others."""
    kept = {key: value for key, value in values.items() if value is not None}
    assert Mapped({key: f'"{key}"' for key in values})(values) == kept


@pytest.mark.parametrize(
    ("given", "twice"),
    [
        ({"A": "a", "A.B": "b"}, "`A` is given twice"),
        ({"A.B": "a", "A": "b"}, "`A` is given twice"),
        ({"A.B": "a", "A": {"B": "b"}}, "`A.B` is given twice"),
        ({"A": {"B": "b"}, "A.B": "a"}, "`A.B` is given twice"),
        ({"A.B": "a", "A.B.C": "b"}, "`B` is given twice"),
    ],
)
def test_a_member_has_one_meaning(given: dict[str, Any], twice: str) -> None:
    """Two ways to say the same member are refused."""
    with pytest.raises(MappingInvalid, match=twice):
        Mapped(given)


def test_two_ways_to_say_an_object_make_one() -> None:
    """Dots and objects may be mixed while no member is given twice."""
    assert Mapped({"A": {"B": "path.account"}, "A.C": "path.account", "A.D.E": "'e'"})(REQUEST) == {
        "A": {"B": "R1", "C": "R1", "D": {"E": "e"}}
    }


@pytest.mark.parametrize("given", [{"": "a"}, {"a.": "b"}, {".a": "b"}, {"a..b": "c"}])
def test_a_member_has_a_name(given: dict[str, Any]) -> None:
    """An empty name is a slip of the pen."""
    with pytest.raises(MappingInvalid, match="is not the name of a member"):
        Mapped(given)


@pytest.mark.parametrize("given", [None, {"A": None}, {"A": b"path"}])
def test_a_mapping_is_made_of_expressions(given: Any) -> None:
    """Anything else cannot be meant."""
    with pytest.raises(MappingInvalid, match="is made of expressions"):
        Mapped(given)


def test_a_mapping_has_a_depth() -> None:
    """Objects in objects end somewhere."""
    deep: Any = "path.account"
    for _ in range(DEEPEST):
        deep = {"A": deep}
    with pytest.raises(MappingInvalid, match="nested more than 100 deep"):
        Mapped(deep)


def test_an_expression_in_a_mapping_may_fail() -> None:
    """The error is that of the expression."""
    with pytest.raises(MappingFailed, match="sum"):
        Mapped({"A": "sum(path)"})(REQUEST)
    with pytest.raises(MappingInvalid, match="is not a JMESPath expression"):
        Mapped({"A": ["{"]})
