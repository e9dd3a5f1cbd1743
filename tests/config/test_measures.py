from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import measures
from gateway.config.problems import Unreadable
from gateway.config.told import clock_text
from gateway.core.comparing.values import pointer_text


def refusal(read: Callable[[object], Any], value: object) -> str:
    with pytest.raises(Unreadable) as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("", ()),
        ("/", ("",)),
        ("/balance", ("balance",)),
        ("/charges/*/amount", ("charges", "*", "amount")),
        ("/a~1b/m~0n/0", ("a/b", "m~n", "0")),
        ("/~01", ("~1",)),
        ("/x/", ("x", "")),
    ],
)
def test_places_are_json_pointers(written: str, tokens: tuple[str, ...]) -> None:
    """Tokens are unescaped as RFC 6901, section 4, says: ~1 first, then ~0."""
    assert measures.pointer(written) == tokens


@given(st.lists(st.text()))
def test_a_place_is_written_as_it_is_read(tokens: list[str]) -> None:
    """Whatever its members are called, a place survives being written and read."""
    assert measures.pointer(pointer_text(tuple(tokens))) == tuple(tokens)


def test_what_is_no_place_is_refused() -> None:
    """A bare name, a tilde alone and another type are told how to be written."""
    assert "write /balance" in refusal(measures.pointer, "balance")
    assert "write ~0 for `~`" in refusal(measures.pointer, "/a~2")
    assert "write ~0 for `~`" in refusal(measures.pointer, "/a~")
    assert "text" in refusal(measures.pointer, 7)


def test_not_everything_can_be_ignored() -> None:
    """An answer of which nothing is compared always agrees."""
    assert measures.part_of("/a") == ("a",)
    assert "nothing would be left to compare" in refusal(measures.part_of, "")


@pytest.mark.parametrize(
    ("written", "text"), [(0.005, "0.005"), (1, "1"), (0.00001, "0.00001"), ("0.50", "0.50"), (2.0, "2.0")]
)
def test_tolerances_become_decimal_text(written: object, text: str) -> None:
    """No binary fraction comes between the file and the comparison."""
    assert measures.tolerance(written) == text


@pytest.mark.parametrize("value", [0, -1, 0.0, True, float("inf"), float("nan"), "1e3", "-1", "x", "", None, [], 1e300])
def test_what_is_no_tolerance_is_refused(value: object) -> None:
    """A difference of nothing, or of no number, is a mistake."""
    refusal(measures.tolerance, value)


@pytest.mark.parametrize(
    ("written", "text"),
    [(None, "null"), (True, "true"), (False, "false"), (1, "1"), (-2, "-2"), (1.5, "1.5"), ("A", "A"), ("007", "007")],
)
def test_scalars_become_the_text_that_json_has(written: object, text: str) -> None:
    """A table of values compares numbers and words alike."""
    assert measures.scalar(written) == text


def test_a_list_is_no_scalar() -> None:
    """What a value becomes is one value."""
    assert "not a list or mapping" in refusal(measures.scalar, [1])


def test_guards_are_read_as_people_write_them() -> None:
    """Parts in per cent, multiples with an x, and `off` where something does not count."""
    assert (measures.parity("99.5%"), measures.parity("99.95%"), measures.parity("off")) == (0.995, 0.9995, None)
    assert (measures.more_errors("+0.5%"), measures.more_errors("off")) == (0.005, None)
    assert (measures.times("1.2x"), measures.times("2x"), measures.times("0.8x")) == (1.2, 2.0, 0.8)
    assert measures.some_share("0.5%") == 50


@pytest.mark.parametrize("value", ["100%", "0%", "99.5", 99.5, "-1%", "99,5%", "99.12345%", True, None, "", []])
def test_what_is_no_parity_is_refused(value: object) -> None:
    """A parity of everything can never be shown."""
    assert refusal(measures.parity, value).startswith("{written} is not a parity; write 99.5%")


