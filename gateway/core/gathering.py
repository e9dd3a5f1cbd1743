"""How evidence is counted: one `Gatherer` per route, replica and stage takes what happens, in the order it happened.

It alone remembers which requests it has judged, so what it has counted outlives it (in the store) and its memory does
not: after a restart it goes on from the counts, and may count a request once more.
"""

from gateway.core.evidence import (
    NO_EVIDENCE,
    Attempts,
    Evidence,
    Verdict,
    as_if_legacy_served,
    has_content,
    no_attempts,
)
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.policies import Guards

SPAN_SECONDS = 60.0
SPAN_ANSWERS = 20
"""A span of traffic is over when both have passed."""
MOST_REQUESTS = 200_000
"""So many different requests are told apart; those that come later count as answers only."""


class Gatherer:
    """Counts the evidence of a stage that is under these guards, on top of what was counted before."""

    def __init__(self, guards: Guards, counted: Evidence = NO_EVIDENCE) -> None:
        self._allowed = 1 - (guards.parity or 0.0)
        self._counted = counted
        self._verdicts: dict[str, int] = {}
        self._shapes: dict[str, int] = {}
        self._requests: set[bytes] = set()
        self._full = self._wrong = 0
        self._spans = self._bad = self._awful = 0
        self._span = (0.0, 0, 0)
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
        if request not in self._requests and len(self._requests) < MOST_REQUESTS:
            self._requests.add(request)
            self._wrong += wrong
            self._full += verdict != "matched" or has_content(shape)
        self._add_to_span(at, wrong)

    def attempted(self, side: Side, failed: bool, seconds: float | None) -> None:
        """Count a live attempt; `seconds` None where nothing was answered."""
        seen = self._sides[side]
        if seconds is not None:
            seen.latency.add(seconds)
        self._sides[side] = Attempts(seen.attempts + 1, seen.errors + failed, seen.latency)

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
        )

    def _add_to_span(self, at: float, wrong: bool) -> None:
        began, answers, wrongs = self._span
        began, answers, wrongs = began if answers else at, answers + 1, wrongs + wrong
        if answers >= SPAN_ANSWERS and at - began >= SPAN_SECONDS:
            self._spans += 1
            self._bad += is_bad(wrongs, answers, self._allowed)
            self._awful += 2 * wrongs >= answers
            answers = wrongs = 0
        self._span = (began, answers, wrongs)


def is_bad(wrong: int, answers: int, allowed: float) -> bool:
    """Whether a span has at least twice as many wrong answers as are allowed.

    If no more than the allowed part is wrong on average, that happens to at most half of the spans (Markov), however
    the wrong ones of a span hang together.
    """
    return wrong > 0 and wrong + 1e-9 >= 2 * allowed * answers
