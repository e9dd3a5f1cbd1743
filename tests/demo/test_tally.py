"""The accounts of what the clients saw."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.tally import WINDOW, Figures, Seen, Tally, quantile


def seen(at: float, side: str = "legacy", client: str = "a", seconds: float = 0.01, failure: str = "") -> Seen:
    return Seen(at, client, "r", side, seconds, failure)


def tallied(*entries: Seen) -> Tally:
    tally = Tally(0.0)
    for entry in entries:
        tally.note(entry)
    return tally


def test_totals_count_right_answers_and_failures_apart() -> None:
    """A failure is never an answer of a side."""
    tally = tallied(seen(1.0), seen(1.1, "new"), seen(1.2, failure="GET /: answered 502"))
    assert (tally.answered, tally.failed) == (2, 1)
    assert tally.routes["r"].sides == {"legacy": 1, "new": 1}
    assert list(tally.failures) == ["GET /: answered 502"]


def test_balances_that_are_off_are_answers_all_the_same() -> None:
    """They are counted, with the time of the last one; a failure is no answer, so it is not off."""
    tally = tallied(seen(1.0)._replace(off=True), seen(2.0)._replace(off=True), seen(3.0))
    assert (tally.off, tally.answered, tally.routes["r"].last_off) == (2, 3, 2.0)


def test_figures_are_those_of_the_last_few_seconds() -> None:
    """What lies further back than the window is in the totals only."""
    tally = tallied(seen(1.0, seconds=9.0), seen(9.0, "new", seconds=0.02), seen(9.5, seconds=0.04))
    expected = Figures(sides={"legacy": 1, "new": 1}, rate=2 / WINDOW, failed=0, median=0.04, p95=0.04)
    assert expected == tally.figures("r", 10.0)
    assert tally.answered == 3


def test_a_young_run_is_not_divided_by_seconds_that_have_not_passed() -> None:
    """Two seconds after the start, a rate is per second of those two."""
    assert tallied(seen(1.0), seen(2.0)).figures("r", 2.0).rate == 1.0


def test_a_route_without_traffic_has_empty_figures() -> None:
    """Nothing divides by nothing."""
    figures = Tally(0.0).figures("r", 5.0)
    assert Figures({}, 0.0, 0, 0.0, 0.0) == figures
    assert figures.share("new") == 0.0


def test_a_move_is_a_known_client_on_another_side() -> None:
    """A new client moves nobody, a failure moves nobody; a known client on the other side does."""
    tally = tallied(
        seen(1.0, client="a"),
        seen(2.0, "new", client="b"),
        seen(3.0, "", client="a", failure="x"),
        seen(4.0, "new", client="a"),
        seen(5.0, "new", client="a"),
        seen(6.0, client="b"),
    )
    account = tally.routes["r"]
    assert [account.first_move(since) for since in (0.0, 4.0, 4.5, 7.0)] == [4.0, 4.0, 6.0, None]


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_quantile_is_one_of_the_values(values: list[float]) -> None:
    """Median and 95th lie within the values, in that order."""
    ordered = sorted(values)
    median, p95 = quantile(ordered, 0.5), quantile(ordered, 0.95)
    assert {median, p95} <= set(ordered)
    assert median <= p95


def test_the_quantile_of_nothing_is_nought() -> None:
    """An idle route shows 0, not an error."""
    assert quantile([], 0.5) == 0.0
