"""Each guard holds by an interval, turns back by a test that may be looked at for ever, and says why in a sentence."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.evidence import NO_EVIDENCE, Attempts, Evidence, Recent, no_attempts
from gateway.core.guards import (
    ERROR,
    Case,
    breach_of,
    duration,
    error_of,
    missing_of,
    percent,
    signed,
    spans_refute,
)
from gateway.core.histogram import Histogram
from gateway.core.policies import Guards

GUARDS = Guards()
ALONE = Guards(parity=None)


def side(attempts: int, errors: int = 0, factor: float = 1.0) -> Attempts:
    """Attempts whose latencies are spread evenly from 10 to 110 ms, times a factor."""
    histogram = Histogram()
    for step in range(attempts):
        histogram.add((0.01 + 0.1 * step / attempts) * factor)
    return Attempts(attempts, errors, histogram)


LEGACY_SIDE, NEW_SIDE = side(20_000), side(2_000)


def good(**changes: Any) -> Evidence:
    """What lacks nothing, but for the changes."""
    fine = Evidence(matched=2_000, shapes={"200 many": 1_000, "200 empty": 1_000}, requests=900, full=450, spans=30)
    return replace(fine, **{"new": NEW_SIDE, **changes})


def case(evidence: Evidence, guards: Guards = GUARDS, legacy: Attempts = LEGACY_SIDE, worst: str = "") -> Case:
    return Case(guards, evidence, legacy, worst)


def lacking(judged: Case) -> dict[str, str]:
    return {each.guard: each.sentence for each in missing_of(judged)}


def why(judged: Case) -> tuple[str, str] | None:
    found = breach_of(judged)
    return found and (found.guard, found.sentence)


def test_nothing_is_missing_of_what_is_good() -> None:
    """Enough right answers, of enough kinds, no more errors and no slower: the ramp may go on."""
    assert missing_of(case(good())) == ()
    assert breach_of(case(good())) is None


def test_without_evidence_everything_is_missing_and_nothing_broken() -> None:
    """A stage that has seen nothing holds for want of answers, and is not turned back."""
    assert list(lacking(case(NO_EVIDENCE, legacy=no_attempts()))) == ["samples", "coverage", "variety"]
    assert breach_of(case(NO_EVIDENCE, legacy=no_attempts())) is None


def test_samples_are_answers_with_content() -> None:
    """What agrees on nothing does not count; what is wrong or unsure does."""
    seen = good(matched=9_000, shapes={"200 one": 412, "200 empty": 8_588})
    assert lacking(case(seen))["samples"] == "412 of 1,000 judged answers with content"
    wrong = Evidence(mismatched=500, candidate_error=300, unsure=200)
    assert "samples" not in lacking(case(wrong))


def test_agreement_on_empty_answers_alone_never_promotes() -> None:
    """However many empty answers agree, the ramp holds; and few samples still need fifty that have content."""
    empty = good(matched=10**6, shapes={"200 empty": 10**6})
    assert {"samples", "coverage"} <= set(lacking(case(empty)))
    few = Guards(parity=0.9, samples=30)
    seen = good(matched=49, shapes={"200 one": 49})
    assert lacking(case(seen, few)) == {"coverage": "49 of 50 matched answers with content: empty ones say little"}
    assert missing_of(case(good(matched=50, shapes={"200 one": 50}), few)) == ()


def test_coverage_grows_with_samples() -> None:
    """A tenth of the samples must be matched answers with content, however many are wrong."""
    seen = good(matched=99, shapes={"200 one": 99}, unsure=2_000)
    assert lacking(case(seen))["coverage"] == "99 of 100 matched answers with content: empty ones say little"


def test_a_few_requests_say_little_unless_there_are_no_others() -> None:
    """A thousand answers about 60 requests hold; a route that has only 50, or one, goes on when that has shown."""
    seen = good(requests=60, full=60)
    assert lacking(case(seen)) == {"variety": "60 of 100 different requests, or each of them asked 20 times"}
    assert missing_of(case(good(requests=50, full=50))) == ()
    assert missing_of(case(good(requests=1, full=1))) == ()
    assert missing_of(case(good(requests=100, full=100))) == ()


def test_many_copies_that_were_not_judged_hold() -> None:
    """More than a tenth skipped or incomparable may hide what is wrong; a tenth may not."""
    assert lacking(case(good(skipped=150, incomparable=100))) == {
        "passed_over": "11.11 % of the copies were skipped or not comparable, at most 10 % may be"
    }
    assert missing_of(case(good(skipped=122, incomparable=100))) == ()
    assert missing_of(case(good(control_error=2_000))) == ()


@pytest.mark.parametrize("kind", ["mismatched", "unsure", "candidate_error"])
def test_parity_holds_by_the_lower_end_of_its_interval(kind: str) -> None:
    """Of 1,000 answers one wrong is too many to be sure of 99.5 %; unsure ones and errors are wrong for that."""
    assert lacking(case(good(**{kind: 1}))) == {
        "parity": "parity is 99.44-99.98 % of 1,001 answers with content, 99.5 % must be certain"
    }
    many = {"matched": 5_000, "shapes": {"200 one": 5_000}}
    assert missing_of(case(good(**many, **{kind: 12}))) == ()


def test_parity_counts_requests_too() -> None:
    """Where popular requests are right, but many others wrong, the answers look good and the ramp still holds."""
    seen = good(matched=10_000, shapes={"200 one": 10_000}, mismatched=10, requests=500, full=500, wrong=10)
    assert lacking(case(seen)) == {"parity": "10 of 500 different requests are wrong, at 99.5 % parity"}


def test_parity_rolls_back_by_different_requests() -> None:
    """The sentence says what is wrong, how sure that is, and where."""
    seen = Evidence(matched=961, mismatched=39, requests=1_000, wrong=39)
    sentence = "parity 96.1 % (94.71-97.13 %) is below 99.5 %: 39 of 1,000 different requests were answered wrongly"
    assert why(case(seen)) == ("parity", sentence)
    assert why(case(seen, worst="/balance")) == ("parity", f"{sentence}, most at /balance")
    assert why(case(replace(seen, wrong=10))) is None


def test_one_account_a_thousand_times_is_one_piece_of_evidence() -> None:
    """One wrong request turns nothing back, however often it was asked within a short time."""
    seen = Evidence(matched=300, mismatched=1_000, requests=200, wrong=1, spans=1, bad=1, awful=1)
    assert breach_of(case(seen)) is None


def test_what_is_wrong_again_and_again_rolls_back() -> None:
    """One hot record that is wrong minute after minute is turned back by its minutes."""
    seen = Evidence(matched=700, mismatched=300, requests=400, wrong=1, spans=25, bad=24)
    spans, answers = "24 of 25 minutes (or longer spans)", "300 of 1,000 answers of this stage differ, most at /name"
    assert why(case(seen, worst="/name")) == ("parity", f"parity is far below 99.5 % in {spans}: {answers}")
    assert breach_of(case(replace(seen, bad=16))) is None


def test_a_collapse_is_seen_within_minutes() -> None:
    """After an hour of good minutes, eight in which half of the answers are wrong are enough; one is not."""
    assert not spans_refute(Evidence(spans=61, bad=1, awful=1), 0.005, ERROR)
    assert spans_refute(Evidence(spans=68, bad=8, awful=8), 0.005, ERROR)
    assert spans_refute(Evidence(spans=3, bad=3, awful=3), 0.005, ERROR)


def test_spans_of_a_route_without_answers() -> None:
    """Spans alone, say of a replica whose counts were lost, are no division by nothing."""
    assert why(case(Evidence(spans=40, bad=40))) is not None


GOOD_WEEK = good(matched=900_000, shapes={"200 one": 900_000}, requests=90_000, full=90_000, spans=9_000)


def test_a_long_good_time_hides_nothing() -> None:
    """What the latest chapter alone refutes turns the ramp back after a good week, each test by itself."""
    requests = why(case(replace(GOOD_WEEK, recent=Recent(900, requests=800, wrong=40))))
    assert requests == (
        "parity",
        "parity 95 % (93.26-96.31 %) is below 99.5 % lately: 40 of 800 different requests were answered wrongly",
    )
    spans = why(case(replace(GOOD_WEEK, recent=Recent(900, spans=40, bad=40))))
    assert spans is not None
    assert spans[1].startswith("parity is far below 99.5 % lately in 40 of 40 minutes")
    many = side(100_000, errors=40)
    errors = why(case(replace(GOOD_WEEK, new=many, recent=Recent(900, attempts=400, errors=40))))
    assert errors == (
        "errors",
        "errors 10 % (7.43-13.33 %) of 400 requests lately are more than +0.5 % above legacy's (0 % of 20,000)",
    )
    assert why(case(replace(GOOD_WEEK, new=many, recent=Recent(900, requests=9, attempts=9, errors=9)))) is None


def test_every_chapter_has_its_part_of_the_error() -> None:
    """However many chapters there are, together they spend half of the error; later ones ask for more."""
    assert sum(map(error_of, range(100_000))) == pytest.approx(ERROR / 2, rel=1e-4)
    seen = Recent(0, requests=200, wrong=12)
    assert why(case(Evidence(recent=seen))) is not None
    assert why(case(Evidence(recent=seen._replace(chapter=900)))) is None


def test_without_parity_answers_do_not_matter() -> None:
    """A ramp without shadow goes by what the new side was asked: its errors and latency alone."""
    assert missing_of(case(Evidence(mismatched=9, requests=9, wrong=9, spans=50, bad=50, new=NEW_SIDE), ALONE)) == ()
    assert breach_of(case(Evidence(mismatched=9, requests=9, wrong=9, spans=50, bad=50, new=NEW_SIDE), ALONE)) is None
    seen = lacking(case(Evidence(new=side(400)), ALONE))
    assert seen["samples"] == "400 of 1,000 requests served by the new side"


def test_few_live_attempts_do_not_hold_where_copies_are_judged() -> None:
    """At a share of 1 % the new side has few attempts: with no sign of being worse they hold nothing."""
    for attempts in (0, 1, 10):
        assert missing_of(case(good(new=side(attempts)))) == ()
    assert missing_of(case(good(new=no_attempts()), legacy=no_attempts())) == ()


def test_few_live_attempts_hold_where_nothing_else_is_known() -> None:
    """Without shadow the interval itself must keep to what is allowed, so few attempts hold."""
    few = Guards(parity=None, samples=50)
    assert lacking(case(Evidence(new=side(50)), few)) == {
        "errors": "errors are -0.02 % to +7.13 % against legacy's, +0.5 % are allowed",
        "latency": "p95 is 0.93 to inf times legacy's, 1.2 times is allowed",
    }


def test_a_sign_of_errors_holds_until_it_is_clear() -> None:
    """Errors that are certainly more, but perhaps not too many, hold until many attempts show them few."""
    seen = lacking(case(good(new=side(2_000, errors=8))))
    assert seen == {"errors": "errors are +0.2 % to +0.79 % against legacy's, +0.5 % are allowed"}
    assert missing_of(case(good(new=side(20_000, errors=60)))) == ()


def test_a_sign_of_slowness_holds() -> None:
    """A percentile that is certainly higher, but perhaps not too high, holds; one that is a little higher does not."""
    seen = lacking(case(good(new=side(1_000, factor=1.2))))
    assert list(seen) == ["latency"]
    assert missing_of(case(good(new=side(2_000, factor=1.1)))) == ()


def test_errors_roll_back() -> None:
    """Errors that are certainly above legacy's by more than is allowed turn the ramp back, and it says by what."""
    assert why(case(Evidence(new=side(400, errors=40)))) == (
        "errors",
        "errors 10 % (7.43-13.33 %) of 400 requests are more than +0.5 % above legacy's (0 % of 20,000)",
    )
    assert why(case(Evidence(new=side(400, errors=4)))) is None
    assert why(case(Evidence(new=side(400, errors=40)), legacy=side(4_000, errors=400))) is None
    assert why(case(Evidence(new=side(400, errors=40)), legacy=side(10))) is None


