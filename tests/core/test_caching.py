"""What is kept, for how long, and to whom it is given: the cases of RFC 9111."""

from email.utils import formatdate
from typing import Any

import pytest

from gateway.core.caching import (
    Stored,
    asked,
    directives,
    freshened,
    given,
    is_fresh,
    kept,
    key_of,
    may_stand_in,
    shows_who,
    suits,
    validating,
)
from gateway.core.fields import fields_of
from gateway.core.headers import AnswerHead
from gateway.core.model import LEGACY, Request
from gateway.core.policies import CachePolicy
from tests.support.values import request

NOW = 1_700_000_000.0
TTL = CachePolicy(ttl=60.0)


def head(*lines: str, status: int = 200, length: int = 4) -> AnswerHead:
    return AnswerHead(status, b"", "".join(f"{line}\r\n" for line in lines).encode(), length, False, False)


def test_what_is_kept_under_a_key_is_counted_with_it() -> None:
    """Else long queries would fill the memory for nothing."""
    asks = request("GET /a?" + "x" * 1_000, "Cookie: " + "y" * 100)
    key = key_of(CachePolicy(ttl=60.0, vary=(b"cookie",)), "t", LEGACY, b"http://api.example", asks)
    assert 1_100 + 20 <= key.size <= 1_100 + 40


@pytest.mark.parametrize(
    ("key", "query", "same"),
    [
        (None, "?page=1", False),
        (None, "?page=2&size=9&utm=1", False),
        ((b"page", b"size"), "?size=9&page=2", True),
        ((b"page", b"size"), "?utm=1&pa%67e=2&size=9", False),  # what is written in another way is asked for once more
        ((b"page", b"size"), "?utm=1&page=2&size=9&utm=3", True),
        ((b"page", b"size"), "?page=2&size=9&page=3", False),
        ((b"page", b"size"), "?page=2&size=9&size", False),
        ((b"page", b"size"), "?page=2", False),
        ((b"page", b"size"), "", False),
        ((), "", True),
        ((), "?page=9", True),
    ],
)
def test_a_route_says_what_of_a_query_tells_answers_apart(
    key: tuple[bytes, ...] | None, query: str, same: bool
) -> None:
    """By the names of its parameters, in any order; or all of it as it comes."""
    policy = CachePolicy(ttl=60.0, key=key)
    one, other = (key_of(policy, "t", LEGACY, b"", request(f"GET /a{each}")) for each in ("?page=2&size=9", query))
    assert (one == other) is same


def stored(*lines: str, policy: CachePolicy = TTL, asks: Request | None = None, **more: Any) -> Stored | None:
    """An answer with these fields, as it is kept."""
    one = asks or request("GET /a")
    return kept(policy, one, asked(one), head(*lines, **more), b"body", NOW)


def a_stored(*lines: str, **more: Any) -> Stored:
    found = stored(*lines, **more)
    assert found is not None
    return found


def date(seconds: float) -> str:
    return formatdate(NOW + seconds, usegmt=True)


def test_directives_are_read_as_they_are_written() -> None:
    """Names in either case, values with or without quotes; what stands in quotes is one value."""
    assert directives(b'Max-Age=5 , no-cache="a, b", private,, max-age="9"') == {
        b"max-age": b"5",
        b"no-cache": b"a, b",
        b"private": b"",
    }
    assert asked(request("GET /", "Pragma: no-cache")) == {b"no-cache": b""}
    assert asked(request("GET /", "Pragma: no-cache", "Cache-Control: max-age=1")) == {b"max-age": b"1"}
    assert asked(request("GET /")) == {}


