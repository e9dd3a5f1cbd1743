"""What is learned from traffic."""

from collections.abc import Iterable
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.discovering import Endpoint, Learner
from tests.support.council import random_paths

NAMES = "smith jones patel khan gill shah reid cox lloyd ali gray wong chen rees fox hart moss dean tran vega".split()  # noqa: SIM905


def learned(*requests: str, status: int = 200, learner: Learner | None = None) -> Learner:
    """A learner that saw these requests, `GET /path`, a second apart."""
    learner = learner or Learner()
    for at, request in enumerate(requests, 1):
        method, _, path = request.partition(" ")
        learner.saw(method, path.encode(), 1, status, float(at))
    return learner


def told(rows: Iterable[Endpoint]) -> list[str]:
    return [f"{each.requests} {each.method} {each.template}" for each in rows]


def test_an_endpoint() -> None:
    """Its template, how often it was asked for, how often that failed, and when."""
    learner = learned("GET /housing/repairs/T100042/notes", "GET /housing/repairs/T100043/notes")
    learner.saw("GET", b"/housing/repairs/T100044/notes", 5, 503, 9.0)
    learner.saw("GET", b"/housing/repairs/T100044/notes", 2, 0, 0.5)
    learner.saw("GET", b"/housing/repairs/T100044/notes", 1, 404, 3.0)
    assert learner.endpoints() == (Endpoint("GET", "/housing/repairs/{repair}/notes", 10, 7, 0.5, 9.0),)


def test_values_that_look_like_values() -> None:
    """One of them is enough. Versions are words, and a word beside values is one, too."""
    learner = learned(
        "GET /api/v1/slots/2026-11-28",
        "GET /api/v2/slots/20261128",
        "PUT /people/nia@example.org",
        "PUT /people/nia%40example.org",
        "GET /zones/SW1A%201AA",
        "GET /repairs/REP-2024-00017",
        "GET /repairs/%73lots",
        "GET /repairs/slots",
        "POST /accounts/7/payments/c814368a-aabd-4fdb-94e4-138204c1be69",
    )
    assert sorted(told(learner.endpoints())) == [
        "1 GET /api/v1/slots/{date}",
        "1 GET /api/v2/slots/{date}",
        "1 GET /repairs/{repair}",
        "1 GET /zones/{postcode}",
        "1 POST /accounts/{account}/payments/{payment}",
        "2 GET /repairs/slots",
        "2 PUT /people/{email}",
    ]


def test_methods() -> None:
    """HEAD goes the way of GET; what is asked of an address in general is no endpoint, and nor is nonsense."""
    learner = learned("GET /a", "HEAD /a", "OPTIONS /a", "OPTIONS *", "GET *", "BREW /a", "PATCH /a")
    assert told(learner.endpoints()) == ["2 GET /a", "1 PATCH /a"]


def test_addresses_that_no_template_tells() -> None:
    """Refused ones, those of raw paths, parameters inside segments, files of a site, and endless ones."""
    learner = learned(
        "GET /a/../b",
        "GET /a//b",
        "GET /a%2Fb",
        "GET /a;jsessionid=12/b",
        "GET /odata/Repairs(12)",
        "GET /a%zz",
        "GET b%20c",
        "GET /static/app.js",
        "GET " + "/a" * 13,
    )
    assert learner.endpoints() == ()


def test_a_final_slash_counts() -> None:
    """As it does for routes."""
    assert told(learned("GET /a/", "GET /a", "GET /").endpoints()) == ["1 GET /", "1 GET /a", "1 GET /a/"]


def test_what_was_only_refused_leaves_nothing() -> None:
    """Whatever scanners ask for. Once somebody was answered there, refusals count as requests."""
    for status in (400, 401, 403, 404, 405, 4, 500, 502, 5, 0):
        assert learned("GET /a", "GET /a/7", "POST /a", status=status).places == 1
    learner = learned("GET /a/7", learner=learned("GET /a/7", "GET /a/b", "POST /a/7", status=404))
    learned("GET /a/8", "POST /a/8", "GET /a/b", "GET /b", status=404, learner=learner)
    assert told(learner.endpoints()) == ["2 GET /a/{a}"]


