"""Evidence adds up, survives JSON, and counts for the new side only what says something about it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.evidence import (
    COUNTS,
    NO_EVIDENCE,
    Attempts,
    Evidence,
    Recent,
    Verdict,
    as_if_legacy_served,
    has_content,
)
from gateway.core.histogram import Histogram

numbers = st.integers(0, 10**6)
shapes = st.dictionaries(st.sampled_from(["200 one", "200 empty", "404 one", "302 empty"]), st.integers(1, 99))


@st.composite
def attempts(draw: st.DrawFn) -> Attempts:
    histogram = Histogram()
    for seconds in draw(st.lists(st.floats(0, 200), min_size=1, max_size=9)):
        histogram.add(seconds)
    return Attempts(histogram.total, draw(st.integers(0, histogram.total)), histogram)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    given_counts = {name: draw(numbers) for name in COUNTS}
    recent = Recent(*draw(st.lists(numbers, min_size=8, max_size=8)))
    return Evidence(**given_counts, shapes=draw(shapes), legacy=draw(attempts()), new=draw(attempts()), recent=recent)


def test_every_count_is_added() -> None:
    """Whatever is a number is among the counts that are added and kept."""
    assert {"matched", "skipped", "requests", "full", "wrong", "spans", "bad", "awful"} < set(COUNTS)
    assert len(COUNTS) == 13


@given(evidences(), evidences(), evidences())
def test_evidence_adds_up_in_any_order(one: Evidence, two: Evidence, three: Evidence) -> None:
    """Routes and replicas can be added in any order, and nothing adds nothing."""
    assert (one + two) + three == three + (two + one)
    assert one + NO_EVIDENCE == one
    assert (one + two).judged == one.judged + two.judged
    assert (one + two).new.attempts == one.new.attempts + two.new.attempts
    assert (one + two).recent.wrong == one.recent.wrong + two.recent.wrong


@given(evidences())
def test_evidence_survives_json(one: Evidence) -> None:
    """What the store keeps is read back the same; nothing seen takes no room."""
    assert Evidence.from_plain(json.loads(json.dumps(one.to_plain()))) == one
    assert NO_EVIDENCE.to_plain() == {}
    assert Evidence.from_plain({}) == NO_EVIDENCE


def test_what_counts_for_what() -> None:
    """Judged are answers about the new side; what agrees on nothing is judged, but tells nothing."""
    seen = Evidence(100, 1, 2, 4, 8, 16, 32, shapes={"200 many": 60, "200 empty": 30, "404 one": 10})
    assert (seen.judged, seen.differing, seen.agreeing, seen.telling, seen.passed_over) == (107, 5, 60, 67, 48)


@pytest.mark.parametrize(
    ("shape", "content"),
    [
        ("200 one", True),
        ("200 many", True),
        ("302 empty", True),
        ("200 empty", False),
        ("204 empty", False),
        ("404 one", False),
        ("", False),
    ],
)
def test_which_answers_have_content(shape: str, content: bool) -> None:
    """An answer that was found and is not empty says something, and so does a redirect."""
    assert has_content(shape) is content


@pytest.mark.parametrize(
    ("verdict", "turned"),
    [("candidate_error", "control_error"), ("control_error", "candidate_error"), ("mismatched", "mismatched")],
)
def test_who_served_does_not_matter(verdict: Verdict, turned: Verdict) -> None:
    """Where the new side served, its errors are the control's: they are evidence against it all the same."""
    assert as_if_legacy_served(verdict, "new") == turned
    assert as_if_legacy_served(verdict, "legacy") == verdict
