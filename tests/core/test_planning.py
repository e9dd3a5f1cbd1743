from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import model
from gateway.core.model import (
    BUCKETS,
    LEGACY,
    NEW,
    Backend,
    Deprecation,
    Gateway,
    HeaderEdit,
    Placeholder,
    Request,
    Route,
    Serve,
    Side,
    Sticky,
    Target,
    Timeouts,
)
from gateway.core.paths import problem_of
from gateway.core.planning import (
    KNOWN_METHODS,
    SAFE_METHODS,
    VIA,
    Choice,
    PathProblem,
    announcement,
    can_stand,
    client_key,
    cookie_value,
    edited,
    may_fall_back,
    most_of,
    only_reads,
    planned,
    reads_of,
    settling,
    share_of,
    side_of,
    target_path,
)
from gateway.core.policies import NO_STANDING, CachePolicy, Shadow, Standing, Writes
from gateway.core.splitting import bucket_of, choose
from tests.support.values import OFFICE, REPAIRS, fields, plan_of, request, route, split

ADDRESS = b"192.0.2.7"
TESTER = model.Tester(b"x-banyan-serve", b"open sesame")
BY_ADDRESS = Sticky("address")


def chosen(given: Route, asked: Request, draw: int = 0) -> tuple[Side, str]:
    """The side of a request, and why."""
    choice = side_of(plan_of(given), asked, ADDRESS, lambda: draw)
    return choice.side, choice.why


# ------------------------------------------------------------------------------------------------ compiling a route


def test_a_route_is_watched_while_somebody_wants_what_passes() -> None:
    """For its shadow, for a taker, or for both."""
    plain, copied = (plan_of(route(shadow=shadow)) for shadow in (None, Shadow(100)))
    assert [each.watched for each in (plain, copied)] == [False, True]
    for each in (plain, copied):
        each.capture("somebody")
        assert (each.watched, each.taker) == (True, "somebody")
        each.capture(None)
    assert [(each.watched, each.taker) for each in (plain, copied)] == [(False, None), (True, None)]


def test_a_plan_is_finished_when_the_table_is_built() -> None:
    """Each side has its backend, its target and its bounds before the first request comes."""
    made = plan_of(route("GET /a", max_body=7))
    legacy, new = made.plans[LEGACY], made.plans[NEW]
    assert (legacy.backend, new.backend) == (OFFICE, REPAIRS)
    assert (legacy.side, new.side, legacy.route, legacy.max_body) == (LEGACY, NEW, "GET /a", 7)
    assert plan_of(route(), gateway=Gateway(max_body=9)).plans[LEGACY].max_body == 9


def test_the_nearest_timeout_counts() -> None:
    """A route's timeout goes before its backend's, and that before the gateway's."""
    backend = OFFICE._replace(timeout=(("connect", 2.0), ("response", 20.0)))
    gateway = Gateway(timeout=Timeouts(connect=1.0, response=1.0, total=1.0))
    made = planned(route(new=None, timeout=(("response", 200.0),)), {"office": backend}, gateway)
    assert made.plans[LEGACY].timeouts == Timeouts(connect=2.0, response=200.0, total=1.0)
    assert list(made.plans) == [LEGACY]


def test_answers_say_who_served() -> None:
    """That a gateway stood between is on each answer; so are side, backend and route, unless that is turned off."""
    served_by = b"X-Banyan-Served-By: new; repairs; a\r\n"
    assert plan_of(route(name="a")).plans[NEW].answer_lines == VIA + served_by
    assert plan_of(route(name="a"), gateway=Gateway(served_by=False)).plans[NEW].answer_lines == VIA


def test_a_deprecated_route_says_so() -> None:
    """Deprecation, sunset, where to read more and the successor stand on every answer (RFC 9745, RFC 8594)."""
    whole = route(successor="https://new.example/a", deprecated=Deprecation(86_400, 172_800, "https://example.org/why"))
    assert announcement(whole) == (
        "Deprecation: @86400\r\n"
        "Sunset: Sat, 03 Jan 1970 00:00:00 GMT\r\n"
        'Link: <https://example.org/why>; rel="deprecation"\r\n'
        'Link: <https://new.example/a>; rel="successor-version"\r\n'
    )
    assert announcement(route(deprecated=Deprecation(86_400))) == "Deprecation: @86400\r\n"
    assert announcement(route(successor="https://new.example/a")) == ""
    assert plan_of(whole).plans[NEW].answer_lines.endswith(announcement(whole).encode())


