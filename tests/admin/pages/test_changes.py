"""Before anything is changed, its page says what will happen: how many requests move, and what becomes of writes."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gateway.access.refusals import Refusal
from gateway.admin.admission import COOKIE, CSRF
from gateway.admin.api import admin_app
from gateway.admin.pages.changes import EFFECTS, Effect
from gateway.admin.pages.figures import Figures
from gateway.admin.pages.routes import row_of
from gateway.core.access import Role
from gateway.core.policies import Standing
from tests.admin.conftest import client_of
from tests.admin.fakes import FakeSteering
from tests.admin.pages.conftest import Steering, look_at

MORE = """\
  - {name: orders, match: "ANY /orders/**", legacy: office, new: repairs, serve: %s, writes: {%s}, fallback: true,
     journey: shop%s}
"""
RAMPS = ", shadow: 5%, ramp: {stages: [5%, 100%]}"
READS = "No write moves; this route only reads."
OWED = "Where some of them are not delivered yet, the file waits until they are."
ENDS = "This ends its override, and its ramp."
FALLBACK = "If new fails safely, legacy answers (fallback: true)."


@pytest.fixture
def of(steering_of: Steering) -> Callable[..., FakeSteering]:
    """A gateway in which the route `orders` serves that, and has its writes so."""
    return lambda serve="legacy", writes="": steering_of(MORE % (serve, writes, RAMPS if serve != "retired" else ""))


def effect(steering: FakeSteering, action: str, name: str, query: str = "") -> Effect:
    """What the page of a change says."""
    for route in steering.loaded.estate.routes:  # as the desk does
        planned = steering.table.routes[route.name]
        share = {"legacy": 0.0, "new": 100.0}.get(route.serve, route.share / 100)
        standing = planned.standing
        if standing.override is not None:
            share = standing.override / 100
        steering.desk.standings.setdefault(
            route.name, {"share": share, "standing": "an override" if standing != Standing() else ""}
        )
    figures = Figures(rates={"list": {"legacy": 75.0, "new": 25.0}, "orders": {"new": 40.0}})
    look = look_at(steering, figures=figures)
    row = row_of(look, name)
    assert row is not None
    return EFFECTS[action](look, row, dict(parse_qsl(query)))


@pytest.mark.parametrize(
    ("to", "verb", "moved", "after"),
    [
        ("new", "Flip list to new", "About 75 more requests a minute go to repairs", 100.0),
        ("legacy", "Flip list to legacy", "About 25 more requests a minute go to office", 0.0),
        ("50%25", "Flip list to 50% new", "About 25 more requests a minute go to repairs", 50.0),
        ("0.5%25", "Flip list to 0.5% new", "About 24 more requests a minute go to office", 0.5),
    ],
)
def test_a_flip_says_how_much_moves(
    of: Callable[..., FakeSteering], to: str, verb: str, moved: str, after: float
) -> None:
    """How many requests a minute, where to, and what to do to go back; a route that only reads moves no write."""
    assert effect(of(), "flip", "list", f"to={to}") == Effect(
        verb,
        "Leave it at 25% new",
        (f"{moved}, at once, on every gateway.", READS),
        "“Roll back to legacy” on the route's page, or banyan flip list 25% new. It takes two seconds.",
        25.0,
        after,
    )


def test_a_flip_to_what_the_file_says_changes_nothing(of: Callable[..., FakeSteering]) -> None:
    """Not even where an override has the route serve something else: that stays, and it is said what ends it."""
    told = effect(of(), "flip", "list", "to=25%25")
    assert (told.points, told.after) == (("The file says so already: nothing changes.",), None)
    steering = of()
    steering.table.stand({"orders": Standing(override=10_000, record="new")})
    told = effect(steering, "flip", "orders", "to=legacy")
    assert told.points == (
        "The file says so already: nothing changes. Its override stays: “Clear the override” ends it.",
    )


def test_a_flip_to_what_serves_takes_back_a_file_that_waits(of: Callable[..., FakeSteering]) -> None:
    """What serves is not what the file says then."""
    steering = of()
    steering.held = "the record of orders would move"
    assert effect(steering, "flip", "orders", "to=legacy").points == (
        "It serves that already. Where the file that waits says otherwise, it is changed back.",
    )


def test_a_flip_to_the_share_that_serves_moves_nothing(of: Callable[..., FakeSteering]) -> None:
    """It is said, and not that some requests move by nought."""
    steering = of()
    steering.table.stand({"list": Standing(override=0)})
    assert effect(steering, "flip", "list", "to=legacy").points == ("No request moves.", READS, ENDS)


@pytest.mark.parametrize(
    ("serve", "record", "to", "told"),
    [
        ("legacy", "", "new", "Its writes go from legacy to new."),
        ("legacy", "", "10%25", "Writes stay where they are, on legacy."),
        ("legacy", "", "ramp", "Writes stay where they are, on legacy."),
        ("new", "", "legacy", "Its writes go from new to legacy."),
        ("new", "", "10%25", "Its writes go from new to legacy."),
        ("new", "", "ramp", "Its writes go from new to legacy."),
        ("10% new", "", "legacy", "Writes stay where they are, on legacy."),
        ("ramp", "", "new", "Its writes go from legacy to new."),
        ("legacy", "record: legacy", "new", "Writes stay where they are, on legacy."),
        ("legacy", "record: new", "new", "Writes stay where they are, on new."),
        ("new", "record: new", "legacy", "Writes stay where they are, on new."),
    ],
)
def test_a_flip_says_where_writes_go(
    of: Callable[..., FakeSteering], serve: str, record: str, to: str, told: str
) -> None:
    """By the record of the file after it, not by its reads; and that it may have to wait."""
    points = effect(of(serve, record), "flip", "orders", f"to={to}").points
    assert (points[1], FALLBACK in points, OWED in points) == (told, True, False)
    both = f"{record}, copy: true" if record else "copy: true"
    assert (OWED in effect(of(serve, both), "flip", "orders", f"to={to}").points) == told.startswith("Its writes go")


def test_what_a_retired_route_answers(of: Callable[..., FakeSteering]) -> None:
    """To everybody, whatever they ask; nothing goes anywhere any more."""
    told = effect(of("new"), "flip", "orders", "to=retired")
    gone = "Every request is answered with 410 (gone), writes too."
    assert (told.points, told.after) == ((gone,), None)
    assert effect(of("new", "copy: true"), "flip", "orders", "to=retired").points == (gone, OWED)
    assert effect(of("legacy", "copy: true"), "flip", "orders", "to=retired").points == (gone,)


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("legacy", "From then on legacy answers; writes go to legacy."),
        ("new", "From then on new answers; writes go to new."),
        ("10%25", "From then on new answers 10% of the reads, legacy the rest; writes go to legacy."),
        ("ramp", "From then on new answers 1% of the reads, legacy the rest; writes go to legacy."),
    ],
)
def test_a_retired_route_comes_back_whole(of: Callable[..., FakeSteering], to: str, told: str) -> None:
    """Nothing is answered now, so nothing stays where it is."""
    found = effect(of("retired"), "flip", "orders", f"to={to}")
    assert found.points == (f"It is gone (410) now. {told}", FALLBACK, *found.points[2:])
    owing = effect(of("retired", "copy: true"), "flip", "orders", f"to={to}").points
    assert (OWED in owing) == (to == "new")


def test_a_ramp_begins_with_its_first_stage(of: Callable[..., FakeSteering]) -> None:
    """Which may send reads back."""
    told = effect(of("new"), "flip", "orders", "to=ramp")
    assert (told.before, told.after) == (100.0, 5.0)
    assert told.points[0] == "About 38 more requests a minute go to office, at once, on every gateway."
    assert "Its ramp begins with the first stage and goes on by evidence." in told.points


@pytest.mark.parametrize("to", ["", "old", "%25", "101%25", "1e3%25", "legacy%20new", "-1%25"])
def test_what_no_route_can_serve_is_refused(of: Callable[..., FakeSteering], to: str) -> None:
    """A link may say anything."""
    with pytest.raises(Refusal, match=r"400.*nothing that a route can serve"):
        effect(of(), "flip", "list", f"to={to}")


def test_a_live_override_is_ended_by_a_flip(of: Callable[..., FakeSteering]) -> None:
    """Its share and its record are what holds now."""
    steering = of(writes="copy: true")
    steering.table.stand({"orders": Standing(override=5_000, record="new")})
    assert effect(steering, "flip", "orders", "to=10%25").points == (
        "About 16 more requests a minute go to office, at once, on every gateway.",
        "Its writes go from new to legacy.",
        OWED,
        FALLBACK,
        ENDS,
    )


# ------------------------------------------------------------------------------------------------ beside the file


def test_clearing_an_override_gives_the_writes_back(of: Callable[..., FakeSteering]) -> None:
    """Where it had moved them; not while some are owed, which may be where they are kept for another side."""
    refused = "Where some of them are not delivered yet, nothing is done."
    for writes in ("", "copy: true"):
        steering = of(writes=writes)
        steering.table.stand({"orders": Standing(override=10_000, record="new")})
        told = effect(steering, "clear", "orders").points[1:]
        assert told == ("Its writes go from new to legacy.", *([refused] if writes else []))
        steering.table.stand({"orders": Standing(override=10_000)})
        assert effect(steering, "clear", "orders").points[1:] == ("Writes stay where they are, on legacy.",)


def test_an_override_says_whether_writes_go_along(of: Callable[..., FakeSteering]) -> None:
    """They do where that was asked for, and otherwise stay, also where an earlier override has put them."""
    steering = of()
    asked = "Its writes go there as well. Where some of them are not delivered yet, nothing is done."
    assert effect(steering, "override", "orders", "writes=yes").points[1] == asked
    assert effect(steering, "override", "orders").points[1] == "Writes stay where they are, on legacy."
    steering.table.stand({"orders": Standing(override=10_000, record="new")})
    assert effect(steering, "override", "orders").points[1] == "Writes stay where they are, on new."


def test_rolling_back_says_what_stays_with_new(of: Callable[..., FakeSteering]) -> None:
    """Reads go back at once; writes that are new's stay there, and a person is told to think of it."""
    told = effect(of("new"), "rollback", "orders")
    assert told == Effect(
        "Roll orders back to legacy",
        "Leave it at 100% new",
        (
            "About 40 more requests a minute go to office, at once, on every gateway.",
            "Its writes still go to new: whether new's data may be left behind is a question for the morning.",
            "It stays like this until a person says otherwise, over restarts too.",
        ),
        "“Clear the override” on this route's page, or banyan override orders --clear.",
        100.0,
        0.0,
    )
    assert effect(of("10% new"), "rollback", "orders").points[1] == "Writes stay where they are, on legacy."
    steering = of("new")
    steering.table.stand({"orders": Standing(override=10_000, record="legacy")})
    assert effect(steering, "rollback", "orders").points[1] == "Writes stay where they are, on legacy."


