"""What happens is told once to each who wants to hear of it, and kept for the store in its order."""

from collections import deque
from collections.abc import AsyncIterator
from time import time

import pytest
from structlog.testing import capture_logs

from gateway.core.events import Event, Kind
from gateway.core.policies import Webhook
from gateway.rollouts.stored import webhook_name
from gateway.rollouts.telling import Teller, event_of
from tests.rollouts.running import Sent


@pytest.fixture
async def teller() -> AsyncIterator[Teller]:
    """One that keeps three events."""
    webhooks = Sent()
    yield Teller(webhooks, deque(maxlen=3))
    await webhooks.close()


def sent(teller: Teller) -> list[Event]:
    assert isinstance(teller.webhooks, Sent)
    return teller.webhooks.events


def test_an_event_is_logged_sent_and_kept(teller: Teller) -> None:
    """With what it is about, who did it and why; the log has its type as its name."""
    with capture_logs() as logged:
        event = teller.tell("override_set", route="a", by="ann", why="slow", details={"share": 0})
    assert event[2:] == ("override_set", "a", "", "ann", "slow", {"share": 0})
    assert abs(event.at - time()) < 5
    assert sent(teller) == [event]
    assert list(teller.untold) == [event]
    assert logged == [
        {"event": "override_set", "log_level": "info", "route": "a", "by": "ann", "why": "slow", "share": 0}
    ]


@pytest.mark.parametrize(
    ("kind", "level"), [("rolled_back", "warning"), ("store_unavailable", "warning"), ("promoted", "info")]
)
def test_what_is_grave_is_a_warning(teller: Teller, kind: Kind, level: str) -> None:
    """Somebody may have to get up."""
    with capture_logs() as logged:
        teller.tell(kind)
    assert [each["log_level"] for each in logged] == [level]


def test_what_the_store_has_already_is_not_kept_for_it(teller: Teller) -> None:
    """A step was stored together with its event: that is only logged and sent."""
    event = event_of("promoted", journey="rents")
    teller.told(event)
    assert (sent(teller), list(teller.untold)) == ([event], [])


def test_events_go_to_the_store_in_their_order(teller: Teller) -> None:
    """Only the first can be stored next; what is not kept any more is none of them."""
    first, second = teller.tell("paused"), teller.tell("resumed")
    teller.stored(second)
    assert list(teller.untold) == [first, second]
    teller.stored(first)
    teller.stored(first)
    assert list(teller.untold) == [second]
    teller.stored(second)
    teller.stored(second)
    assert list(teller.untold) == []


def test_events_are_bounded(teller: Teller) -> None:
    """While the store is away the oldest go, which the log has."""
    events = [teller.tell("paused") for _ in range(5)]
    assert list(teller.untold) == events[2:]
    assert sent(teller) == events


def test_each_event_has_an_id_of_its_own() -> None:
    """Letters, digits and `_`, as Standard Webhooks has them."""
    ids = {event_of("paused").id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) == 36 and each.startswith("evt_") and each.isascii() for each in ids)


async def test_the_store_is_told_which_webhooks_are_sent_an_event(teller: Teller) -> None:
    """By names that tell nothing of their addresses; only those that want to hear of its kind."""
    everything, some = "https://a.example/x", "https://b.example/y"
    teller.webhooks.use([Webhook(everything, b"k"), Webhook(some, b"k", ("rolled_back",))])
    assert teller.webhooks_of(event_of("promoted")) == (webhook_name(everything),)
    assert teller.webhooks_of(event_of("rolled_back")) == (webhook_name(everything), webhook_name(some))


def test_steps_of_ramps_are_counted(teller: Teller) -> None:
    """By journey and by who took them; what is about no ramp is no step."""
    teller.tell("rolled_back", journey="rents")
    teller.tell("rolled_back", journey="rents", by="ann")
    teller.tell("rolled_back", journey="rents")
    teller.tell("override_set", route="a", by="ann")
    assert teller.steps == {("rents", "rolled_back", "gateway"): 2, ("rents", "rolled_back", "person"): 1}