@pytest.mark.parametrize(
    ("serve", "share"), [(Serve.LEGACY, 0), (Serve.NEW, BUCKETS), (Serve.SPLIT, 1_234), (Serve.RETIRED, 0)]
)
def test_a_share_follows_the_word(serve: Serve, share: int) -> None:
    """`legacy` and `retired` give the new side nothing, `new` everything, and a share what it says."""
    assert share_of(route(serve=serve, share=1_234)) == share


PREFIXES: list[tuple[str, tuple[bytes | Placeholder, ...] | None, bytes, tuple[bytes, bytes] | None]] = [
    ("GET /a", None, b"", None),
    ("GET /a", None, b"/base", (b"/base", b"")),
    ("ANY /a/b/**", (b"/v2/", Placeholder("rest", b"")), b"", (b"/v2", b"/a/b")),
    ("ANY /a/**", (b"/", Placeholder("rest", b"")), b"/base", (b"/base", b"/a")),
    ("ANY /a/**", (b"/", Placeholder("rest", b"")), b"", (b"", b"/a")),
    ("ANY /my app/(1)/**", (b"/v2/", Placeholder("rest", b"")), b"", (b"/v2", b"/my%20app/(1)")),
    ("ANY /{x}/**", (b"/v2/", Placeholder("rest", b"")), b"", None),
    ("GET /a", (b"/v2",), b"", None),
    ("GET /a", (), b"/one/address", None),
    ("ANY /a/{x}", (b"/v2/", Placeholder("path", b"x")), b"", None),
]


@pytest.mark.parametrize(("pattern", "path", "base", "prefix"), PREFIXES)
def test_paths_that_differ_only_in_front_can_be_made_public(
    pattern: str, path: tuple[bytes | Placeholder, ...] | None, base: bytes, prefix: tuple[bytes, bytes] | None
) -> None:
    """Where a backend's paths are the public ones with another beginning, both beginnings are known, as sent."""
    made = plan_of(route(pattern, legacy=Target("office", path)), (OFFICE._replace(base=base), REPAIRS))
    assert made.plans[LEGACY].public_prefix == prefix


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_reads_are_safe_by_their_method(method: bytes) -> None:
    """GET, HEAD and OPTIONS are safe and may be sent twice, unless the route says that they change something."""
    assert method in plan_of(route()).safe
    assert method in plan_of(route()).idempotent
    assert method not in plan_of(route(safe=False)).safe
    assert method not in plan_of(route(safe=False)).idempotent
    assert method in plan_of(route(safe=False, idempotent=True)).idempotent


@pytest.mark.parametrize(
    ("method", "idempotent"), [(b"PUT", True), (b"DELETE", True), (b"POST", False), (b"PATCH", False)]
)
def test_writes_are_unsafe_until_declared(method: bytes, idempotent: bool) -> None:
    """PUT and DELETE may be sent twice, POST and PATCH not; what a route declares goes before its method."""
    assert method not in plan_of(route()).safe
    assert (method in plan_of(route()).idempotent) == idempotent
    assert method in plan_of(route(safe=True)).safe
    assert method in plan_of(route(safe=True)).idempotent
    assert method in plan_of(route(idempotent=True)).idempotent
    assert method not in plan_of(route(idempotent=False, safe=True)).idempotent


# ------------------------------------------------------------------------------------------------ which side


def test_the_word_serves_everyone() -> None:
    """`legacy` and `new` serve every read, whoever asks."""
    assert chosen(route(serve=Serve.LEGACY, sticky=BY_ADDRESS), request()) == (LEGACY, "serves")
    assert chosen(route(serve=Serve.NEW, sticky=BY_ADDRESS), request()) == (NEW, "serves")
    assert chosen(split(share=0), request()) == (LEGACY, "serves")
    assert chosen(split(share=BUCKETS), request()) == (NEW, "serves")


