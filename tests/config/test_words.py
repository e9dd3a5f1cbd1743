from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import words
from gateway.config.problems import Unreadable
from gateway.config.words import ServeWord
from gateway.core.model import Serve


def refusal(read: Callable[[object], Any], value: object) -> str:
    with pytest.raises(Unreadable) as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("250ms", 0.25), ("2s", 2.0), ("1.5s", 1.5), ("30m", 1800.0), ("2h", 7200.0), ("1d", 86400.0), ("1m30s", 90.0)],
)
def test_durations_are_read_as_people_write_them(written: str, seconds: float) -> None:
    """A number and its unit, or several of them."""
    assert words.duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize("value", ["2", "", "s", "2 s", "2S", "-2s", "2s ", "1h-3m", None, True, [], "٣s", "1..5s"])
def test_what_is_no_duration_is_refused_with_an_example(value: object) -> None:
    """A duration without its unit is never guessed at."""
    assert "2s" in refusal(words.duration, value) or "text" in refusal(words.duration, value)


def test_durations_have_bounds() -> None:
    """No time at all is a mistake, except where it has a meaning; so is more than a year."""
    assert refusal(words.duration, "0s") == "{written} leaves no time at all; write 2s or 200ms"
    assert words.duration_or_zero("0s") == 0.0
    assert refusal(words.duration, "366d") == "{written} is more than a year"
    assert refusal(words.duration, 5) == "{written} has no unit; write 2s or 200ms"


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("64KiB", 65536),
        ("8MiB", 8 * 2**20),
        ("10MB", 10**7),
        ("1GiB", 2**30),
        (512, 512),
        ("7B", 7),
        (0, 0),
        ("1 kB", 1000),
    ],
)
def test_sizes_are_read_as_people_write_them(written: object, size: int) -> None:
    """A number and its unit, or bytes."""
    assert words.size(written) == size


@pytest.mark.parametrize("value", ["64", "8 miB", -1, True, 1.5, "1TiB", "", None, 2**60])
def test_what_is_no_size_is_refused(value: object) -> None:
    """Text without a unit, fractions and negatives are refused."""
    assert refusal(words.size, value).startswith("{written} is not a size")


def test_a_bound_lets_something_through() -> None:
    """A limit of nothing would refuse every request."""
    assert words.positive_size("8KiB") == 8192
    assert refusal(words.positive_size, 0) == "{written} lets nothing through; write 8KiB or more"


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("legacy", ServeWord(Serve.LEGACY)),
        ("new", ServeWord(Serve.NEW)),
        ("ramp", ServeWord(Serve.RAMP)),
        ("retired", ServeWord(Serve.RETIRED)),
        ("10% new", ServeWord(Serve.SPLIT, 1000)),
        ("0% new", ServeWord(Serve.SPLIT, 0)),
        ("100% new", ServeWord(Serve.SPLIT, 10_000)),
        ("0.5% new", ServeWord(Serve.SPLIT, 50)),
        ("12.25% new", ServeWord(Serve.SPLIT, 1225)),
    ],
)
def test_serve_is_a_word_or_a_share(written: str, word: ServeWord) -> None:
    """A share has two decimals at most, and stays a share at both ends."""
    assert words.serve(written) == word


@pytest.mark.parametrize(
    "value", ["split", "Legacy", "10%", "10", 10, "-1% new", "1.234% new", "10% legacy", "10%  new", None, "", []]
)
def test_other_words_for_serve_are_refused(value: object) -> None:
    """Half a word or another word never moves traffic."""
    assert refusal(words.serve, value).startswith("{written} is not a word for serve")


def test_a_share_is_never_more_than_everything() -> None:
    """101% is a mistake, of clients or of requests."""
    assert refusal(words.serve, "100.01% new") == "{written} is more than everything; write 100% at most"
    assert refusal(words.share, "101%") == "{written} is more than everything; write 100% at most"


@pytest.mark.parametrize("value", ["25", 25, "25 %", "0.125%", "-1%", "25% new", None, "", []])
def test_what_is_no_share_is_refused(value: object) -> None:
    """A number alone could be a part or a count."""
    assert refusal(words.share, value).startswith("{written} is not a share; write 25%")


