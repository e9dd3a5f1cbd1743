"""Whether each client stays on one side."""

from gateway.core.model import Serve
from gateway.demo.loyalty import Loyalty, promises
from gateway.demo.tally import Seen
from tests.demo.support_estate import estate, route


def seen(side: str, client: str = "a", name: str = "r", failure: str = "") -> Seen:
    return Seen(0.0, client, name, side, 0.01, failure)


def strays(*entries: Seen) -> int:
    loyalty = Loyalty({"r": "journey", "s": "journey"})
    for entry in entries:
        loyalty.note(entry)
    return loyalty.strays()


def test_clients_on_different_sides_are_loyal() -> None:
    """A split is no stray: each client stays where it is."""
    assert strays(seen("new"), seen("legacy", "b"), seen("new"), seen("legacy", "b")) == 0


def test_a_client_that_changes_sides_without_an_edit_is_a_stray() -> None:
    """So is one that meets both sides on two routes of one journey, each time it changes."""
    assert strays(seen("new"), seen("legacy")) == 1
    assert strays(seen("new"), seen("legacy", name="s"), seen("new")) == 2


def test_failures_unknown_sides_and_other_routes_prove_nothing() -> None:
    """Only right answers on promised routes count."""
    assert (
        strays(seen("new"), seen("legacy", failure="x"), seen(""), seen("legacy", name="t"), seen("new", name="t")) == 0
    )


def test_each_edit_excuses_one_change_of_each_client() -> None:
    """An edit may move every client once, before or after it was noticed; a second move is a stray."""
    loyalty = Loyalty({"r": "r"})
    for client in ("a", "b"):
        loyalty.note(seen("legacy", client))
    loyalty.note(seen("new", "a"))
    loyalty.edited({"r"}, {"r": "r"})
    loyalty.note(seen("new", "b"))
    assert loyalty.strays() == 0
    loyalty.note(seen("legacy", "b"))
    assert loyalty.strays() == 1


def test_routes_of_a_journey_stay_together_while_they_serve_alike() -> None:
    """When only one of them is flipped, each is promised by itself."""
    half = (Serve.SPLIT, 5000)
    together = estate(route("r", *half, journey="j"), route("s", *half, journey="j"))
    apart = estate(route("r", *half, journey="j"), route("s", Serve.NEW, journey="j"))
    assert promises(together) == {"r": "j", "s": "j"}
    assert promises(apart) == {"r": "r", "s": "s"}


def test_writes_lots_and_the_retired_promise_nothing() -> None:
    """A share without stickiness is drawn by lot; a write follows the record; what is retired has no side."""
    found = promises(
        estate(
            route("write", method=b"POST"),
            route("any", method=b""),
            route("lot", Serve.SPLIT, 5000, sticky=None),
            route("climb by lot", Serve.RAMP, sticky=None),
            route("gone", Serve.RETIRED),
            route("search", Serve.SPLIT, 5000, method=b"POST", safe=True),
            route("plain", sticky=None),
            route("climb", Serve.RAMP),
        )
    )
    assert found == {"search": "search", "plain": "plain", "climb": "climb"}