@pytest.mark.parametrize("value", ["0.5%", "+0%", "+0.0%", "+100%", "-1%", 0.5, None])
def test_what_is_no_bound_of_errors_is_refused(value: object) -> None:
    """It is a difference to the other side, so it has its sign; one of nothing leaves no room for chance."""
    assert "write +0.5%" in refusal(measures.more_errors, value)


@pytest.mark.parametrize("value", ["1.2", 1.2, "0x", "x", "off", "-1x", None])
def test_what_is_no_multiple_is_refused(value: object) -> None:
    """A bare number could be seconds."""
    assert "write 1.2x" in refusal(measures.times, value)


def test_a_share_of_nothing_is_left_out_instead() -> None:
    """No stage and no shadow is for nobody."""
    assert refusal(measures.some_share, "0%") == "{written} is none at all; write 1%, or leave it out"


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("Mon-Fri", (0, 1, 2, 3, 4)),
        ("Sat", (5,)),
        ("Fri-Mon", (0, 4, 5, 6)),
        (["Wed", "Mon", "Fri-Sat"], (0, 2, 4, 5)),
        ("Tue-Tue", (1,)),
    ],
)
def test_days_are_names_ranges_and_lists(written: object, days: tuple[int, ...]) -> None:
    """A range may run over Sunday; the order means nothing."""
    assert measures.days(written) == days


@pytest.mark.parametrize("value", ["Monday", "mon", "Mon-", "-Fri", "Mon-Xyz", "", [], ["Mon", 3], 1, None])
def test_what_is_no_day_is_refused(value: object) -> None:
    """Only the seven short names are days."""
    refusal(measures.days, value)


@pytest.mark.parametrize(
    ("written", "minutes"),
    [
        ("09:00-17:00", (540, 1020)),
        ("22:00-06:30", (1320, 390)),
        ("00:00-24:00", (0, 1440)),
        ("23:59-00:00", (1439, 0)),
    ],
)
def test_hours_may_run_over_midnight(written: str, minutes: tuple[int, int]) -> None:
    """Minutes after midnight, 24:00 being the end of a day."""
    assert measures.hours(written) == minutes


@pytest.mark.parametrize("value", ["09:00", "9:00-17:00", "09:00-17:60", "24:00-06:00", "09:00-25:00", 9, None, ""])
def test_what_are_no_hours_is_refused(value: object) -> None:
    """Two times of day with a dash, two digits each."""
    refusal(measures.hours, value)


def test_hours_are_not_empty() -> None:
    """A ramp that may never go on is a mistake."""
    assert "leaves no time at all" in refusal(measures.hours, "09:00-09:00")


@given(st.integers(0, 1439))
def test_a_time_of_day_is_written_as_it_is_read(minute: int) -> None:
    """Every minute of the day has one spelling."""
    assert measures.time_of_day(clock_text(minute)) == minute


@pytest.mark.parametrize("value", ["2:30", "24:00", "02:60", "02:30 ", 150, None])
def test_what_is_no_time_of_day_is_refused(value: object) -> None:
    """Hours and minutes, two digits each."""
    refusal(measures.time_of_day, value)


@given(st.binary(min_size=24, max_size=64))
def test_a_webhook_secret_is_the_bytes_behind_its_prefix(secret: bytes) -> None:
    """Standard Webhooks: whsec_ and base64 of 24 to 64 bytes."""
    assert measures.webhook_secret("whsec_" + b64encode(secret).decode()) == secret


@pytest.mark.parametrize(
    "value",
    [
        b64encode(bytes(32)).decode(),
        "whsec_" + b64encode(bytes(23)).decode(),
        "whsec_" + b64encode(bytes(65)).decode(),
        "whsec_hunter2hunter2hunter2!!!",
        "whsec_é",
        "",
    ],
)
def test_a_bad_secret_is_refused_and_never_repeated(value: str) -> None:
    """The message says how to make one, and nothing about the one that was there."""
    message = refusal(measures.webhook_secret, value)
    assert "openssl rand" in message
    assert "{written}" not in message