@pytest.mark.parametrize(
    ("lines", "lifetime"),
    [
        (("Cache-Control: max-age=10",), 10),
        (("Cache-Control: max-age=10, s-maxage=20",), 20),
        (("Cache-Control: max-age=10", f"Expires: {date(99)}"), 10),
        ((f"Date: {date(0)}", f"Expires: {date(30)}"), 30),
        ((f"Expires: {date(30)}",), 30),
        (("Cache-Control: max-age=99999999999999",), 2.0**31),
        ((), 60),
        (("Cache-Control: public",), 60),
    ],
)
def test_an_answer_says_for_how_long_it_is_fresh(lines: tuple[str, ...], lifetime: float) -> None:
    """Section 4.2.1; the route's own word holds where it says nothing."""
    assert a_stored(*lines).lifetime == lifetime


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        (("Cache-Control: no-store",), {}),
        (("Cache-Control: private, max-age=60",), {}),
        (("Set-Cookie: a=1", "Cache-Control: max-age=60"), {}),
        (("Vary: *",), {}),
        (("Cache-Control: max-age=0",), {}),
        (("Cache-Control: max-age=x",), {}),
        (("Cache-Control: no-cache",), {}),
        (("Expires: 0",), {}),
        (("Expires: Thu, 99 Dec 1994 16:00:00 GMT",), {}),
        ((f"Expires: {date(-5)}",), {}),
        ((), {"status": 206}),
        ((), {"status": 500}),
        ((), {"status": 404}),
        ((), {"policy": CachePolicy()}),
        ((), {"asks": request("GET /a", "Cache-Control: no-store")}),
        ((), {"asks": request("HEAD /a")}),
        ((), {"asks": request("GET /a", "Authorization: Bearer x")}),
        ((), {"asks": request("GET /a", "Cookie: a=1")}),
        (("Cache-Control: must-revalidate",), {"asks": request("GET /a", "Cookie: a=1")}),
        (("Cache-Control: public",), {"asks": request("GET /a", "Authorization: NTLM x")}),
    ],
)
def test_what_must_not_be_kept_is_not(lines: tuple[str, ...], more: dict[str, Any]) -> None:
    """Section 3: by the answer's word, by the request's, and where an answer may be somebody's own."""
    assert stored(*lines, **more) is None


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        (("Cache-Control: max-age=9",), {"status": 404}),
        (("Cache-Control: no-cache", 'ETag: "1"'), {}),
        (("Cache-Control: max-age=0", f"Last-Modified: {date(-9)}"), {}),
        (("Cache-Control: public",), {"asks": request("GET /a", "Authorization: Bearer x", "Cookie: a=1")}),
        (("Cache-Control: s-maxage=9",), {"asks": request("GET /a", "Cookie: a=1")}),
        (("Cache-Control: must-revalidate",), {"asks": request("GET /a", "Authorization: Bearer x")}),
        ((), {"asks": request("GET /a", "Cookie: a=1"), "policy": CachePolicy(60, vary=(b"cookie",))}),
        (("Cache-Control: max-age=0",), {"policy": CachePolicy(60, stale_if_error=60)}),
    ],
)
def test_what_may_be_kept_is(lines: tuple[str, ...], more: dict[str, Any]) -> None:
    """Section 3.5: what shows who asks must be told apart, or be said to be for everyone."""
    assert stored(*lines, **more) is not None


def test_two_users_have_two_keys() -> None:
    """Where the route tells them apart; and so have two sides, hosts and targets."""
    policy = CachePolicy(60, vary=(b"authorization",))
    one, other = request("GET /a?b", "Authorization: 1"), request("GET /a?b", "Authorization: 2")
    keys = {
        key_of(policy, "r", LEGACY, b"http://a", one),
        key_of(policy, "r", LEGACY, b"http://a", other),
        key_of(policy, "r", "new", b"http://a", one),
        key_of(policy, "r", LEGACY, b"http://a", request("GET /a?c", "Authorization: 1")),
        key_of(policy, "r", LEGACY, b"https://a", one),
        key_of(policy, "s", LEGACY, b"http://a", one),
    }
    assert len(keys) == 6


def test_an_answer_suits_those_who_asked_alike() -> None:
    """Section 4.1: in the fields that it says to depend on, whatever their number and order."""
    german = request("GET /a", "Accept-Language: de", "Accept-Language: en", "X: 1")
    found = a_stored("Vary: Accept-Language, X-None", asks=german)
    assert suits(found, shows=False, request=request("GET /a", "Accept-Language: de, en", "X: 2"))
    assert not suits(found, shows=False, request=request("GET /a", "Accept-Language: en"))
    assert not suits(found, shows=False, request=request("GET /a"))
    assert not suits(found, shows=False, request=request("GET /a", "Accept-Language: de, en", "X-None: 1"))


@pytest.mark.parametrize(
    ("lines", "age"),
    [
        ((), 10),
        (("Age: 20",), 30),
        ((f"Date: {date(-15)}",), 25),
        (("Age: 20", f"Date: {date(-15)}"), 30),
        (("Age: old", f"Date: {date(60)}"), 10),
    ],
)
def test_an_answer_grows_old(lines: tuple[str, ...], age: float) -> None:
    """Section 4.2.3: on its way here, and then here."""
    found = a_stored(*lines, policy=CachePolicy(1_000))
    assert found.age_at(NOW + 10) == age
    assert found.age_at(NOW - 99) == age - 10