def test_a_restart_is_no_breach() -> None:
    """Nine errors in a row turn nothing back, though they are all there is; ten do."""
    assert why(case(Evidence(new=side(9, errors=9)))) is None
    assert why(case(Evidence(new=side(10, errors=10)))) is not None


def test_errors_without_legacy_are_held_against_the_margin() -> None:
    """Where legacy was never asked it is taken to make no errors."""
    assert why(case(Evidence(new=side(400, errors=40)), legacy=no_attempts())) == (
        "errors",
        "errors 10 % (7.43-13.33 %) of 400 requests are more than +0.5 % above legacy's (not asked)",
    )
    latency_off = Guards(parity=None, latency=None)
    assert missing_of(case(Evidence(new=side(2_000)), latency_off, legacy=no_attempts())) == ()
    seen = lacking(case(Evidence(new=side(2_000, errors=9)), latency_off, legacy=no_attempts()))
    assert seen == {"errors": "errors are +0.24 % to +0.85 % against legacy's, +0.5 % are allowed"}


def test_slowness_rolls_back() -> None:
    """A percentile that is certainly more times legacy's than allowed turns the ramp back."""
    found = why(case(Evidence(new=side(2_000, factor=1.5))))
    assert found is not None
    assert found[0] == "latency"
    assert found[1].startswith("p95 is 15")
    assert found[1].endswith("times legacy's 105 ms; 1.2 times is allowed")