@pytest.mark.parametrize(
    ("made", "side"),
    [
        (route(), LEGACY),
        (route(serve=Serve.NEW), NEW),
        (route(serve=Serve.NEW, legacy=None), NEW),
        (split(share=9_999), LEGACY),
        (split(share=BUCKETS), LEGACY),
        (route(serve=Serve.NEW, new=None, legacy=None), NEW),
    ],
)
def test_writes_go_whole_to_the_record(made: Route, side: Side) -> None:
    """No share moves a write, and neither does a tester: it goes to new only once new serves everything."""
    made = made._replace(tester=TESTER, sticky=BY_ADDRESS)
    assert chosen(made, request("POST /a", "X-Banyan-Serve: new open sesame")) == (side, "record")
    assert chosen(made._replace(safe=False), request("GET /a")) == (side, "record")


@pytest.mark.parametrize("serve", list(Serve))
def test_the_record_is_the_side_that_the_file_names(serve: Serve) -> None:
    """Then `serve` moves the reads alone; an override that moves the writes, too, goes before it."""
    if serve is Serve.RETIRED:
        return
    named = route(serve=serve)._replace(writes=Writes(record=NEW))
    assert chosen(named, request("POST /a")) == (NEW, "record")
    assert chosen(named._replace(writes=Writes(record=LEGACY)), request("POST /a")) == (LEGACY, "record")
    assert standing_at(named, Standing(override=0, record=LEGACY), request("POST /a")) == (LEGACY, "record")


@pytest.mark.parametrize(
    ("standing", "reads"),
    [
        (NO_STANDING, 2_500),
        (Standing(override=0), 0),
        (Standing(override=10_000, ramp=500), 10_000),
        (Standing(record=NEW), 2_500),
    ],
)
def test_reads_go_by_the_override_first(standing: Standing, reads: int) -> None:
    """And otherwise by the file's share, or the ramp's."""
    assert reads_of(split("GET /a", 2_500), standing) == reads
    assert reads_of(route("GET /a", Serve.RAMP), Standing(ramp=500, why="climbing")) == 500


@pytest.mark.parametrize(
    ("pattern", "safe", "reads"),
    [
        ("GET /a", None, True),
        ("GET /a", False, False),
        ("POST /a", None, False),
        ("POST /a", True, True),
        ("GET,POST /a", None, False),
        ("ANY /a", None, False),
    ],
)
def test_a_route_that_only_reads_takes_nothing_else(pattern: str, safe: bool | None, reads: bool) -> None:
    """By its methods, or as it is declared; what takes any method may be written to."""
    assert only_reads(route(pattern, safe=safe)) is reads


def test_what_a_file_begins_with() -> None:
    """A ramp sends some to new, sooner or later; what is gone sends nothing anywhere."""
    shares = {each: most_of(each, 2_500) for each in Serve}
    assert shares == {Serve.LEGACY: 0, Serve.NEW: 10_000, Serve.SPLIT: 2_500, Serve.RAMP: 1, Serve.RETIRED: 0}


@pytest.mark.parametrize(
    ("override", "record", "needs"),
    [
        (0, None, {LEGACY}),
        (0, NEW, {LEGACY, NEW}),
        (10_000, None, {NEW}),
        (10_000, LEGACY, {LEGACY, NEW}),
        (2_500, None, {LEGACY, NEW}),
    ],
)
def test_an_override_needs_the_sides_that_it_names(override: int, record: Side | None, needs: set[Side]) -> None:
    """For its reads and for its writes; what it does not name may be gone."""
    whole = route("ANY /a")
    assert can_stand(whole, override, record)
    assert can_stand(whole._replace(legacy=None), override, record) == (LEGACY not in needs)
    assert can_stand(whole._replace(new=None), override, record) == (NEW not in needs)


def test_the_record_of_a_writer_is_what_its_writes_go_to() -> None:
    """Also where an override has moved it."""
    made = planned(route()._replace(writes=Writes(settle=5)), {OFFICE.name: OFFICE, REPAIRS.name: REPAIRS}, Gateway())
    assert (made.settle, settling(made)) == (5, (LEGACY, "settles"))
    made.stand(Standing(override=0, record=NEW))
    assert settling(made) == (NEW, "settles")


def test_a_declared_read_is_divided() -> None:
    """A POST that the route declares safe is divided like any other read."""
    assert chosen(split(share=1, safe=True), request("POST /a")) == (NEW, "drawn")