@pytest.mark.parametrize(
    ("wants", "age", "fresh"),
    [
        ("", 59, True),
        ("", 60, False),
        ("no-cache", 1, False),
        ("max-age=10", 10, True),
        ("max-age=10", 11, False),
        ("max-age=0", 1, False),
        ("min-fresh=10", 50, True),
        ("min-fresh=10", 51, False),
        ("max-stale", 100, True),
        ("max-stale", 161, False),
        ("max-stale=10", 70, True),
        ("max-stale=10", 71, False),
    ],
)
def test_a_client_says_how_fresh_it_has_to_be(wants: str, age: float, fresh: bool) -> None:
    """Section 5.2.1."""
    found = a_stored(policy=CachePolicy(60, stale_if_error=100))
    assert is_fresh(found, directives(wants.encode()), NOW + age) is fresh


def test_what_has_to_be_checked_is_never_fresh() -> None:
    """Section 5.2.2.4; and what must not be given stale is not, whatever a client puts up with."""
    assert not is_fresh(a_stored("Cache-Control: no-cache, max-age=60", 'ETag: "1"'), {}, NOW)
    strict = a_stored("Cache-Control: must-revalidate, max-age=60", policy=CachePolicy(60, stale_if_error=100))
    assert not is_fresh(strict, {b"max-stale": b""}, NOW + 61)
    assert not may_stand_in(strict, {}, NOW + 61)


@pytest.mark.parametrize(
    ("lines", "wants", "age", "stands_in"),
    [
        ((), "", 159, True),
        ((), "", 160, False),
        (("Cache-Control: max-age=10",), "", 109, True),
        (("Cache-Control: max-age=10, stale-if-error=5",), "", 14, True),
        (("Cache-Control: max-age=10, stale-if-error=5",), "", 15, False),
        (("Cache-Control: s-maxage=10",), "", 11, False),
        (("Cache-Control: max-age=10, proxy-revalidate",), "", 11, False),
        ((), "stale-if-error=5", 64, True),
        ((), "stale-if-error=5", 65, False),
        ((), "no-cache", 1, False),
    ],
)
def test_a_stale_answer_may_stand_in(lines: tuple[str, ...], wants: str, age: float, stands_in: bool) -> None:
    """RFC 5861, section 4: as long as the route, the answer and the client say."""
    found = a_stored(*lines, policy=CachePolicy(60, stale_if_error=100))
    assert may_stand_in(found, directives(wants.encode()), NOW + age) is stands_in


def test_a_kept_answer_is_asked_after_by_its_validators() -> None:
    """Section 4.3.1: by those that it has."""
    found = a_stored('ETag: W/"1"', f"Last-Modified: {date(-9)}")
    assert validating(request("GET /a", "X: 1"), found).fields == (
        (b"X", b"1"),
        (b"If-None-Match", b'W/"1"'),
        (b"If-Modified-Since", date(-9).encode()),
    )
    assert validating(request("GET /a"), a_stored()).fields == ()


def test_an_answer_that_holds_is_fresh_again() -> None:
    """Section 4.3.4: with what the 304 says of it, but for what describes a body."""
    found = a_stored('ETag: "1"', "X-Old: 1", "Content-Type: text/plain", "Age: 50")
    again = freshened(
        found, head('ETag: "1"', "X-Old: 2", "Content-Type: a/b", status=304), TTL, request("GET /a"), NOW
    )
    assert again is not None
    assert again.body == b"body"
    assert again.age_at(NOW) == 0
    assert again.head.fields == ((b"Content-Type", b"text/plain"), (b"ETag", b'"1"'), (b"X-Old", b"2"))
    gone = freshened(found, head("Cache-Control: no-store", status=304), TTL, request("GET /a"), NOW)
    assert gone is None


def part(found: Stored, *lines: str, method: str = "GET") -> tuple[int, bytes]:
    told = given(found, request(f"{method} /a", *lines), b"banyan; hit", NOW + 5)
    return told.status, told.body


