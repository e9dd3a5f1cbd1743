import pickle
from typing import Any

import pytest

from gateway.core import model
from gateway.core.model import (
    Deprecation,
    Estate,
    Gateway,
    HeaderEdit,
    ListenerTls,
    Observation,
    Outcome,
    Place,
    Placeholder,
    Serve,
    SoapOperation,
    Sticky,
    Target,
    Timeouts,
    Tls,
    Way,
    way_of,
)
from tests.support.values import OFFICE, REPAIRS, request, route, split

EVERYTHING = route(
    "SOAP /a/{x}/**#Op",
    serve=Serve.RETIRED,
    where={"soap": SoapOperation("Op", "OpRequest", "urn:x", "urn:x#Op"), "host": b"*.example"},
    new=Target("repairs", (b"/", Placeholder("rest", b"")), b"PUT", HeaderEdit(((b"a", b"1"),), (b"b",))),
    sticky=Sticky("cookie", b"c", True),
    tester=model.Tester(b"x-banyan-serve", b"secret"),
    deprecated=Deprecation(1, 2, "https://example.org"),
    timeout=(("total", 1.0),),
    place=Place("routes.yaml", 1, 2),
)


def test_a_place_is_written_as_editors_read_it() -> None:
    """File, line and column, with colons between."""
    assert str(Place("routes.yaml", 12, 5)) == "routes.yaml:12:5"


def test_an_estate_crosses_between_processes() -> None:
    """All of an estate arrives in another process as it was, words of its own included."""
    backend = OFFICE._replace(tls=Tls("ca.pem"), timeout=(("connect", 1.0),))
    gateway = Gateway(tls=ListenerTls("chain.pem", "key.pem"), trusted_proxies=("10.0.0.0/8",))
    estate = Estate(gateway, (backend, REPAIRS), (EVERYTHING, split()), "d1ge57")
    crossed = pickle.loads(pickle.dumps(estate))
    assert crossed == estate
    assert crossed.routes[0].serve is Serve.RETIRED


@pytest.mark.parametrize("value", [OFFICE, EVERYTHING, Gateway(), Timeouts(), request(), Place("a", 1, 1)])
def test_values_are_frozen(value: Any) -> None:
    """What one part was given no other part can change."""
    with pytest.raises(AttributeError):
        setattr(value, value._fields[0], None)


def test_an_observation_holds_its_way() -> None:
    """What many requests have in common is taken out of an observation field by field."""
    named = Observation(*Observation._fields)  # type: ignore[arg-type]
    assert way_of(named) == Way._fields


def test_an_outcome_is_its_word() -> None:
    """Outcomes are written to logs and metrics as they are."""
    assert [str(each) for each in Outcome] == ["ok", "business_fault", "backend_error", "timeout", "refused"]
