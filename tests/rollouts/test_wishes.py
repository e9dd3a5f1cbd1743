"""What a file wants of a route is as old as its first sight, and gives way to what people and guards said later."""

from pathlib import Path
from time import time

import pytest

from gateway.config.words import serve_text
from gateway.core.model import Estate, Gateway, Serve
from gateway.core.policies import Ramp
from gateway.core.positions import Position, State, begun
from gateway.rollouts.standings import Standings
from gateway.rollouts.wishes import Wishes
from gateway.store.values import Override
from tests.support.values import route


def estate(serve: Serve, share: int = 0) -> Estate:
    ramp = Ramp() if serve is Serve.RAMP else None
    routes = (route("ANY /a", serve, share=share, name="a", journey="a", ramp=ramp), route("ANY /b", name="b"))
    return Estate(Gateway(), (), routes, "")


class Following:
    """Where the routes of an estate stand, and what a file wants of them."""

    def __init__(self, folder: Path, serves: Estate) -> None:
        self.serves = serves
        self.standings = Standings(folder)
        self.standings.follow(serves, time())
        self.wishes = Wishes(self.standings)

    def override(self, share: int, until: float | None = None) -> None:
        first = self.serves.routes[0]
        serve = serve_text(first.serve, first.share)
        self.standings.override(Override("a", share, None, "500s", "bob", time(), until, serve))

    def position(self, state: State, share: int) -> None:
        ramp = self.serves.routes[0].ramp or Ramp()
        known: Position = self.standings.positions.get("a") or begun("a", ramp, time())
        self.standings.move(known._replace(state=state, share=share, stage=1, sequence=known.sequence + 1))

    def back(self, wanted: Estate) -> list[str]:
        self.wishes.see(self.serves, wanted)
        return self.wishes.gone_back(self.serves)


NEW = estate(Serve.NEW)


@pytest.mark.parametrize(
    ("wanted", "share", "back"),
    [
        (NEW, 0, True),
        (NEW, 9_999, True),
        (NEW, 10_000, False),
        (estate(Serve.SPLIT, 1_000), 0, True),
        (estate(Serve.SPLIT, 1_000), 1_000, False),
        (estate(Serve.RAMP), 0, True),
        (estate(Serve.RETIRED), 0, False),
    ],
)
def test_an_override_since_holds_what_would_send_more_to_new(
    tmp_path: Path, wanted: Estate, share: int, back: bool
) -> None:
    """A ramp would, sooner or later; a file that sends as much or less takes nothing back from anybody."""
    one = Following(tmp_path, estate(Serve.LEGACY))
    assert one.back(wanted) == []
    one.override(share)
    assert one.back(wanted) == (["a"] if back else [])


def test_what_was_said_before_holds_nothing(tmp_path: Path) -> None:
    """Whoever flips a route ends its override, and its ramp: that was the earlier word."""
    one = Following(tmp_path, estate(Serve.RAMP))
    one.position(State.ROLLED_BACK, 500)
    one.override(0)
    assert one.back(NEW) == []


def test_a_ramp_that_went_back_since_holds(tmp_path: Path) -> None:
    """By a guard's word or a person's; one that climbs, waits or is paused says nothing against the file."""
    one = Following(tmp_path, estate(Serve.RAMP))
    one.position(State.CLIMBING, 500)
    assert one.back(NEW) == []
    one.position(State.CLIMBING, 2_500)
    one.position(State.PAUSED, 2_500)
    assert one.back(NEW) == []
    one.position(State.ROLLED_BACK, 2_500)
    assert one.back(NEW) == ["a"]


def test_each_time_that_a_ramp_goes_back_counts(tmp_path: Path) -> None:
    """Also where it had been back before, was resumed, and goes back again; and where it is told to once more."""
    one = Following(tmp_path, estate(Serve.RAMP))
    one.position(State.ROLLED_BACK, 500)
    assert one.back(NEW) == []
    one.position(State.CLIMBING, 500)
    one.position(State.ROLLED_BACK, 500)
    assert one.back(NEW) == ["a"]
    one.wishes.renew("a")
    assert one.back(NEW) == []
    one.standings.send_back("a")
    assert one.back(NEW) == ["a"]


def test_what_another_gateway_sent_back_counts(tmp_path: Path) -> None:
    """The store tells of it."""
    one = Following(tmp_path, estate(Serve.RAMP))
    one.position(State.CLIMBING, 500)
    assert one.back(NEW) == []
    known = one.standings.positions["a"]
    one.standings.merge([known._replace(state=State.ROLLED_BACK, sequence=known.sequence + 1)], [])
    assert one.back(NEW) == ["a"]


def test_a_route_that_leaves_its_journey_has_the_word_of_its_own(tmp_path: Path) -> None:
    """The ramp that it was on went back before; the file says what it is to do alone."""
    one = Following(tmp_path, estate(Serve.RAMP))
    one.position(State.ROLLED_BACK, 500)
    first, *rest = estate(Serve.SPLIT, 1_000).routes
    assert one.back(Estate(Gateway(), (), (first._replace(journey="alone"), *rest), "")) == []


def test_an_override_that_is_over_holds_nothing(tmp_path: Path) -> None:
    """Nobody went back: its time has come."""
    one = Following(tmp_path, estate(Serve.LEGACY))
    assert one.back(NEW) == []
    one.override(0, until=time() - 1)
    assert one.back(NEW) == []


def test_a_wish_is_as_old_as_its_first_sight(tmp_path: Path) -> None:
    """Until the file wants something else of that route, or somebody says it again."""
    one = Following(tmp_path, estate(Serve.LEGACY))
    assert one.back(NEW) == []
    one.override(0)
    other = NEW._replace(digest="another", routes=(*NEW.routes, route("ANY /c", name="c")))
    assert one.back(other) == ["a"]
    assert one.back(estate(Serve.SPLIT, 5_000)) == []
    assert one.back(NEW) == []
    one.override(100)
    assert one.back(NEW) == ["a"]
    one.wishes.renew("a")
    assert one.back(NEW) == []
    one.wishes.renew("nobody")


def test_routes_that_come_and_stay_wish_nothing(tmp_path: Path) -> None:
    """Only a flip ends what was said of a route."""
    one = Following(tmp_path, estate(Serve.LEGACY))
    more = estate(Serve.LEGACY)._replace(routes=(*estate(Serve.LEGACY).routes, route("ANY /c", Serve.NEW, name="c")))
    one.back(more)
    one.override(0)
    assert one.back(more) == []