def test_what_is_kept_may_be_kept_for_years() -> None:
    """Records outlast a year; none is kept for no time, or for ever."""
    assert words.long_duration("2555d") == 7 * 365 * 86_400.0
    for value in ("0s", "36501d"):
        assert refusal(words.long_duration, value) == "{written} cannot be kept to; write 90d, or 36500d at most"


@given(st.integers(0, 10_000))
def test_a_share_is_written_as_it_is_read(share: int) -> None:
    """Writing a share and reading it again gives the same share, to the last of 10,000 buckets."""
    assert words.serve(words.serve_text(Serve.SPLIT, share)) == ServeWord(Serve.SPLIT, share)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-02", 86400),
        ("2027-03-31", 1806451200),
        ("2027-03-31T00:00:00Z", 1806451200),
        ("2027-03-31t01:00:00+01:00", 1806451200),
    ],
)
def test_dates_are_midnight_in_utc(written: str, seconds: int) -> None:
    """A date begins at midnight UTC; an instant says its zone."""
    assert words.instant(written) == seconds


@pytest.mark.parametrize(
    "value", ["tomorrow", "2027-3-1", "20270331", "2027-03-31T00:00:00", "2027-02-30", 2027, "2027-W01"]
)
def test_what_is_no_date_is_refused(value: object) -> None:
    """An instant without a zone could be meant anywhere, so it is refused like other riddles."""
    refusal(words.instant, value)


def test_methods_are_in_capitals() -> None:
    """A method in small letters is refused with its capitals; one nobody knows is refused too."""
    assert words.method("PATCH") == b"PATCH"
    assert refusal(words.method, "get") == "{written} is not a method; write GET"
    assert "GET, POST" in refusal(words.method, "FETCH")
    assert "not a method" in refusal(words.method, "CONNECT")


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (words.field_name, "X-Tenant", b"x-tenant"),
        (words.matched_field, "X-Tenant", b"x-tenant"),
        (words.editable_field, "X-Tenant", "X-Tenant"),
        (words.tester_header, "X-Banyan-Serve", b"x-banyan-serve"),
        (words.field_value, " blue ", b"blue"),
        (words.secret, " s3cret ", b"s3cret"),
        (words.cookie_name, "tenancy", b"tenancy"),
        (words.parameter_name, "größe", "größe".encode()),
        (words.host_name, "API.Example.org.", "api.example.org"),
        (words.matched_host, "*.Example.org", b"*.example.org"),
        (words.matched_host, "example.org", b"example.org"),
        (words.seen_host, "own", "own"),
        (words.seen_host, "housing.internal:8080", "housing.internal:8080"),
    ],
)
def test_names_are_read_as_the_core_wants_them(read: Callable[[object], Any], value: object, expected: object) -> None:
    """Names that HTTP compares without case are stored in small letters."""
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (words.field_name, "a b"),
        (words.field_name, ""),
        (words.matched_field, "Host"),
        (words.editable_field, "Content-Length"),
        (words.editable_field, "Host"),
        (words.tester_header, "x-serve"),
        (words.field_value, 1),
        (words.field_value, ["a"]),
        (words.secret, "  "),
        (words.cookie_name, "a;b"),
        (words.parameter_name, ""),
        (words.host_name, "example.org:80"),
        (words.host_name, "exämple.org"),
        (words.host_name, "a" * 254),
        (words.matched_host, "*"),
        (words.matched_host, "a.*.org"),
        (words.seen_host, "own:"),
        (words.seen_host, "a b"),
    ],
)
def test_names_that_cannot_be_are_refused(read: Callable[[object], Any], value: object) -> None:
    """What could break a header, or never match, is refused where it is written."""
    assert refusal(read, value)


def test_a_time_zone_is_one_that_is_known_here() -> None:
    """A name of the time zone database; anything else is refused before it is used."""
    assert words.time_zone("Europe/London") == "Europe/London"
    for wrong in ("London", "", "../etc/passwd", "Europe", "\0"):
        with pytest.raises(Unreadable):
            words.time_zone(wrong)
