"""What one sample says: that a side failed, that nothing can be said, or that its answers were compared, and how.

A 4xx or a declared business fault is an answer. The verdict of a compared sample comes later, from its signature and
what is known of the noise (`noise.verdict_of`, `tally.Tally`).
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from gateway.core.captured import CapturedAnswer, Sample
from gateway.core.comparing.differences import HEADER, STATUS, Difference, FieldKind, differences, scalars
from gateway.core.comparing.documents import EMPTY, Decode, Document, Incomparable, field, media_type, read
from gateway.core.comparing.noise import FieldCount, Signature, count
from gateway.core.comparing.rules import Place, Rules
from gateway.core.comparing.values import ABSENT
from gateway.core.model import LEGACY, Side

Verdict = Literal["compared", "candidate_error", "control_error", "incomparable", "skipped"]


_ERRORS: Mapping[str, Verdict] = {"control": "control_error", "candidate": "candidate_error"}


AreOne = Callable[[str, str], bool]


class Judgement(NamedTuple):
    """What a sample says.

    `reason` is why it could not be compared, in words; `differences` read from legacy to new; `counts` what it adds to
    those of its fields. `shape` is what the control's answer held, with its status ("200 many"): coverage is counted
    by it; "" where nobody could look.
    """

    verdict: Verdict
    reason: str = ""
    shape: str = ""
    differences: tuple[Difference, ...] = ()
    counts: tuple[tuple[FieldKind, FieldCount], ...] = ()

    @property
    def signature(self) -> Signature:
        """The fields that differ, each with how."""
        return signature_of(self.differences)


class Read(NamedTuple):
    """An answer and its document."""

    answer: CapturedAnswer
    document: Document


def judge(sample: Sample, rules: Rules, decode: Decode | None = None, are_one: AreOne | None = None) -> Judgement:
    """A sample judged. `decode` is the codec of the route's SOAP operation, if it has one; `are_one` tells whether two
    identifiers are one thing's, which each side calls by its own."""
    sides = (("control", sample.control), ("candidate", sample.candidate))
    for who, answer in sides if sample.control_side == LEGACY else sides[::-1]:  # what legacy fails at, new may as well
        if failed := failure(answer):
            return Judgement(_ERRORS[who], f"the {who} {failed}")
    for who, answer in sides:
        if answer.body is None:
            return Judgement("skipped", f"the {who}'s answer was not captured whole")
    control, candidate = _both(sample, decode)
    if isinstance(control, Incomparable):
        return Judgement("incomparable", f"the control's answer {control.reason}")
    if isinstance(candidate, Incomparable):
        return Judgement("incomparable", f"the candidate's answer {candidate.reason}")
    found = _compared(sample, Read(sample.control, control), Read(sample.candidate, candidate), rules, decode)
    return found if are_one is None or not found.differences else _without_pairs(found, are_one)


def _without_pairs(found: Judgement, are_one: AreOne) -> Judgement:
    """A judgement without the differences that only are two names of one thing."""
    real = tuple(each for each in found.differences if not are_one(_plain(each.legacy), _plain(each.new)))
    if len(real) == len(found.differences):
        return found
    kept = signature_of(real)
    return found._replace(differences=real, counts=tuple(each for each in found.counts if each[0] in kept))


def _plain(value: object) -> str:
    return "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value)


def failure(answer: CapturedAnswer) -> str:
    """How a side failed, in words; "" for an answer: a 4xx is one, and so is a declared business fault."""
    if answer.error:
        return f"failed ({answer.error})"
    return f"answered {answer.status}" if answer.status >= 500 and not answer.business else ""


def signature_of(found: tuple[Difference, ...]) -> Signature:
    """The fields that differ, each with how."""
    return frozenset((each.field, each.kind) for each in found)