def test_a_refusal_that_only_the_endpoint_can_give() -> None:
    """A conflict tells of an endpoint as an answer does; so does the first digit of a status."""
    assert told(learned("PUT /a", status=409).endpoints()) == ["1 PUT /a"]
    assert told(learned("PUT /a", status=2).endpoints()) == ["1 PUT /a"]


def test_words_that_are_values() -> None:
    """Surnames become a parameter, and what follows them is one endpoint; a search among them is none of them."""
    asked = [f"GET /tenants/{name}" for name in NAMES] + [f"GET /tenants/{name}/visits/7" for name in NAMES[5:]]
    learner = learned(*asked, "GET /tenants/search", "POST /tenants/match/all", "GET /tenants/match")
    assert told(learner.endpoints()) == [
        "20 GET /tenants/{tenant_name}",
        "15 GET /tenants/{tenant_name}/visits/{visit}",
        "1 GET /tenants/match",
        "1 POST /tenants/match/all",
        "1 GET /tenants/search",
    ]


def test_a_word_among_values_that_goes_on_in_its_own_way() -> None:
    """It is none of them, however seldom it is asked for while they are found out."""
    learner = learned("GET /news/archive/2026", *(f"GET /news/{a}-{b}" for a in NAMES for b in NAMES[:5]))
    learned(*["GET /news/archive/2025"] * 5, learner=learner)
    assert told(learner.endpoints()) == ["100 GET /news/{news_name}", "6 GET /news/archive/{year}"]


def test_resources_stay_what_they_are() -> None:
    """However many there are: they go on in their own ways, or in that of all collections."""
    words = "repairs tenancies applications properties estates voids visits letters orders tasks keys alerts".split()  # noqa: SIM905
    asked = [f"{what}{rest}" for word in words for what in (f"GET /housing/{word}",) for rest in ("", "/7", "/8")]
    assert len(learned(*asked * 3).endpoints()) == 24


def test_operations_stay_what_they_are() -> None:
    """Sixty operations of one service are sixty endpoints."""
    nouns = "Tenant Repair Rent Charge Order Visit Letter Asset Block Scheme Survey Task".split()  # noqa: SIM905
    asked = [f"POST /rpc/{verb}{noun}" for verb in ("Get", "List", "Update", "Create", "Close") for noun in nouns]
    assert len(learned(*asked).endpoints()) == 60


def test_many_words_become_one_place_for_good() -> None:
    """So memory does not grow with the names of people."""
    learner = learned(*(f"GET /tenants/{a}-{b}" for a in NAMES for b in NAMES))
    assert learner.places < 70
    assert told(learner.endpoints()) == ["400 GET /tenants/{tenant_name}"]
    learned("GET /tenants/nobody-else", "GET /tenants/else", status=404, learner=learner)
    assert told(learner.endpoints()) == ["402 GET /tenants/{tenant_name}"]


def test_values_behind_values() -> None:
    """They are found, too, when there are many; in memory they are one place each."""
    towns = [f"{a}-{b}" for a in NAMES[:10] for b in NAMES[:10]]
    asked = ((town, towns[(7 * at + 13 * number) % 80]) for at, town in enumerate(towns) for number in range(3))
    learner = learned(*(f"GET /towns/{town}/{street}" for town, street in asked))
    assert told(learner.endpoints()) == ["300 GET /towns/{town_name}/{name}"]
    assert learner.places < 200


def test_an_identifier_that_looks_like_a_word() -> None:
    """Among many that look like what they are it is one of them; a word that somebody chose is not."""
    learner = learned(*["GET /payments/dQw4w9WgXcQ"] * 9, "GET /payments/nokbhtAyWpb", "GET /payments/late")
    assert told(learner.endpoints()) == ["10 GET /payments/{payment}", "1 GET /payments/late"]


