"""What one stage of a ramp has seen: counts that can be added over the routes of a journey and over replicas.

Three ways of counting the same answers, since they fail together. *Answers* are what clients see. Different *requests*
count once, by their first answer: a thousand answers about one account are one piece of evidence. *Spans* are minutes
of traffic: they notice what is wrong again and again, however few requests it is.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import add
from typing import Any, Literal, NamedTuple

from gateway.core.histogram import Histogram
from gateway.core.model import LEGACY, Side

Verdict = Literal["matched", "mismatched", "unsure", "candidate_error", "control_error", "incomparable", "skipped"]
SWAPPED: Mapping[str, Verdict] = {"candidate_error": "control_error", "control_error": "candidate_error"}


def as_if_legacy_served(verdict: Verdict, control_side: Side) -> Verdict:
    """A verdict with legacy as the control: what is evidence about the new side, whichever side served."""
    return verdict if control_side == LEGACY else SWAPPED.get(verdict, verdict)


def has_content(shape: str) -> bool:
    """Whether agreeing on an answer of this shape ("200 many", "200 empty", "404 one") says anything.

    Two sides that find nothing agree easily; a redirect says where to.
    """
    return shape.startswith("3") or (shape.startswith("2") and not shape.endswith(" empty"))


class Attempts(NamedTuple):
    """Live attempts on one side: how many, how many of them were errors, how long those that were answered took.

    Shadows are none, nor are testers' requests and what the gateway refused. A request that the other side rescued is
    an error of the side that failed.
    """

    attempts: int
    errors: int
    latency: Histogram

    def plus(self, other: "Attempts") -> "Attempts":
        """Both together."""
        return Attempts(self.attempts + other.attempts, self.errors + other.errors, self.latency + other.latency)


def no_attempts() -> Attempts:
    """A side that was not asked."""
    return Attempts(0, 0, Histogram())


class Recent(NamedTuple):
    """What the latest chapter of a stage has seen: a long good time must not hide that something broke just now.

    `chapter` is how many came before it. The others are those of `Evidence`, and the new side's live attempts and
    errors. A request counts once in every chapter.
    """

    chapter: int = 0
    requests: int = 0
    wrong: int = 0
    spans: int = 0
    bad: int = 0
    awful: int = 0
    attempts: int = 0
    errors: int = 0

    def plus(self, other: "Recent") -> "Recent":
        """Both together."""
        return Recent(*map(add, self, other))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one stage has seen, with legacy as the control.

    `matched` to `skipped` count verdicts; `unsure` are answers that differ in fields which may be noise. `shapes` are
    those of the matched answers. `requests` are the different requests judged, `full` those of them that have content
    and `wrong` those answered wrongly, all by their first answer; a request that two replicas judged counts for each.
    `spans` are stretches of traffic (see `gathering`), `bad` those with at least twice as many wrong answers as parity
    allows, and `awful` those in which half of the answers were wrong.
    """

    matched: int = 0
    mismatched: int = 0
    unsure: int = 0
    candidate_error: int = 0
    control_error: int = 0
    incomparable: int = 0
    skipped: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    full: int = 0
    wrong: int = 0
    spans: int = 0
    bad: int = 0
    awful: int = 0
    legacy: Attempts = field(default_factory=no_attempts)
    new: Attempts = field(default_factory=no_attempts)
    recent: Recent = field(default_factory=Recent)

    def __add__(self, other: "Evidence") -> "Evidence":
        counts: dict[str, Any] = {name: getattr(self, name) + getattr(other, name) for name in COUNTS}
        counts["shapes"] = dict(Counter(self.shapes) + Counter(other.shapes))
        for name in ("legacy", "new", "recent"):
            counts[name] = getattr(self, name).plus(getattr(other, name))
        return Evidence(**counts)

    @property
    def judged(self) -> int:
        """Answers that say something about the new side."""
        return self.matched + self.differing + self.unsure

    @property
    def differing(self) -> int:
        """Answers that were wrong: they differ, or the new side failed where legacy did not."""
        return self.mismatched + self.candidate_error

    @property
    def agreeing(self) -> int:
        """Matched answers that have content."""
        return sum(count for shape, count in self.shapes.items() if has_content(shape))

    @property
    def telling(self) -> int:
        """Judged answers, but for the agreement on nothing: what parity is promoted by."""
        return self.agreeing + self.differing + self.unsure

    @property
    def passed_over(self) -> int:
        """Answers that could not be judged for reasons of our own."""
        return self.skipped + self.incomparable

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it; what is 0 or empty is left out."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in COUNTS if getattr(self, name)}
        if self.shapes:
            plain["shapes"] = dict(self.shapes)
        for side, seen in (("legacy", self.legacy), ("new", self.new)):
            if seen.attempts:
                plain[side] = [seen.attempts, seen.errors, seen.latency.to_plain()]
        if any(self.recent):
            plain["recent"] = list(self.recent)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Evidence":
        """What `to_plain` gave."""
        values = {**plain, "recent": Recent(*plain.get("recent", ()))}
        for side in ("legacy", "new"):
            if side in values:
                attempts, errors, latency = values[side]
                values[side] = Attempts(attempts, errors, Histogram.from_plain(latency))
        return cls(**values)


COUNTS = tuple(each.name for each in fields(Evidence) if each.type is int)
NO_EVIDENCE = Evidence()