@pytest.mark.parametrize(
    ("new", "legacy"),
    [
        (side(2_000, factor=1.25), LEGACY_SIDE),
        (side(49, factor=3), LEGACY_SIDE),
        (side(2_000, factor=3), side(20)),
        (side(2_000, factor=3), no_attempts()),
        (side(2_000, factor=4_000), side(2_000, factor=1_000)),
        (no_attempts(), LEGACY_SIDE),
    ],
)
def test_what_is_not_certainly_slower_does_not_roll_back(new: Attempts, legacy: Attempts) -> None:
    """Nothing is turned back by a little, by a few attempts on either side, or beyond what is measured."""
    assert why(case(Evidence(new=new), legacy=legacy)) is None


def test_guards_that_are_off_say_nothing() -> None:
    """With all of them off only the samples are left, and nothing turns back."""
    off = Guards(parity=None, errors=None, latency=None)
    awful = Evidence(mismatched=999, requests=999, wrong=999, new=side(2_000, errors=2_000, factor=9))
    assert missing_of(case(awful, off)) == ()
    assert breach_of(case(awful, off)) is None


@given(st.integers(0, 3_000), st.integers(0, 100), st.integers(0, 60), st.integers(0, 3_000))
def test_what_is_turned_back_would_not_have_gone_on(right: int, wrong: int, bad: int, attempts: int) -> None:
    """No evidence is both good enough to go on and bad enough to go back."""
    seen = Evidence(
        matched=right,
        mismatched=wrong,
        shapes={"200 one": right},
        requests=right + wrong,
        full=right + wrong,
        wrong=wrong,
        new=Attempts(attempts, min(attempts, bad), Histogram()),
    )
    judged = case(seen)
    assert breach_of(judged) is None or missing_of(judged) != ()


@pytest.mark.parametrize(("part", "text"), [(0.961, "96.1 %"), (1.0, "100 %"), (0.0, "0 %"), (0.999_5, "99.95 %")])
def test_rates_are_written_as_people_write_them(part: float, text: str) -> None:
    """No more digits than are needed, two at most."""
    assert percent(part) == text


def test_differences_have_a_sign_and_times_a_unit() -> None:
    """Margins read as in routes.yaml; latencies in milliseconds until there is a second of them."""
    assert (signed(0.005), signed(-0.01)) == ("+0.5 %", "-1 %")
    assert (duration(0.0123), duration(2.5)) == ("12.3 ms", "2.50 s")