def test_retired_comes_before_everything() -> None:
    """A retired route has no side left, not even for a tester or a write."""
    made = route(serve=Serve.RETIRED, tester=TESTER)
    assert chosen(made, request("GET /a", "X-Banyan-Serve: new open sesame"))[1] == "retired"
    assert chosen(made, request("POST /a"))[1] == "retired"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (("X-Banyan-Serve: new open sesame",), (NEW, "tester")),
        (("x-banyan-SERVE: legacy  open sesame",), (LEGACY, "tester")),
        (("X-Banyan-Serve: new wrong", "X-Banyan-Serve: new open sesame"), (NEW, "tester")),
        (("X-Banyan-Serve: new wrong",), (LEGACY, "serves")),
        (("X-Banyan-Serve: new",), (LEGACY, "serves")),
        (("X-Banyan-Serve: newer open sesame",), (LEGACY, "serves")),
        (("X-Banyan-Other: new open sesame",), (LEGACY, "serves")),
        ((), (LEGACY, "serves")),
    ],
)
def test_a_tester_chooses_with_proof(lines: tuple[str, ...], found: tuple[Side, str]) -> None:
    """A tester's header chooses the side when it names one and holds the secret, and is ignored otherwise."""
    asked = request("GET /a", *lines)
    assert chosen(route(tester=TESTER), asked) == found
    assert asked.fields == ()


def test_a_tester_cannot_choose_what_is_not_there() -> None:
    """A tester of a side that the route has not got is served like everyone, and so is one where none is foreseen."""
    asks_new = request("GET /a", "X-Banyan-Serve: new open sesame")
    asks_legacy = request("GET /a", "X-Banyan-Serve: legacy open sesame")
    assert chosen(route(new=None, tester=TESTER), asks_new) == (LEGACY, "serves")
    assert chosen(route(serve=Serve.NEW, legacy=None, tester=TESTER), asks_legacy) == (NEW, "serves")
    assert chosen(route(), asks_new) == (LEGACY, "serves")


# ------------------------------------------------------------------------------------------------ beside the file


def standing_at(given: Route, standing: Standing, asked: Request, draw: int = 0) -> tuple[Side, str]:
    """The side of a request where a route stands beside the file, and why."""
    made = plan_of(given)
    made.stand(standing)
    choice = side_of(made, asked, ADDRESS, lambda: draw)
    return choice.side, choice.why


@pytest.mark.parametrize("serve", [Serve.LEGACY, Serve.NEW, Serve.SPLIT, Serve.RAMP])
def test_an_override_goes_before_the_file(serve: Serve) -> None:
    """A flip made live moves all reads, or a share of them, whatever the file says."""
    made = route(serve=serve, share=5_000, sticky=BY_ADDRESS)
    climbing = Standing(ramp=5_000, why="climbing")
    assert standing_at(made, climbing._replace(override=0), request()) == (LEGACY, "override")
    assert standing_at(made, climbing._replace(override=BUCKETS), request()) == (NEW, "override")
    for share in (1, BUCKETS - 1):
        side = choose(bucket_of(b"GET /a", ADDRESS), share)
        assert standing_at(made, climbing._replace(override=share), request()) == (side, "bucket")


def test_an_override_goes_before_testers() -> None:
    """Who rolls back at night rolls back everyone."""
    made = route(tester=TESTER)
    asked = request("GET /a", "X-Banyan-Serve: new open sesame")
    assert standing_at(made, Standing(override=0), asked) == (LEGACY, "override")
    assert standing_at(made, NO_STANDING, asked) == (NEW, "tester")


def test_an_override_moves_writes_only_where_it_says_so() -> None:
    """Reads go, and the record stays where the file has it, unless the override moves that, too."""
    made, write = route("ANY /a", serve=Serve.LEGACY), request("POST /a")
    assert standing_at(made, Standing(override=BUCKETS), write) == (LEGACY, "record")
    assert standing_at(made, Standing(override=BUCKETS, record=NEW), write) == (NEW, "record")
    assert standing_at(route("ANY /a", serve=Serve.NEW), Standing(override=0), write) == (NEW, "record")


def test_a_retired_route_cannot_be_overridden() -> None:
    """What the file has ended does not come back by a flip made live."""
    made = route(serve=Serve.RETIRED)
    assert standing_at(made, Standing(override=BUCKETS), request()) == (LEGACY, "retired")


