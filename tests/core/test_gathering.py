"""Gathering counts answers, different requests and spans of traffic, each as the guards need them."""

from fractions import Fraction
from math import ceil
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import gathering
from gateway.core.evidence import Evidence, Recent, Verdict
from gateway.core.gathering import Gatherer, is_bad
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.policies import Guards

GUARDS = Guards()
verdicts: st.SearchStrategy[Verdict] = st.sampled_from(get_args(Verdict))
sides: st.SearchStrategy[Side] = st.sampled_from([LEGACY, NEW])


def test_a_request_is_one_piece_of_evidence() -> None:
    """A thousand answers about one account are one request, judged by its first answer."""
    gatherer = Gatherer(GUARDS)
    for number in range(1_000):
        gatherer.judged("matched" if number else "mismatched", LEGACY, 0.0, b"account", "200 one")
    for number in range(1_000):
        gatherer.judged("mismatched" if number else "matched", LEGACY, 0.0, b"other", "200 empty")
    seen = gatherer.evidence()
    assert (seen.requests, seen.wrong, seen.full) == (2, 1, 1)
    assert (seen.matched, seen.mismatched) == (1_000, 1_000)
    assert seen.shapes == {"200 one": 999, "200 empty": 1}


def test_what_may_be_noise_is_no_wrong_request() -> None:
    """An unsure answer is a judged request with content, and neither a wrong one nor part of a bad span."""
    gatherer = Gatherer(GUARDS)
    for number in range(40):
        gatherer.judged("unsure", LEGACY, number * 2.0, b"%d" % number)
    seen = gatherer.evidence()
    assert (seen.unsure, seen.requests, seen.full, seen.wrong) == (40, 40, 40, 0)
    assert (seen.spans, seen.bad, seen.awful) == (1, 0, 0)


def test_what_says_nothing_about_the_new_side_is_only_counted() -> None:
    """Skipped, incomparable, and legacy's own errors make no request and no span."""
    gatherer = Gatherer(GUARDS)
    for number in range(100):
        gatherer.judged("skipped", LEGACY, number * 1.0, b"%d" % number)
        gatherer.judged("incomparable", LEGACY, number * 1.0, b"%d" % number)
        gatherer.judged("control_error", LEGACY, number * 1.0, b"%d" % number)
        gatherer.judged("candidate_error", NEW, number * 1.0, b"%d" % number)
    assert gatherer.evidence() == Evidence(skipped=100, incomparable=100, control_error=200)


def test_the_new_sides_errors_count_whoever_served() -> None:
    """An error of the new side while it served is held against it like one of its copies."""
    gatherer = Gatherer(GUARDS)
    gatherer.judged("control_error", NEW, 0.0, b"one")
    gatherer.judged("candidate_error", LEGACY, 0.0, b"two")
    assert gatherer.evidence() == Evidence(
        candidate_error=2, requests=2, wrong=2, full=2, recent=Recent(requests=2, wrong=2)
    )


def test_a_span_is_a_minute_and_twenty_answers() -> None:
    """A span ends when both have passed; another begins with the next answer."""
    quick, slow = Gatherer(GUARDS), Gatherer(GUARDS)
    for number in range(121):
        quick.judged("matched", LEGACY, 1_000.0 + number, b"one", "200 one")
    for number in range(40):
        slow.judged("matched", LEGACY, 1_000.0 + 600 * number, b"one", "200 one")
    assert quick.evidence().spans == 1
    assert slow.evidence().spans == 2


@pytest.mark.parametrize(("wrong", "bad", "awful"), [(0, 0, 0), (1, 1, 0), (30, 1, 0), (31, 1, 1)])
def test_spans_are_bad_and_awful(wrong: int, bad: int, awful: int) -> None:
    """Of 61 answers one is more than twice 0.5 %, and 31 are half."""
    gatherer = Gatherer(GUARDS)
    for number in range(61):
        gatherer.judged("mismatched" if number < wrong else "matched", LEGACY, float(number), b"one", "200 one")
    seen = gatherer.evidence()
    assert (seen.spans, seen.bad, seen.awful) == (1, bad, awful)


@given(st.integers(1, 2_000), st.integers(1, 100).map(lambda hundredths: Fraction(hundredths, 10_000)))
def test_twice_the_allowed_part_is_bad_to_the_answer(answers: int, allowed: Fraction) -> None:
    """The boundary itself is bad, one answer less is not, whatever floats make of it."""
    least = max(1, ceil(2 * allowed * answers))
    assert is_bad(least, answers, float(allowed))
    assert not is_bad(least - 1, answers, float(allowed))
    assert not is_bad(0, answers, 0.0)


def test_it_goes_on_from_what_the_store_has() -> None:
    """After a restart the counts go on, and the evidence it began with is left as it was."""
    before = Gatherer(GUARDS)
    before.judged("matched", LEGACY, 0.0, b"one", "200 one")
    before.attempted(NEW, False, 0.01, 0.0)
    kept = before.evidence()
    after = Gatherer(GUARDS, kept)
    after.judged("matched", LEGACY, 0.0, b"two", "200 one")
    after.attempted(NEW, True, None, 0.0)
    assert after.evidence().requests == 2
    assert after.evidence().new[:2] == (2, 1)
    assert kept.new[:2] == (1, 0)