def test_rolling_back_a_ramp_takes_its_routes_along(of: Callable[..., FakeSteering]) -> None:
    """It is one journey: all of it goes back, and is resumed by its name."""
    steering = of("ramp")
    steering.desk.told["ramps"] = [
        {"ramp": "shop", "routes": ["orders", "list"], "share": 5.0, "next": {"share": 100.0}, "state": "climbing",
         "since": None, "why": ""},
    ]  # fmt: skip
    told = effect(steering, "rollback", "orders")
    assert (told.verb, told.points[2]) == (
        "Roll shop back to legacy",
        "The other routes of shop go back as well: list.",
    )
    assert told.back == "“Resume shop” on this route's page, or banyan resume shop."
    promoting = effect(steering, "promote", "list")
    assert promoting.points == (
        "About 75 more requests a minute go to repairs, at once, on every gateway.",
        "It begins now, whatever the evidence lacks.",
    )
    assert (promoting.verb, promoting.before, promoting.after) == ("Promote shop to 100%", 5.0, 100.0)
    assert effect(steering, "pause", "orders").verb == "Pause shop at 5%"
    steering.table.stand({"orders": Standing(override=10_000, record="new")})
    told = effect(steering, "rollback", "orders")
    assert told.points[1].startswith("Its writes still go to new")
    assert told.back.startswith("“Clear the override” of orders, which holds writes; then “Resume shop”")
    steering.table.stand({"orders": Standing(override=10_000, record="legacy")})
    assert effect(steering, "rollback", "orders").back.startswith("“Resume shop”")