def test_a_popular_endpoint_is_not_drowned() -> None:
    """A system that answers everything is scanned: what was known stays known."""
    learner = learned(*["GET /housing/estates"] * 500, *["GET /housing/voids"] * 200)
    junk = count()
    learned(*(f"GET /housing/{_letters(next(junk))}" for _ in range(3_000)), learner=learner)
    assert told(learner.endpoints())[1:] == ["500 GET /housing/estates", "200 GET /housing/voids"]


def _letters(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))


def test_memory_is_bounded() -> None:
    """Random addresses push out one another, and nothing that is in use; what is left of them is not told."""
    learner = learned(*[f"GET /rents/{number}/balance" for number in range(100)] * 3, "POST /rents/7/payments")
    learner = learned(*["POST /rents/7/payments"] * 20, learner=learner)
    small = Learner(learner.endpoints(), most=500)
    for sent in random_paths(1, 5_000):
        small.saw(*sent[:2], 1, *sent[2:])
        assert small.places <= 500
    assert told(small.endpoints())[:2] == ["300 GET /rents/{rent}/balance", "21 POST /rents/{rent}/payments"]
    assert small.take() == ()


def test_forgetting_ends_with_the_values_that_led_there() -> None:
    """A place that nobody asks for any more is free for whatever comes."""
    small = learned("GET /a/7", "GET /b/8/c", *["GET /d"] * 9, learner=Learner(most=6))
    learned("GET /e", "GET /f", learner=small)
    assert "GET /d" in {f"{each.method} {each.template}" for each in small.endpoints()}
    assert small.places <= 6


def test_what_is_taken_is_told_once() -> None:
    """Rows are differences: whoever stores them adds them up. What came once or twice waits until it comes again."""
    learner = learned(*["GET /a"] * 4, *["GET /b"] * 2)
    assert told(learner.take()) == ["4 GET /a"]
    assert told(learner.take()) == []
    learned("GET /b", "GET /a", learner=learner)
    assert told(learner.take()) == ["3 GET /b", "1 GET /a"]
    assert told(learner.take(least=1)) == []
    assert told(learner.endpoints()) == ["5 GET /a", "3 GET /b"]


def test_names_of_people_are_told_as_parameters() -> None:
    """As soon as they seem to be that: not one of them is stored, though each was asked for once."""
    learner = learned(*(f"GET /tenants/{name}" for name in NAMES))
    assert told(learner.take()) == ["20 GET /tenants/{tenant_name}"]
    learned("GET /tenants/bevan", *(f"GET /tenants/{name}" for name in NAMES), learner=learner)
    assert told(learner.take()) == ["21 GET /tenants/{tenant_name}"]


def test_known_rows_count_as_told() -> None:
    """A gateway that starts anew knows what it knew, and tells only what is more."""
    before = learned(*["GET /a/7"] * 5).take()
    again = learned("GET /a/8", learner=Learner(before))
    assert told(again.take()) == ["1 GET /a/{a}"]
    assert told(again.endpoints()) == ["6 GET /a/{a}"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
            st.lists(st.binary(max_size=5) | st.sampled_from([b"a", b"b", b"7"]), max_size=4).map(
                lambda parts: b"/" + b"/".join(parts)
            ),
            st.sampled_from([0, 200, 302, 404, 422, 500]),
        ),
        max_size=60,
    ),
    st.integers(1, 20),
)
def test_nothing_is_counted_twice_or_lost(requests: list[tuple[str, bytes, int]], every: int) -> None:
    """Whatever is asked for, what is taken now and then adds up to what is known at the end."""
    learner = Learner(most=1_000)
    taken = 0
    for number, (method, path, status) in enumerate(requests):
        learner.saw(method, path, 1, status, float(number))
        if number % every == 0:
            taken += sum(each.requests for each in learner.take(least=1))
    taken += sum(each.requests for each in learner.take(least=1))
    assert taken == sum(each.requests for each in learner.endpoints())
    assert taken <= len(requests)
    assert all(each.requests > 0 and each.first <= each.last for each in learner.endpoints())