def answers_differ(legacy: Read, new: Read, headers: tuple[bytes, ...], place: Place) -> tuple[Difference, ...]:
    """What differs between two answers. Where the class of the status does, the rest only follows from it."""
    if legacy.answer.status // 100 != new.answer.status // 100:
        return (Difference(STATUS, STATUS, "value", legacy.answer.status, new.answer.status),)
    found = differences(legacy.document, new.document, place)
    if place.skips and legacy.answer.fields == new.answer.fields:
        return found
    differing = [_header_differs(legacy, new, name, place) for name in headers]
    return (*(each for each in differing if each), *found)


# ------------------------------------------------------------------------------------------------ both answers


def _both(sample: Sample, decode: Decode | None) -> list[Document | Incomparable]:
    """Both documents; where the codec cannot tell what one of them means, both are read without it."""
    found = _read_each(sample, decode)
    if decode is not None and any(_is_undecoded(each) for each in found):
        return _read_each(sample, None)
    return found


def _read_each(sample: Sample, decode: Decode | None) -> list[Document | Incomparable]:
    control = read(sample.control, decode)
    if sample.control.body == sample.candidate.body and _told(sample.control) == _told(sample.candidate):
        return [control, control]
    return [control, read(sample.candidate, decode)]


def _told(answer: CapturedAnswer) -> tuple[object, ...]:
    """All that a document is made from, beside the body."""
    return answer.status, field(answer, b"content-type"), field(answer, b"content-encoding")


def _is_undecoded(document: Document | Incomparable) -> bool:
    return isinstance(document, Document) and document.kind == "soap" and not (document.decoded or _is_fault(document))


def _is_fault(document: Document) -> bool:
    return document.shape == "fault"


def _compared(sample: Sample, control: Read, candidate: Read, rules: Rules, decode: Decode | None) -> Judgement:
    side, headers = sample.control_side, rules.headers
    held = "fault" if sample.control.business else control.document.shape
    found = answers_differ(*_from_legacy(side, control, candidate), headers, rules.across)
    second = _second(sample, control, decode) if found else None
    again = None
    if second is not None:
        within = answers_differ(*_from_legacy(side, control, second), headers, rules.within)
        beside = answers_differ(*_from_legacy(side, second, candidate), headers, rules.across)
        again = signature_of(within), signature_of(beside)
    counts = count(signature_of(found), again)
    return Judgement("compared", "", f"{sample.control.status} {held}", found, tuple(counts.items()))


def _from_legacy(side: Side, served: Read, other: Read) -> tuple[Read, Read]:
    """Two answers in the order in which differences are read; `side` is that of the first."""
    return (served, other) if side == LEGACY else (other, served)


def _second(sample: Sample, control: Read, decode: Decode | None) -> Read | None:
    """The control's second answer, where it can be laid beside the first."""
    second = sample.second
    if second is None or second.body is None or failure(second):
        return None
    document = read(second, decode if control.document.decoded else None)
    if isinstance(document, Incomparable) or (control.document.decoded and _is_undecoded(document)):
        return None
    return Read(second, document)


# ------------------------------------------------------------------------------------------------ headers


def _header_differs(legacy: Read, new: Read, name: bytes, place: Place) -> Difference | None:
    if name == b"content-type" and legacy.document == EMPTY == new.document:
        return None
    token = name.decode("latin-1")
    here = place.step(HEADER).step(token)
    old, fresh = (_header(each.answer, name) for each in (legacy, new))
    if here.ignore or old is fresh is None:
        return None
    at = (HEADER, token)
    if fresh is None:
        return Difference(at, at, "missing", old, ABSENT)
    if old is None:
        return Difference(at, at, "extra", ABSENT, fresh)
    kind = scalars(old, fresh, here)
    return Difference(at, at, kind, old, fresh) if kind else None


def _header(answer: CapturedAnswer, name: bytes) -> str | None:
    """A field's value; of a content type the name, and the charset unless it is UTF-8, which most leave out."""
    value = field(answer, name)
    if name != b"content-type":
        return value.decode("latin-1") or None
    media = media_type(value)
    return (
        f"{media.name}; charset={media.charset}" if media.charset not in ("", "utf-8", "utf8") else media.name or None
    )
