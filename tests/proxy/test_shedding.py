"""When there is more to do than can be done, those who matter most are served, and the others told so at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxy.shedding import EVERYONE, PATIENCE, Shedding
from tests.support.origin import Origin
from tests.support.serving import Serving
from tests.support.values import route
from tests.wire.test_guarded import seen

LOW, NORMAL, HIGH = -1, 0, 1


def least_after(*lates: float) -> float:
    shedding = Shedding()
    for late in lates:
        shedding.tick(late)
    return shedding.least


@pytest.mark.parametrize(
    ("lates", "least"),
    [
        ((0.0,) * 9, EVERYONE),
        ((0.09,) * 99, EVERYONE),
        ((0.25,), EVERYONE),
        ((0.2,) * 3, NORMAL),
        ((0.5,) * 5, HIGH),
        ((9.0,), HIGH),
        (((0.5,) * 5 + (0.2,) * 4), HIGH),
        (((0.5,) * 5 + (0.1,) * 9), NORMAL),
        (((0.5,) * 5 + (0.0,) * 20), EVERYONE),
    ],
)
def test_who_is_served_goes_by_how_late_the_loop_is(lates: tuple[float, ...], least: float) -> None:
    """Not by one stall; and whoever was refused is served again when it is well below."""
    assert least_after(*lates) == least


@given(st.lists(st.floats(0, 100), max_size=50))
def test_high_priority_is_always_served(lates: list[float]) -> None:
    """And with an idle loop everyone is, before long."""
    assert least_after(*lates) <= HIGH
    assert least_after(*lates, *[0.0] * 40) == EVERYONE
    assert tuple(sorted(PATIENCE)) == PATIENCE


async def test_a_request_that_there_is_no_time_for_is_refused() -> None:
    """At once, and with when to come again; nobody is asked, and it is no evidence."""
    with Origin() as origin:
        routes = [route(f"GET /{name}", name=name, priority=at, new=None) for name, at in (("a", LOW), ("b", HIGH))]
        serving = Serving({"office": origin}, *routes)
        await serving.open()
        serving.handler.shedding.tick(9.0)
        await serving.get("/a", until=b"There is more to do at the moment than can be done")
        await serving.get("/b", until=b"ok")
        refused, served = seen(serving)
        assert (refused.status, refused.outcome, refused.backend) == (503, "refused", "")
        assert served.status == 200
        assert len(origin.requests) == 1
        await serving.close()
