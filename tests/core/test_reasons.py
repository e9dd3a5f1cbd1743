"""Each reason for a side is told in a sentence that names what a person can change."""

from typing import get_args

import pytest

from gateway.core import model
from gateway.core.model import LEGACY, NEW, Gateway, Route, Serve, Sticky
from gateway.core.planning import Choice, planned
from gateway.core.policies import NO_STANDING, Standing, Writes
from gateway.core.reasons import RAMPS, SENTENCES, key_name, why
from gateway.core.splitting import bucket_of
from tests.core.estates import NEW as NEW_BACKEND
from tests.core.estates import OLD, request, route


def told(choice: Choice, made: Route, method: str = "GET", standing: Standing = NO_STANDING, **fields: str) -> str:
    compiled = planned(made, {"old": OLD, "new": NEW_BACKEND}, Gateway())
    compiled.stand(standing)
    return why(choice, compiled, request(method, "/a", **fields), b"192.0.2.7")


def test_a_retired_route_says_410() -> None:
    """Nothing is sent for a retired route, and the sentence says what is answered."""
    sentence = "`serve: retired`: the gateway answers 410 itself and sends nothing"
    assert told(Choice(LEGACY, "retired"), route("a", "GET /a", Serve.RETIRED)) == sentence


def test_an_unsafe_request_goes_to_the_record() -> None:
    """Writes are never shared out; a route declared unsafe says so itself."""
    unsafe = told(Choice(LEGACY, "record"), route("a", "ANY /a"), "POST")
    assert unsafe == "POST is unsafe: writes go whole to the record, legacy"
    declared = told(Choice(NEW, "record"), route("a", "ANY /a", Serve.NEW, safe=False))
    assert declared == "the route says `safe: false`: writes go whole to the record, new"


def test_the_file_may_name_the_record() -> None:
    """A write that does not go where the reads go says why; so does a read that follows one."""
    named = route("a", "ANY /a", Serve.NEW, writes=Writes(record=LEGACY))
    assert told(Choice(LEGACY, "record"), named, "POST") == (
        "POST is unsafe: writes go whole to the record, legacy, which `writes` names: `serve` moves the reads alone"
    )
    assert told(Choice(LEGACY, "settles"), named) == (
        "the client has just written, so its reads stay on the record, legacy, for a while"
    )
    assert told(Choice(LEGACY, "crosswalk"), named) == "the request names something that legacy alone has yet"


def test_an_override_may_have_moved_the_record() -> None:
    """A write that goes where the file would not send it says why."""
    moved = told(Choice(NEW, "record"), route("a", "ANY /a"), "POST", Standing(10_000, NEW))
    assert moved == "POST is unsafe: writes go whole to the record, new, which an override has set"


def test_an_override_goes_before_the_file() -> None:
    """A flip made live is told as such, whether it moves everyone or a share."""
    made = route("a", "GET /a", Serve.NEW, sticky=Sticky("cookie", b"tenancy"))
    whole = told(Choice(LEGACY, "override"), made, standing=Standing(override=0))
    assert whole == "by an override legacy serves everyone, whatever the file says"
    bucket = bucket_of(b"a", b"x1")
    assert told(Choice(LEGACY, "bucket"), made, standing=Standing(override=1), cookie="tenancy=x1") == (
        f"by an override 0.01 % go to new; bucket {bucket} of cookie `tenancy` is not below 1, so legacy serves"
    )
    assert told(Choice(NEW, "drawn"), made, standing=Standing(override=2500, ramp=100)) == (
        "by an override 25 % go to new; the request has no cookie `tenancy`, so the side is drawn at random per request"
    )


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (Standing(ramp=10_000, why="climbing"), "by its ramp, which is climbing, 100 % go to new, so new"),
        (Standing(ramp=10_000, why="finished"), "by its ramp, which has finished, 100 % go to new, so new"),
        (Standing(ramp=0, why="rolled_back"), "by its ramp, which was rolled back, 0 % go to new, so legacy"),
        (
            Standing(ramp=0, why="unknown"),
            "`serve: ramp`, but where its ramp stands cannot be read: as long as it is not known, legacy",
        ),
    ],
)
def test_a_ramp_says_where_it_stands(standing: Standing, sentence: str) -> None:
    """Where it stands and why; one that cannot tell is legacy's, and says so."""
    side = NEW if standing.ramp else LEGACY
    told_so = told(Choice(side, "serves"), route("a", "GET /a", Serve.RAMP), standing=standing)
    assert told_so == f"{sentence} serves everyone"


