import pytest
from pydantic import ValidationError

from gateway.config.routes import MatchSpec, RouteSpec, TargetSpec
from gateway.config.words import ServeWord
from gateway.core.model import Match, Segment, Serve

PLAIN = {"name": "a", "match": "GET /a", "legacy": "x"}


def test_short_forms_stand_beside_long_ones() -> None:
    """A match and a target are a few words where that is enough, and a mapping where it is not."""
    short = RouteSpec.model_validate(PLAIN)
    long = RouteSpec.model_validate({**PLAIN, "match": {"path": "/a"}, "legacy": {"backend": "x", "method": "PUT"}})
    assert short.match == Match((b"GET",), (Segment("literal", b"a"),))
    assert short.legacy == "x"
    assert isinstance(long.match, MatchSpec)
    assert isinstance(long.legacy, TargetSpec)
    assert long.legacy.method == b"PUT"


def test_what_is_left_out_is_left_open() -> None:
    """Defaults that depend on other keys are not decided here."""
    spec = RouteSpec.model_validate(PLAIN)
    assert (spec.id, spec.serve, spec.safe, spec.idempotent, spec.sticky) == (None, None, None, None, None)
    assert RouteSpec.model_validate({**PLAIN, "serve": "5% new"}).serve == ServeWord(Serve.SPLIT, 500)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": 1},
        {"match": 3},
        {"match": {"method": "GET"}},
        {"match": {"path": "/a", "method": []}},
        {"legacy": None},
        {"legacy": ["x"]},
        {"legacy": {"path": "/x"}},
        {"serve": None},
        {"sticky": "cookie"},
        {"sticky": {"cookie": "a", "header": "b"}},
        {"safe": "yes"},
        {"path": "cooked"},
        {"ramp": {"stages": "1%"}},
        {"cache": True},
        {"tester": {"header": "x-banyan-serve"}},
        {"max_body": "big"},
    ],
)
def test_anything_else_is_refused(wrong: dict[str, object]) -> None:
    """A route says only what it can mean."""
    with pytest.raises(ValidationError):
        RouteSpec.model_validate({**PLAIN, **wrong})
