"""When a rehearsal has succeeded."""

from gateway.core.model import Serve
from gateway.demo.board import Scene
from gateway.demo.changes import Edit, Entry, Step
from gateway.demo.ramps import CLIMBING, ROLLED_BACK, Ramp, Standing
from gateway.demo.tally import Seen, Tally
from gateway.demo.verdict import objections
from tests.demo.support_estate import estate, route
from tests.demo.support_ramps import ramp

EDIT = Edit(10.0, "repairs-list", "legacy", "new", 0)


def scene(*seen: Seen, entries: tuple[Entry, ...] = (EDIT,), now: float = 20.0, strays: int = 0) -> Scene:
    tally = Tally(0.0)
    for one in seen:
        tally.note(one)
    routes = estate(route("repairs-list", Serve.NEW))
    places = ("127.0.0.1:8080", "routes.yaml", "banyan", "/tmp/data")
    return Scene(now, *places, 20.0, routes, tally, strays, Standing(), entries)


def seen(at: float, side: str, failure: str = "") -> Seen:
    return Seen(at, "a", "repairs-list", side, 0.01, failure)


FOLLOWED = (seen(9.0, "legacy"), seen(10.2, "new"), seen(19.0, "new"))


def test_traffic_that_flowed_and_followed_is_a_success() -> None:
    """Nothing to object to."""
    assert objections(scene(*FOLLOWED), flipped=True) == []


def test_without_a_flip_flowing_is_enough() -> None:
    """`--no-flip` asks for traffic only."""
    assert objections(scene(seen(1.0, "legacy"), entries=()), flipped=False) == []


def test_each_thing_that_went_wrong_has_its_sentence() -> None:
    """Silence, failures, strays, a flip that was not made, not followed, or followed by halves."""
    assert objections(scene(entries=()), flipped=False) == ["No answer came on repairs-list."]
    failed = objections(scene(*FOLLOWED, seen(19.0, "", "GET /: answered 502")), flipped=True)
    assert failed == ["Failed requests: 1; the last: GET /: answered 502."]
    assert objections(scene(*FOLLOWED, strays=2), flipped=True) == ["Clients changed sides 2 times without an edit."]
    unmade = objections(scene(*FOLLOWED, entries=()), flipped=True)
    assert unmade == ["The flip of repairs-list did not change the file."]
    ignored = objections(scene(seen(19.0, "legacy")), flipped=True)
    assert ignored == ["repairs-list was flipped from legacy to new, but the traffic did not follow."]
    halves = objections(scene(*FOLLOWED, seen(19.5, "legacy")), flipped=True)
    assert halves == ["After the flip to new, repairs-list was still answered by {'new': 1, 'legacy': 1}."]


def test_right_after_the_flip_old_answers_are_no_objection() -> None:
    """The last seconds' figures still hold answers from before."""
    assert objections(scene(seen(9.0, "legacy"), seen(10.2, "new"), now=11.0), flipped=True) == []


CLIMBS = ramp(state=CLIMBING, stage=2, share=25.0)
CAUGHT = ramp(name="balances", routes=("rent-balance",), state=ROLLED_BACK, share=0.0, why="parity")
BACK = Step(30.0, "balances", 0.0, "balances: rolled back: parity")


def of_ramps(*ramps: Ramp, off: float = 0.0, seconds: float = 60.0) -> list[str]:
    """What there is to object to in a minute of two ramps; `off` is when a client last saw a wrong balance."""
    tally = Tally(0.0)
    tally.note(Seen(1.0, "a", "detail", "new", 0.01))
    tally.note(Seen(off, "a", "rent-balance", "new", 0.01, off=True))
    routes = estate(route("detail", Serve.RAMP), route("rent-balance", Serve.RAMP))
    places = ("127.0.0.1:8080", "routes.yaml", "banyan", "/tmp/data")
    return objections(Scene(60.0, *places, seconds, routes, tally, 0, Standing(ramps), (BACK,)), flipped=False)


def test_a_long_rehearsal_has_a_ramp_that_climbs_and_one_that_is_rolled_back() -> None:
    """Within two seconds of the roll back the last wrong balance is seen."""
    assert of_ramps(CLIMBS, CAUGHT, off=31.9) == []


def test_ramps_that_do_otherwise_have_their_sentence() -> None:
    """A climb that did not happen or was turned back, a fault that nobody caught or that went on, and silence."""
    held = of_ramps(CLIMBS._replace(stage=1, share=10.0, why="the first stage begins"), CAUGHT)
    assert held == [
        "A ramp that should climb did not. detail: 10 % on new, stage 1 of 4: the first stage begins.",
    ]
    turned = of_ramps(CLIMBS._replace(state=ROLLED_BACK, why="errors"), CAUGHT)
    assert turned == ["A ramp that should climb did not. detail: rolled back: errors."]
    missed = of_ramps(CLIMBS, CAUGHT._replace(state=CLIMBING, stage=3, share=50.0))
    assert missed == ["Nobody caught the fault of rent-balance. balances: 50 % on new, stage 3 of 4: parity."]
    late = of_ramps(CLIMBS, CAUGHT, off=33.5)
    assert late == ["A wrong answer of rent-balance reached a client 3.5 s after the roll back."]
    assert of_ramps(CAUGHT) == ["The gateway does not tell where the ramp of detail stands."]


def test_a_short_rehearsal_asks_nothing_of_ramps() -> None:
    """They need their time."""
    assert of_ramps(seconds=59.0) == []
