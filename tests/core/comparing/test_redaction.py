"""What is kept of a value is what may be kept: nothing of it by default but its shape."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing.differences import STATUS, Difference, differences
from gateway.core.comparing.redaction import ABSENT_KEPT, LONGEST, NOTHING, Example, Kept, example_of, redacted
from gateway.core.comparing.rules import PLAIN, Rules
from gateway.core.comparing.values import ABSENT
from tests.core.comparing.answers import as_json, as_xml, document, rules

KEY = b"a secret of the store"


@pytest.mark.parametrize(
    ("value", "kind", "length"),
    [
        ("Ada Byrne", "string", 9),
        ("", "string", 0),
        (1.5, "number", 3),
        (True, "boolean", 4),
        (None, "null", 4),
        ([1, 2], "array", 2),
        ({"a": 1}, "object", 1),
    ],
)
def test_by_default_the_shape_is_kept(value: Any, kind: str, length: int) -> None:
    """Type, length and a keyed hash, the same for the same value, another under another key."""
    kept = redacted(value, ("a",), Rules(), KEY)
    assert kept == Kept(kind, length, kept.hash, None)
    assert len(kept.hash) == 16
    assert redacted(value, ("b",), Rules(), KEY).hash == kept.hash
    assert redacted(value, ("a",), Rules(), b"another").hash != kept.hash
    assert redacted([value], ("a",), Rules(), KEY).hash != kept.hash


def test_no_value_is_kept_as_such() -> None:
    """Its absence is no secret."""
    assert redacted(ABSENT, ("a",), Rules(), KEY) == ABSENT_KEPT


@pytest.mark.parametrize(
    ("at", "value", "shown"),
    [
        (("a",), "open", "open"),
        (("a", "0", "b"), 5, "5"),
        (("a[2]",), "open", "open"),
        (("b",), "open", None),
        (("a",), ["open"], None),
        (("a",), "call 07700 900123", "call ***"),
        (("a",), "x" * 999, "x" * LONGEST),
        (STATUS, 404, "404"),
    ],
)
def test_values_are_kept_where_they_may_be_shown(at: tuple[str, ...], value: Any, shown: str | None) -> None:
    """At a pointer of `show` and below, masked and short; of lists never. A status is no secret."""
    assert redacted(value, at, rules(show=["/a"]), KEY).value == shown


@pytest.mark.parametrize("at", [("a",), ("a", "b"), ("a", "0", "b")])
@pytest.mark.parametrize("value", ["x", None, [1], ABSENT])
def test_nothing_is_kept_under_redact(at: tuple[str, ...], value: Any) -> None:
    """Neither there nor below, even where it could be shown."""
    assert redacted(value, at, rules(show=["/a"], redact=["/a"]), KEY) == NOTHING


def test_what_holds_something_redacted_has_no_hash() -> None:
    """The hash of the whole would tell something of the part."""
    kept = redacted({"a": {"b": 1}}, ("x",), rules(redact=["/x/a/b"]), KEY)
    assert kept == Kept("object", 1)


def test_a_number_cut_in_half_is_not_shown() -> None:
    """Masked first and cut then: the end of what is shown is never the beginning of a card number."""
    kept = redacted("x" * (LONGEST - 9) + " 4111 1111 1111 1111", ("a",), rules(show=["/a"]), KEY)
    assert kept.value == "x" * (LONGEST - 9) + " ***"


def example(legacy: Any, new: Any, found: Rules) -> Example:
    (difference,) = differences(document(as_json(legacy)), document(as_json(new)), PLAIN)
    return example_of(difference, found, KEY)


def test_an_example_is_plain_json_and_back() -> None:
    """With its rule that would let it pass."""
    told = example({"a": 1.0, "n": "x"}, {"a": 1.005, "n": "x"}, rules(show=["/a"]))
    assert told[:3] == ("/a", "/a", "value")
    assert (told.legacy.value, told.new.value, told.remedy) == ("1.0", "1.005", ("tolerance", "0.005"))
    assert Example.of_plain(orjson.loads(orjson.dumps(told.plain()))) == told


def test_names_that_are_data_are_hashed() -> None:
    """In the field they are `*`, and at the place one can tell which are the same; indices stay."""
    told = example({"acc": {"12345678": [1, 2]}}, {"acc": {"12345678": [1, 3]}}, Rules())
    assert told.field == "/acc/*/*"
    name = told.at.split("/")[2]
    assert told.at == f"/acc/{name}/1"
    assert "12345678" not in str(told)
    assert name == redacted("12345678", (), Rules(), KEY).hash


def test_repeated_elements_keep_their_place() -> None:
    """And rules are found for them."""
    legacy, new = (document(as_xml(f"<r><x>1</x><x>{number}</x></r>")) for number in (2, 3))
    (difference,) = differences(legacy, new, PLAIN)
    told = example_of(difference, rules(show=["/r/x"]), KEY)
    assert (told.at, told.field, told.legacy.value) == ("/r/x[2]", "/r/x", "2")


@given(st.text(alphabet="abcdefgh0123456789", min_size=8), st.sampled_from(["missing", "extra", "value", "type"]))
def test_no_secret_is_in_an_example(secret: str, kind: Any) -> None:
    """Whatever the value and its place, without `show` none of it is left."""
    told = example_of(Difference(("*",), (f"{secret}0000",), kind, secret, {"x": secret}), Rules(), KEY)
    assert secret not in str(told.plain())