@given(st.integers(0, BUCKETS), st.integers(0, BUCKETS - 1))
def test_a_ramp_gives_the_share_that_it_has_reached(share: int, bucket: int) -> None:
    """Whatever it has reached counts, whether it climbs, is paused or was rolled back."""
    made = route(serve=Serve.RAMP)
    side, why = standing_at(made, Standing(ramp=share, why="climbing"), request(), draw=bucket)
    assert side == choose(bucket, share)
    assert why == ("drawn" if 0 < share < BUCKETS else "serves")


def test_a_ramp_that_does_not_know_its_place_is_legacy_s() -> None:
    """Before anyone has told where it stands, and when nobody can, no read goes to new; no write ever does."""
    made = route("ANY /a", serve=Serve.RAMP, sticky=BY_ADDRESS)
    assert chosen(made, request()) == (LEGACY, "serves")
    assert standing_at(made, Standing(why="unknown"), request()) == (LEGACY, "serves")
    assert standing_at(made, Standing(ramp=BUCKETS, why="finished"), request("POST /a")) == (LEGACY, "record")


def test_what_stood_beside_the_file_is_forgotten() -> None:
    """When an override ends, the file's word counts again, and clients are known only where they are divided."""
    made = plan_of(route(serve=Serve.NEW, sticky=BY_ADDRESS))
    made.stand(Standing(override=5_000, record=LEGACY))
    assert (made.sticky, made.record) == (BY_ADDRESS, LEGACY)
    made.stand(NO_STANDING)
    assert (made.standing, made.override, made.sticky, made.record) == (NO_STANDING, None, None, NEW)
    assert side_of(made, request(), ADDRESS, lambda: 0) == Choice(NEW, "serves")


# ------------------------------------------------------------------------------------------------ shares and clients


@given(st.text("abcdef0123456789", min_size=1, max_size=12), st.integers(1, BUCKETS - 1))
def test_a_client_stays_on_its_side(client: str, share: int) -> None:
    """The same client gets the same side of a journey, on every route of it and whatever chance says."""
    sticky = Sticky("cookie", b"tenancy")
    asked = request("GET /a", f"Cookie: x=y; tenancy={client}")
    expected = choose(bucket_of(b"rents", client.encode()), share)
    for number in range(3):
        made = split(f"GET /{number}", share, sticky=sticky, journey="rents")
        assert chosen(made, asked, draw=number * 4_999) == (expected, "bucket")


def test_a_journey_is_the_route_s_own_id_by_default() -> None:
    """A route renamed under the same id divides its clients as before."""
    old = split(name="old", id="repairs", sticky=BY_ADDRESS)
    renamed = split(name="renamed", id="repairs", sticky=BY_ADDRESS)
    assert plan_of(old).journey == plan_of(renamed).journey == b"repairs"
    assert chosen(old, request()) == chosen(renamed, request())


def test_chance_decides_where_nothing_else_does() -> None:
    """A client without a key is drawn a side per request, by the share."""
    for made in (split(share=2_500), split(share=2_500, sticky=Sticky("cookie", b"tenancy"))):
        assert chosen(made, request(), draw=2_499) == (NEW, "drawn")
        assert chosen(made, request(), draw=2_500) == (LEGACY, "drawn")


@pytest.mark.parametrize(
    ("sticky", "key"),
    [
        (Sticky("cookie", b"tenancy"), b"t1"),
        (Sticky("cookie", b"missing"), b""),
        (Sticky("header", b"x-account"), b"a1"),
        (Sticky("header", b"x-missing"), b""),
        (Sticky("query", b"account"), b"\xc3\xa9"),
        (Sticky("query", b"missing"), b""),
        (BY_ADDRESS, ADDRESS),
    ],
)
def test_a_client_is_known_by_what_the_route_says(sticky: Sticky, key: bytes) -> None:
    """A cookie, a header, a query parameter or the address identifies a client; nothing does when it is not there."""
    asked = request(
        "GET /a?b&account=%c3%a9&account=2", "Cookie: a=1", "Cookie: tenancy=t1", "X-Account: a1", "X-Account: a2"
    )
    assert client_key(sticky, asked, ADDRESS) == key