def test_an_answer_tells_its_age_and_where_it_was() -> None:
    """Section 5.1, and RFC 9211."""
    told = given(a_stored("Age: 7", "X: 1", "Cache-Status: other"), request("GET /a"), b"banyan; hit", NOW + 5)
    assert (told.status, told.body) == (200, b"body")
    assert fields_of(told.lines) == ((b"X", b"1"), (b"Age", b"12"), (b"Cache-Status", b"banyan; hit"))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('If-None-Match: "1"', 304),
        ('If-None-Match: "0", W/"1"', 304),
        ("If-None-Match: *", 304),
        ('If-None-Match: "2"', 200),
        (f"If-Modified-Since: {date(-9)}", 304),
        (f"If-Modified-Since: {date(-10)}", 200),
        ("If-Modified-Since: yesterday", 200),
    ],
)
def test_a_client_that_has_it_is_told_so(line: str, status: int) -> None:
    """RFC 9110, section 13; a tag goes before a date."""
    found = a_stored('ETag: "1"', f"Last-Modified: {date(-9)}")
    assert part(found, line)[0] == status
    assert part(found, 'If-None-Match: "2"', f"If-Modified-Since: {date(0)}")[0] == 200
    assert part(a_stored(), 'If-None-Match: "1"')[0] == 200


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("Range: bytes=1-2",), (206, b"od")),
        (("Range: bytes=2-",), (206, b"dy")),
        (("Range: bytes=-1",), (206, b"y")),
        (("Range: bytes=-9",), (206, b"body")),
        (("Range: bytes=0-99",), (206, b"body")),
        (("Range: bytes=4-",), (416, b"")),
        (("Range: bytes=-0",), (416, b"")),
        (("Range: bytes=2-1",), (200, b"body")),
        (("Range: bytes=0-1,2-3",), (200, b"body")),
        (("Range: lines=0-1",), (200, b"body")),
        (("Range: bytes=a-b",), (200, b"body")),
        (("Range: bytes=-",), (200, b"body")),
        (("Range: bytes=0-1", 'If-Range: "1"'), (206, b"bo")),
        (("Range: bytes=0-1", 'If-Range: "2"'), (200, b"body")),
        (("Range: bytes=0-1", 'If-Range: W/"1"'), (200, b"body")),
        (("Range: bytes=0-1", f"If-Range: {date(-9)}"), (206, b"bo")),
        (("Range: bytes=0-1", f"If-Range: {date(-8)}"), (200, b"body")),
    ],
)
def test_a_part_of_an_answer_is_given(lines: tuple[str, ...], told: tuple[int, bytes]) -> None:
    """RFC 9110, section 14: one span of bytes, if the answer is the one that is meant; otherwise all of it."""
    found = a_stored('ETag: "1"', f"Last-Modified: {date(-9)}")
    assert part(found, *lines) == told
    assert part(a_stored(status=301), *lines)[0] == 301


def test_a_part_says_which_one_it_is() -> None:
    """Section 14.4."""
    found = a_stored('ETag: "1"')
    told = given(found, request("GET /a", "Range: bytes=1-2"), b"x", NOW)
    assert (b"Content-Range", b"bytes 1-2/4") in fields_of(told.lines)
    told = given(found, request("GET /a", "Range: bytes=9-"), b"x", NOW)
    assert (b"Content-Range", b"bytes */4") in fields_of(told.lines)
    assert found.size == 1_024 + 4 + len(b'ETag: "1"\r\n')


def test_whoever_shows_who_asks_is_given_what_is_for_everyone() -> None:
    """What nobody in particular was told may be another thing for somebody."""
    somebody = request("GET /a", "Cookie: a=1")
    assert shows_who(TTL, somebody)
    assert not shows_who(CachePolicy(60.0, vary=(b"cookie",)), somebody)
    assert not shows_who(TTL, request("GET /a"))
    assert not suits(a_stored(), somebody, shows=True)
    assert suits(a_stored("Cache-Control: public"), somebody, shows=True)
    assert suits(a_stored("Cache-Control: s-maxage=9"), somebody, shows=True)


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "Forwarded", "Host", "X-Banyan-Serve", "Connection"])
def test_what_depends_on_what_is_set_aside_is_not_kept(name: str) -> None:
    """It cannot be compared afterwards."""
    assert stored(f"Vary: Accept, {name}") is None


def test_what_has_to_be_checked_stands_in_for_nobody() -> None:
    """Section 4.2.4."""
    found = a_stored("Cache-Control: no-cache, max-age=60", 'ETag: "1"', policy=CachePolicy(60, stale_if_error=60))
    assert not may_stand_in(found, {}, NOW)
    large = a_stored("Vary: X", asks=request("GET /a", f"X: {'x' * 5_000}"))
    assert large.size > 6_000
