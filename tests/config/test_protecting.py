"""`protect` and `priority`: what is written arrives, what is left out is sensible, what protects nothing is told."""

from pathlib import Path

import pytest

from gateway.core.policies import BreakerPolicy, Protect, RetryPolicy
from tests.config.files import estate, problems


def text(protect: str, route: str = "") -> str:
    return f"""version: 1
backends:
  a: {{url: "http://a", protect: {protect}}}
  b: {{url: "http://b"}}
routes:
  - {{name: r, match: GET /r, legacy: a, new: b{route}}}
"""


def protect(folder: Path, written: str, route: str = "") -> Protect | None:
    return estate(folder, text(written, route)).backends[0].protect


def test_everything_about_protecting(tmp_path: Path) -> None:
    """Every setting arrives."""
    written = """{max_concurrent: 20, rate: 600/m, burst: 3, queue: {size: 7, wait: 500ms}, copies: 20%,
    abandon_after: 2m, breaker: {open_after: 9, share: 25%, window: 1m, retry_after: 3s, slow: 2s}}""".replace(
        "\n", " "
    )
    breaker = BreakerPolicy(9, 0.25, 60.0, 3.0, 2.0)
    assert protect(tmp_path, written) == Protect(20, 7, 0.5, 10.0, 3, breaker, 120.0, 2_000)


def test_what_is_left_out_is_sensible(tmp_path: Path) -> None:
    """Two may wait for each that may be under way, or two seconds of a rate; a tenth of a second may come at once."""
    assert protect(tmp_path, "{max_concurrent: 20}") == Protect(max_concurrent=20, queue=40)
    assert protect(tmp_path, "{rate: 50/s}") == Protect(rate=50.0, burst=5, queue=100)
    assert protect(tmp_path, "{rate: 1/s}") == Protect(rate=1.0, burst=2, queue=2)
    assert protect(tmp_path, "{breaker: {}}") == Protect(breaker=BreakerPolicy())
    assert protect(tmp_path, "{max_concurrent: 2, queue: {size: 0}}") == Protect(max_concurrent=2)


def test_copies_get_a_tenth_where_there_are_any(tmp_path: Path) -> None:
    """On either side of a route that is shadowed; where nothing is bounded they need no part."""
    found = protect(tmp_path, "{max_concurrent: 20}", ", shadow: 10%")
    assert found is not None
    assert found.copies == 1_000
    assert protect(tmp_path, "{breaker: {}}", ", shadow: 10%") == Protect(breaker=BreakerPolicy())


def test_when_to_ask_once_more(tmp_path: Path) -> None:
    """Every setting arrives; what is left out is sensible."""
    written = text("{breaker: {}}")

    def retry(text: str) -> RetryPolicy | None:
        return estate(tmp_path, written.replace('"http://b"', f'"http://b", retry: {text}')).backends[1].retry

    assert retry("{attempts: 4, on: [timeout, 502, 502], backoff: 2s, budget: 5%}") == RetryPolicy(
        4, ("timeout", "502"), 2.0, 0.05
    )
    assert retry("{}") == RetryPolicy()
    assert estate(tmp_path, written).backends[1].retry is None


@pytest.mark.parametrize(
    ("retry", "message"),
    [
        ("{attempts: 1}", "'1' is too small; 2 is the least"),
        (
            "{on: [404]}",
            "'404' is no failure to try again after; write connect, reset, timeout or a status from 500 on",
        ),
        ("{on: []}", "must not be empty"),
    ],
)
def test_a_retry_that_cannot_be_meant_is_told(tmp_path: Path, retry: str, message: str) -> None:
    """With what to write instead."""
    (found,) = problems(tmp_path, text("{breaker: {}}").replace('"http://b"', f'"http://b", retry: {retry}'))
    assert message in found


def test_a_route_may_matter_more_or_less(tmp_path: Path) -> None:
    """In three steps."""
    written = text("{max_concurrent: 2}")
    priorities = [
        estate(tmp_path, written.replace("new: b", f"new: b, priority: {word}")).routes[0].priority
        for word in ("low", "normal", "high")
    ]
    assert priorities == [-1, 0, 1]
    assert estate(tmp_path, written).routes[0].priority == 0


@pytest.mark.parametrize(
    ("written", "route", "message"),
    [
        (
            "{}",
            "",
            "backend a: protects nothing; add `max_concurrent: 20`, `rate: 50/s` or `breaker: {}`, or leave it out",
        ),
        (
            "{breaker: {}, queue: {size: 3}}",
            "",
            "nothing waits where nothing is bounded; add `max_concurrent` or `rate`, or leave `queue` out",
        ),
        (
            "{max_concurrent: 3, burst: 3}",
            "",
            "backend a: protect: `burst` is about a rate; add `rate: 50/s`, or leave it out",
        ),
        ("{max_concurrent: 0}", "", "backend a: protect.max_concurrent: '0' is too small; 1 is the least"),
        ("{rate: 50}", "", "backend a: protect.rate: '50' is not a rate; write 50/s, 600/m or 1000/h"),
        ("{rate: 0/s}", "", "backend a: protect.rate: '0/s' lets nothing through; write 1/m or more"),
        (
            "{max_concurrent: 1}",
            ", shadow: 10%",
            "a has a `max_concurrent` of 1, which cannot be shared with copies; raise it, or leave `shadow` out",
        ),
        (
            "{rate: 5/s, burst: 1}",
            ", shadow: 10%",
            "a has a `burst` of 1, which cannot be shared with copies; raise it, or leave `shadow` out",
        ),
        (
            "{max_concurrent: 20, copies: 0%}",
            ", shadow: 10%",
            "route r: a says `copies: 0%`, which lets none through; give them a part, or leave `shadow` out",
        ),
        ("{max_concurrent: 2}", ", priority: urgent", "'urgent' is not a priority; write low, normal or high"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, written: str, route: str, message: str) -> None:
    """With what to write instead."""
    (found,) = problems(tmp_path, text(written, route))
    assert found.endswith(message)
