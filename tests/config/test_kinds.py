import pytest
from pydantic import ValidationError

from gateway.config.kinds import Count, Maybe, Spec, is_name


class Sample(Spec):
    count: Maybe[Count] = None


def test_a_key_may_be_left_out_but_not_left_empty() -> None:
    """`serve:` with nothing behind it is half an edit, never the default."""
    assert Sample.model_validate({}).count is None
    with pytest.raises(ValidationError):
        Sample.model_validate({"count": None})


def test_mappings_are_strict() -> None:
    """Unknown keys, and text where a number belongs, are refused."""
    for wrong in ({"cout": 1}, {"count": "1"}, {"count": True}, {"count": 1.0}):
        with pytest.raises(ValidationError):
            Sample.model_validate(wrong)


def test_names_are_plain() -> None:
    """Names go into logs, metrics and commands, so they hold nothing that needs quoting there."""
    assert is_name("housing-legacy_2.x")
    assert not any(map(is_name, ["", "a b", "a/b", "é", "x\n", "a" * 101]))