@pytest.mark.parametrize(
    ("cookie", "value"),
    [
        (b"a=1", b"1"),
        (b"b=2;a=1; a=3", b"1"),
        (b'a="1"', b"1"),
        (b"a=x=y", b"x=y"),
        (b"A=1; aa=2", b""),
        (b"a", b""),
        (b"", b""),
    ],
)
def test_a_cookie_is_found_by_its_name(cookie: bytes, value: bytes) -> None:
    """The first cookie of exactly that name counts, without its quotes."""
    assert cookie_value(cookie, b"a") == value
    for more in (b"", b"; b=" + b"x" * 300):  # short ones are remembered, and asked for twice
        asked = replace(request(), cookie=cookie + more)
        assert [client_key(Sticky("cookie", b"a"), asked, b"") for _ in range(2)] == [value, value]


# ------------------------------------------------------------------------------------------------ what is sent


def sent(pattern: str, start: str, *path: bytes | Placeholder, lines: tuple[str, ...] = (), **backend: Any) -> Any:
    """The request target that a backend gets; text when the path cannot be filled."""
    office = Backend("office", "office.internal", 80, **backend)
    made = route(pattern, legacy=Target("office", path or None), raw_path=True)
    asked = request(start, *lines)
    planned_route = plan_of(made, (office, REPAIRS))
    target = target_path(planned_route.plans[LEGACY], planned_route, asked)
    return target.detail if isinstance(target, PathProblem) else target


REST = Placeholder("rest", b"")
ID = Placeholder("path", b"id")


def test_a_path_goes_on_as_it_came() -> None:
    """Without a path of the target's own, every byte is sent as received: escapes, brackets, a trailing `?`."""
    assert sent("ANY /**", "GET /a%7e/[x]/%c3?b=[1]&&c") == b"/a%7e/[x]/%c3?b=[1]&&c"
    assert sent("ANY /**", "GET /a?") == b"/a?"
    assert sent("ANY /**", "GET http://api.example/a?b", base=b"/base") == b"/base/a?b"


def test_a_template_is_filled() -> None:
    """Segments of the path go where the template names them, as received; the query follows."""
    pattern = "ANY /a/{id}/{part}/**"
    start = "GET /a/%31/x;y/c%20d//e?f=g"
    assert sent(pattern, start, b"/v2/", Placeholder("path", b"part"), b"/", ID) == b"/v2/x;y/%31?f=g"
    assert sent(pattern, start, b"/v2/", REST, base=b"/base") == b"/base/v2/c%20d//e?f=g"
    assert sent(pattern, start, b"/v2/", ID, b"/", REST) == b"/v2/%31/c%20d//e?f=g"
    assert sent("ANY /a/**", "GET /a", b"/v2/", REST) == b"/v2/"
    assert sent("GET /a/{id}", "GET /a/1", b"/v2/", ID, b".json") == b"/v2/1.json"


def test_values_from_elsewhere_become_one_segment() -> None:
    """A query parameter or a header is encoded whole, so that it cannot lead elsewhere."""
    query, header = Placeholder("query", b"q"), Placeholder("header", b"x-h")
    assert sent("GET /a", "GET /a?q=b%2Fc+d%c3%a9&q=2", b"/v2/", query) == b"/v2/b%2Fc%20d%C3%A9?q=b%2Fc+d%c3%a9&q=2"
    assert sent("GET /a", "GET /a", b"/v2/", header, lines=("X-H: 1?2#3", "x-h: 4")) == b"/v2/1%3F2%233"


def test_a_value_that_is_missing_is_a_client_s_mistake() -> None:
    """The answer names what the request lacks."""
    assert sent("GET /a", "GET /a?r=1", b"/", Placeholder("query", b"q")) == "The request has no query q."
    assert sent("GET /a", "GET /a", b"/", Placeholder("header", b"x-h")) == "The request has no header x-h."
    assert sent("GET /a", "GET /a", b"/", Placeholder("body", b"No")) == "The request has no body No."


@pytest.mark.parametrize(
    "value", ["", ".", "..", "%2e%2e", "..%3bx", "..%2f..", "a%2f..%2fb", "%00", "a%5cb", "%c0%ae"]
)
def test_a_value_that_leads_elsewhere_is_refused(value: str) -> None:
    """What no request path may hold cannot be brought into one through a parameter either."""
    assert (
        sent("GET /a", f"GET /a?q={value}", b"/", Placeholder("query", b"q")) == "The query q cannot be part of a path."
    )


