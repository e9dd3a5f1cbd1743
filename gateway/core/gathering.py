"""How evidence is counted: one `Gatherer` per route, replica and stage takes what happens, in the order it happened.

It alone remembers which requests it has judged, so what it has counted outlives it (in the store) and its memory does
not: after a restart it goes on from the counts, and may count a request once more.
"""

from dataclasses import replace

from gateway.core.evidence import (
    NO_EVIDENCE,
    Attempts,
    Evidence,
    Recent,
    Verdict,
    as_if_legacy_served,
    has_content,
    no_attempts,
)
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.policies import Guards

SPAN_SECONDS, SPAN_ANSWERS = 60.0, 20
"""A span of traffic is over when both have passed."""
CHAPTER_SECONDS = 3_600.0
"""A chapter is over when they have passed and it alone has the guards' samples: it must be able to decide by itself."""
MOST_REQUESTS = 200_000
"""So many different requests are told apart; those that come later count as answers only."""


class Gatherer:
    """Counts the evidence of a stage that is under these guards, on top of what was counted before."""

    def __init__(self, guards: Guards, counted: Evidence = NO_EVIDENCE) -> None:
        self._allowed = 1 - (guards.parity or 0.0)
        self._samples = guards.samples
        self._counted = replace(counted, recent=Recent())
        self._recent = counted.recent
        self._verdicts: dict[str, int] = {}
        self._shapes: dict[str, int] = {}
        self._requests: set[bytes] = set()
        self._lately: set[bytes] = set()
        self._full = self._wrong = 0
        self._spans = self._bad = self._awful = 0
        self._span = (0.0, 0, 0)
        self._chapter = (0.0, 0)
        self._sides: dict[Side, Attempts] = {LEGACY: no_attempts(), NEW: no_attempts()}

    def judged(self, verdict: Verdict, control_side: Side, at: float, request: bytes = b"", shape: str = "") -> None:
        """Count a verdict, given at `at` (Unix seconds); `request` is a hash of the request, `shape` the answer's.

        What differs in fields that may be noise is taken as right here, since these counts are for rolling back.
        """
        verdict = as_if_legacy_served(verdict, control_side)
        self._verdicts[verdict] = self._verdicts.get(verdict, 0) + 1
        if verdict in ("control_error", "incomparable", "skipped"):
            return
        if verdict == "matched":
            self._shapes[shape] = self._shapes.get(shape, 0) + 1
        wrong = verdict in ("mismatched", "candidate_error")
        self._turn_page(at)
        if _is_first(request, self._requests):
            self._wrong += wrong
            self._full += verdict != "matched" or has_content(shape)
        if _is_first(request, self._lately):
            seen = self._recent
            self._recent = seen._replace(requests=seen.requests + 1, wrong=seen.wrong + wrong)
        self._add_to_span(at, wrong)

    def attempted(self, side: Side, failed: bool, seconds: float | None, at: float) -> None:
        """Count a live attempt that ended at `at`; `seconds` None where nothing was answered."""
        seen = self._sides[side]
        if seconds is not None:
            seen.latency.add(seconds)
        self._sides[side] = Attempts(seen.attempts + 1, seen.errors + failed, seen.latency)
        if side == NEW:
            self._turn_page(at)
            recent = self._recent
            self._recent = recent._replace(attempts=recent.attempts + 1, errors=recent.errors + failed)

    def evidence(self) -> Evidence:
        """All that was counted until now."""
        return self._counted + Evidence(
            **self._verdicts,
            shapes=self._shapes,
            requests=len(self._requests),
            full=self._full,
            wrong=self._wrong,
            spans=self._spans,
            bad=self._bad,
            awful=self._awful,
            legacy=self._sides[LEGACY],
            new=self._sides[NEW],
            recent=self._recent,
        )

    def _turn_page(self, at: float) -> None:
        """Begin another chapter before what happens at `at` is counted, if this one is over."""
        began, seen = self._chapter
        if seen >= self._samples and at - began >= CHAPTER_SECONDS:
            self._recent = Recent(chapter=self._recent.chapter + 1)
            self._lately.clear()
            seen = 0
        self._chapter = (began if seen else at, seen + 1)

    def _add_to_span(self, at: float, wrong: bool) -> None:
        began, answers, wrongs = self._span
        began, answers, wrongs = began if answers else at, answers + 1, wrongs + wrong
        if answers >= SPAN_ANSWERS and at - began >= SPAN_SECONDS:
            bad, awful = is_bad(wrongs, answers, self._allowed), 2 * wrongs >= answers
            self._spans, self._bad, self._awful = self._spans + 1, self._bad + bad, self._awful + awful
            seen = self._recent
            self._recent = seen._replace(spans=seen.spans + 1, bad=seen.bad + bad, awful=seen.awful + awful)
            answers = wrongs = 0
        self._span = (began, answers, wrongs)


def _is_first(request: bytes, known: set[bytes]) -> bool:
    """Whether a request was not known yet; from then on it is."""
    first = request not in known and len(known) < MOST_REQUESTS
    if first:
        known.add(request)
    return first


def is_bad(wrong: int, answers: int, allowed: float) -> bool:
    """Whether a span has at least twice as many wrong answers as are allowed.

    If no more than the allowed part is wrong on average, that happens to at most half of the spans (Markov), however
    the wrong ones of a span hang together.
    """
    return wrong > 0 and wrong + 1e-9 >= 2 * allowed * answers