@pytest.mark.parametrize("action", ["pause", "resume", "approve", "promote", "restart"])
def test_what_does_not_ramp_has_no_stages(of: Callable[..., FakeSteering], action: str) -> None:
    """A link may name any route."""
    with pytest.raises(Refusal, match=r"400.*list does not ramp"):
        effect(of(), action, "list")


@pytest.fixture
async def operating(of: Callable[..., FakeSteering]) -> AsyncIterator[Any]:
    """An operator's browser, signed in."""
    steering = of()
    signed = await steering.keyring.begin("Olu", Role.OPERATOR)
    headers = {"Cookie": f"{COOKIE}={signed.cookie}", CSRF: signed.session.csrf}
    async for client in client_of(admin_app(steering)):
        yield partial(client.post, headers=headers, allow_redirects=False)


@pytest.mark.parametrize("wrong", [{"for": "soon"}, {"tag": '"x"'}, {"reason": " "}])
async def test_a_form_that_is_shown_again_says_the_same(operating: Any, wrong: dict[str, str]) -> None:
    """What was asked for goes along, and what it does is said of that and of nothing else."""
    form = {"serve": "new", "for": "2h", "writes": "yes", "reason": "it is time", **wrong}
    answer = await operating("/routes/orders/do/override", data=form)
    text = await answer.text()
    assert answer.status in (400, 412)
    assert "Its writes go there as well. Where some of them are not delivered yet, nothing is done." in text
    assert "Writes stay where they are" not in text
    assert 'name="writes" value="yes"' in text
    answer = await operating("/routes/orders/do/flip", data={"to": "10%", "reason": "it is time", "tag": '"x"'})
    assert "<h1>Flip orders to 10% new</h1>" in await answer.text()