@given(st.binary(max_size=12))
def test_no_value_makes_a_path_that_would_be_refused(value: bytes) -> None:
    """Whatever a parameter holds, the path sent is one that the gateway itself would take, with as many segments."""
    encoded = "".join(f"%{byte:02x}" for byte in value)
    target = sent("GET /a", f"GET /a?q={encoded}", b"/v2/", Placeholder("query", b"q"), b"/x")
    if isinstance(target, bytes):
        path = target.partition(b"?")[0]
        assert problem_of(path) is None
        assert path.count(b"/") == 3


def test_an_edit_removes_and_adds() -> None:
    """Fields removed are gone in any spelling, those added replace their elders, the others stay in order."""
    given_fields = fields("A: 1", "b: 2", "X-Old: 3", "x-OLD: 4", "A: 5")
    edit = HeaderEdit(add=((b"B", b"6"), (b"C", b"7")), remove=(b"x-old",))
    assert edited(given_fields, edit) == fields("A: 1", "A: 5", "B: 6", "C: 7")
    assert edited(given_fields, HeaderEdit()) == given_fields


def test_a_choice_tells_its_reason() -> None:
    """A choice is a plain value: a side and a word."""
    assert side_of(plan_of(route()), request(), ADDRESS, lambda: 0) == Choice(LEGACY, "serves")


def test_a_copy_has_less_time() -> None:
    """No wait of it is longer than its shadow's, and neither is the whole; what is shorter stays."""
    plan = plan_of(route("GET /a", timeout=(("connect", 1.0),))).plans["new"]
    timeouts = plan.within(Shadow(BUCKETS, timeout=2.0)).timeouts
    assert (timeouts.connect, timeouts.response, timeouts.answer_idle, timeouts.total) == (1.0, 2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("given", "copied"),
    [
        (route("ANY /a"), None),
        (route("ANY /a", shadow=Shadow(100)), SAFE_METHODS),
        (route("ANY /a", shadow=Shadow(100, sandbox=True)), KNOWN_METHODS),
        (route("ANY /a", shadow=Shadow(100), new=None), None),
        (route("ANY /a", Serve.RETIRED, shadow=Shadow(100)), None),
    ],
)
def test_what_is_copied(given: Route, copied: frozenset[bytes] | None) -> None:
    """Safe requests, or all of them into a sandbox; nothing without a second side, or where nobody serves."""
    compiled = plan_of(given)
    assert (compiled.copied if compiled.shadow is not None else None) == copied


@pytest.mark.parametrize(
    ("start", "lines", "falls_back"),
    [
        ("GET /a", (), True),
        ("POST /a", (), False),
        ("GET /a", ("Connection: upgrade", "Upgrade: websocket"), False),
        ("GET /a", ("Authorization: Negotiate YII=",), False),
    ],
)
def test_what_may_fall_back(start: str, lines: tuple[str, ...], falls_back: bool) -> None:
    """Reads, where the route says so: writes have a record, and what belongs to one connection stays there."""
    assert may_fall_back(plan_of(route("ANY /a", fallback=True)), request(start, *lines)) is falls_back
    assert not may_fall_back(plan_of(route("ANY /a")), request(start, *lines))


def test_a_route_of_one_side_has_nowhere_to_fall_back_to() -> None:
    """Nor has one that is retired."""
    assert plan_of(route("GET /a", fallback=True)).fallback
    assert not plan_of(route("GET /a", fallback=True, new=None)).fallback
    assert not plan_of(route("GET /a", fallback=True, serve=Serve.RETIRED)).fallback


def test_answers_are_kept_by_how_a_side_is_called() -> None:
    """After a reload that changes it they are others; what is not kept has no tag."""
    kept = CachePolicy(60.0)
    tags = {
        plan_of(made).plans[LEGACY].tag
        for made in (
            route(cache=kept),
            route(cache=kept, legacy=Target("repairs")),
            route(cache=kept, legacy=Target("office", (b"/b",))),
            route(cache=kept, name="other"),
        )
    }
    assert len(tags) == 4
    assert plan_of(route(cache=CachePolicy(1.0))).plans[LEGACY].tag in tags
    assert plan_of(route()).plans[LEGACY].tag == ""
    called = Target("office", call=("anything", "large"))
    assert plan_of(route(cache=kept, legacy=called)).plans[LEGACY].tag not in tags