def test_the_file_alone_does_not_know_where_a_ramp_stands() -> None:
    """The sentence says who does, and how to ask."""
    assert told(Choice(LEGACY, "serves"), route("a", "GET /a", Serve.RAMP)) == (
        "`serve: ramp`, but where its ramp stands is known to the running gateway alone "
        "(`banyan explain --running` asks it): as long as it is not known, legacy serves everyone"
    )


def test_a_ramp_s_share_is_compared_with_the_bucket() -> None:
    """While it climbs or is paused, the share that it has reached decides."""
    made = route("a", "GET /a", Serve.RAMP, sticky=Sticky("cookie", b"tenancy"))
    bucket = bucket_of(b"a", b"x1")
    assert told(Choice(LEGACY, "bucket"), made, standing=Standing(ramp=1, why="paused"), cookie="tenancy=x1") == (
        f"by its ramp, which is paused, 0.01 % go to new; bucket {bucket} of cookie `tenancy` is not below 1, "
        "so legacy serves"
    )
    assert told(Choice(NEW, "drawn"), made, standing=Standing(ramp=2500, why="climbing")).startswith(
        "by its ramp, which is climbing, 25 % go to new; the request has no cookie `tenancy`"
    )


def test_every_word_about_a_ramp_has_a_text() -> None:
    """No state that a standing can tell is left without one."""
    assert set(RAMPS) == set(get_args(Standing.__annotations__["why"]))


def test_a_tester_chose() -> None:
    """A tester's choice is told as such, without the secret."""
    tester = model.Tester(b"x-banyan-serve", b"open")
    assert told(Choice(NEW, "tester"), route("a", "GET /a", tester=tester)) == (
        "a tester asked for new, with the right secret"
    )


def test_one_side_serves() -> None:
    """Where one side serves everyone, the word in the file is named, or the share that comes to the same."""
    assert told(Choice(NEW, "serves"), route("a", "GET /a", Serve.NEW)) == "`serve: new`"
    none = told(Choice(LEGACY, "serves"), route("a", "GET /a", Serve.SPLIT, share=0))
    assert none == "0 % go to new, so legacy serves everyone"


@pytest.mark.parametrize(("side", "below"), [(LEGACY, "not below"), (NEW, "below")])
def test_a_bucket_is_compared_with_the_share(side: str, below: str) -> None:
    """A client can see its bucket, the share, and on which side of it it is."""
    made = route("a", "GET /a", Serve.SPLIT, share=1250, sticky=Sticky("cookie", b"tenancy"))
    bucket = bucket_of(b"a", b"x1")
    chosen = Choice(LEGACY if side == "legacy" else NEW, "bucket")
    assert told(chosen, made, cookie="tenancy=x1") == (
        f"12.5 % go to new; bucket {bucket} of cookie `tenancy` is {below} 1250, so {side} serves"
    )


def test_chance_is_admitted() -> None:
    """Where chance decides, the sentence says what is missing for it not to."""
    sticky = route("a", "GET /a", Serve.SPLIT, share=5000, sticky=Sticky("header", b"x-tenant"))
    assert told(Choice(NEW, "drawn"), sticky) == (
        "50 % go to new; the request has no header `x-tenant`, so the side is drawn at random per request"
    )
    assert told(Choice(NEW, "drawn"), route("a", "GET /a", Serve.SPLIT, share=5000)) == (
        "50 % go to new; the route has no `sticky`, so the side is drawn at random per request"
    )


def test_a_key_has_a_name() -> None:
    """Every kind of client key is named as in the file."""
    assert key_name(Sticky("query", b"t")) == "query `t`"
    assert key_name(Sticky("address")) == "the client's address"


def test_every_reason_of_planning_has_a_sentence() -> None:
    """No word that planning gives is left without one."""
    assert set(SENTENCES) == {
        "retired",
        "record",
        "settles",
        "crosswalk",
        "override",
        "tester",
        "serves",
        "bucket",
        "drawn",
    }
