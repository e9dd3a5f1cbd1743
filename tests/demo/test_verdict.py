"""When a rehearsal has succeeded."""

from gateway.core.model import Serve
from gateway.demo.board import Scene
from gateway.demo.changes import Edit, Entry
from gateway.demo.tally import Seen, Tally
from gateway.demo.verdict import objections
from tests.demo.support_estate import estate, route

EDIT = Edit(10.0, "repairs-list", "legacy", "new", 0)


def scene(*seen: Seen, entries: tuple[Entry, ...] = (EDIT,), now: float = 20.0, strays: int = 0) -> Scene:
    tally = Tally(0.0)
    for one in seen:
        tally.note(one)
    routes = estate(route("repairs-list", Serve.NEW))
    return Scene(now, "127.0.0.1:8080", "routes.yaml", "banyan", "/tmp/data", 20.0, routes, tally, strays, entries)


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