def test_attempts_are_counted_by_side() -> None:
    """Each side has its attempts, errors and latencies; what was never answered has no latency."""
    gatherer = Gatherer(GUARDS)
    gatherer.attempted(LEGACY, False, 0.010, 0.0)
    gatherer.attempted(NEW, True, 0.020, 0.0)
    gatherer.attempted(NEW, True, None, 0.0)
    seen = gatherer.evidence()
    assert (seen.legacy[:2], seen.legacy.latency.total) == ((1, 0), 1)
    assert (seen.new[:2], seen.new.latency.total) == ((2, 2), 1)


def test_what_was_told_does_not_change() -> None:
    """Evidence once given stays as it was, while more is gathered."""
    gatherer = Gatherer(GUARDS)
    first = gatherer.evidence()
    gatherer.judged("matched", LEGACY, 0.0, b"one", "200 one")
    gatherer.attempted(NEW, False, 0.01, 0.0)
    assert first == Evidence()


def test_a_chapter_is_an_hour_and_the_samples() -> None:
    """When both have passed another begins: it counts requests anew, and forgets what the one before has seen."""
    gatherer = Gatherer(Guards(samples=100))
    for number in range(100):
        gatherer.judged("mismatched", LEGACY, 36.0 * number, b"one", "200 one")
    assert gatherer.evidence().recent == Recent(0, requests=1, wrong=1, spans=5, bad=5, awful=5)
    gatherer.judged("matched", LEGACY, 3_636.0, b"one", "200 one")
    assert gatherer.evidence().recent == Recent(1, requests=1)
    seen = gatherer.evidence()
    assert (seen.requests, seen.wrong, seen.spans) == (1, 1, 5)


@pytest.mark.parametrize(("seconds", "answers"), [(35.0, 1_000), (360.0, 99)])
def test_a_chapter_goes_on_until_both_have_passed(seconds: float, answers: int) -> None:
    """An hour with few answers is no chapter, nor are many answers within less."""
    gatherer = Gatherer(Guards(samples=100))
    for number in range(answers):
        gatherer.judged("matched", LEGACY, number * seconds * (100 / answers), b"one", "200 one")
    assert gatherer.evidence().recent.chapter == 0


def test_a_chapter_counts_the_new_sides_attempts() -> None:
    """Attempts turn the page as well, where there is no shadow; legacy's do not."""
    gatherer = Gatherer(Guards(parity=None, samples=100))
    for number in range(100):
        gatherer.attempted(NEW, True, None, 36.0 * number)
        gatherer.attempted(LEGACY, True, None, 36.0 * number)
    assert gatherer.evidence().recent == Recent(0, attempts=100, errors=100)
    gatherer.attempted(NEW, False, None, 3_636.0)
    assert gatherer.evidence().recent == Recent(1, attempts=1)


def test_a_chapter_goes_on_after_a_restart() -> None:
    """What the store has of a chapter is counted on, and forgotten when it is over."""
    kept = Evidence(requests=7, recent=Recent(4, requests=7, wrong=2))
    gatherer = Gatherer(Guards(samples=1), kept)
    gatherer.judged("mismatched", LEGACY, 0.0, b"one")
    assert gatherer.evidence().recent == Recent(4, requests=8, wrong=3)
    gatherer.judged("mismatched", LEGACY, 3_600.0, b"one")
    assert gatherer.evidence().recent == Recent(5, requests=1, wrong=1)


def test_without_parity_no_span_is_bad() -> None:
    """A ramp that does not look at parity allows any answer to be wrong."""
    gatherer = Gatherer(Guards(parity=None))
    for number in range(61):
        gatherer.judged("matched" if number else "mismatched", LEGACY, float(number), b"one", "200 one")
    assert (gatherer.evidence().spans, gatherer.evidence().bad) == (1, 0)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the requests that are told apart, later ones count as answers only."""
    monkeypatch.setattr(gathering, "MOST_REQUESTS", 3)
    gatherer = Gatherer(GUARDS)
    for number in range(9):
        gatherer.judged("mismatched", LEGACY, 0.0, b"%d" % number)
    seen = gatherer.evidence()
    assert (seen.requests, seen.wrong, seen.mismatched) == (3, 3, 9)


@given(st.lists(st.tuples(verdicts, sides, st.integers(0, 20)), max_size=200))
def test_the_counts_hang_together(happened: list[tuple[Verdict, Side, int]]) -> None:
    """Every verdict is counted once; wrong requests are requests; awful spans are bad."""
    gatherer = Gatherer(GUARDS)
    for number, (verdict, side, request) in enumerate(happened):
        gatherer.judged(verdict, side, number * 5.0, b"%d" % request, "200 one")
    seen = gatherer.evidence()
    assert seen.judged + seen.passed_over + seen.control_error == len(happened)
    assert seen.wrong <= seen.requests <= min(21, seen.judged)
    assert seen.full <= seen.requests
    assert seen.awful <= seen.bad <= seen.spans
