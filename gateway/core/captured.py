"""Requests and answers held whole, to be compared or replayed. Plain values: they cross from data to control."""

from hashlib import blake2b
from typing import Any, NamedTuple

from gateway.core.fields import names_and_values
from gateway.core.headers import read_request
from gateway.core.model import Observation, Outcome, Request, Role, Side

Skipped = dict[tuple[str, str], int]
"""How many requests were not compared, by route and reason."""
REPLAY = "replay"
"""The source of samples that no client has just asked for."""


def reason_of(reason: str, source: str) -> str:
    """Why a sample was skipped, with its source where that is not the shadow: `late`, `replay_late`."""
    return f"{REPLAY}_{reason}" if source == REPLAY else reason


def source_of(reason: str) -> str:
    """Whose sample was skipped for this reason."""
    return REPLAY if reason.startswith(f"{REPLAY}_") else "shadow"


class CapturedRequest(NamedTuple):
    """A request as it came: `fields` are the end-to-end fields, `body` all of it."""

    method: bytes
    target: bytes
    host: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""

    def request(self) -> Request:
        """The request to be sent again. Raises ClientError for one that the gateway would not take."""
        length = [(b"Content-Length", b"%d" % len(self.body))] if self.body else []
        names, values = names_and_values([*self.fields, (b"Host", self.host), *length])
        return read_request(self.method, self.target, names, values, True)


class CapturedAnswer(NamedTuple):
    """What one side answered, as the client would see it.

    `fields` end-to-end fields in order; `body` None when there was more of it than is captured, or when it broke off.
    `error` is a short kind ("timeout", "refused" ...) when no whole answer came, "" otherwise; `business` tells a
    declared business fault; `seconds` is how long it took, to the end.
    """

    status: int
    fields: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = b""
    error: str = ""
    business: bool = False
    seconds: float = 0.0


class Passed(NamedTuple):
    """A request that passed and what was answered, to be asked of the other side too. Few values, and only plain ones:
    they cross from data to control, and thousands are kept at a time, where each that refers to others is work for the
    collector.

    `at` Unix seconds; `side` serves; `fields` are the request's end-to-end fields as lines, `lines` the gateway's own
    that it went with, `scheme` the client's; `source` tells whose request it was. Of the answer: `status` (0: there was
    none, -1: the side that serves has yet to be asked), its fields as lines and whether they name `addresses`, its
    body, the `error`, whether it was declared a `business` fault, and the `seconds` until it was over.
    """

    at: float
    route: str
    side: Side
    method: bytes
    target: bytes
    path: bytes
    query: bytes
    host: bytes
    fields: bytes
    body: bytes
    lines: bytes
    scheme: bytes
    status: int
    answer_lines: bytes
    addresses: bool
    answer_body: bytes | None
    error: str
    business: bool
    seconds: float
    source: str

    @property
    def size(self) -> int:
        """Bytes held, roughly."""
        return len(self.fields) + len(self.body) + len(self.answer_lines) + len(self.answer_body or b"") + 1_024

    def request(self) -> Request:
        """The request to be sent again: it was read and judged when it came."""
        told = (self.method, self.target, self.path, self.query, self.host, self.fields, b"", len(self.body))
        return Request(*told, False, False, False, False)

    def digest(self) -> bytes:
        """A hash that tells this request from others."""
        told = b"\n".join((self.method, self.host, self.target, self.body))
        return blake2b(told, digest_size=8).digest()


Passing = tuple[Any, ...]
"""A request that passed on its way to control: the values of a `Passed` in order, as a plain tuple, which costs the
least."""


class Recorded(NamedTuple):
    """One exchange: `at` Unix seconds when it began, `origin` where clients sent it (`https://services.example`)."""

    request: CapturedRequest
    answer: CapturedAnswer
    at: float
    origin: str


class Sample(NamedTuple):
    """One request, answered by both sides: what is compared. The request itself stays where it was answered.

    `at` Unix seconds; `request` a hash that tells requests apart, and `number` the one by which this request can be
    asked again; `control_side` served; `second` is the control's answer to the same request asked again, where it was;
    `source` tells whose request it was. Of the answers' fields only those are there that are compared.
    """

    at: float
    route: str
    control_side: Side
    request: bytes
    number: int
    control: CapturedAnswer
    candidate: CapturedAnswer
    source: str = "shadow"
    second: CapturedAnswer | None = None


Seconds = dict[int, CapturedAnswer]
"""Answers to requests that were asked again, by the samples' numbers."""
GONE = CapturedAnswer(0, error="not_asked")
"""Stands for a second answer where there is none: the request was not kept, or nobody answered in time."""


def attempt_of(route: str, side: Side, role: Role, backend: str, at: float, answer: CapturedAnswer) -> Observation:
    """What asking for a copy was: an attempt like any other, of which no client knows."""
    return Observation(
        at=at,
        route=route,
        side=side,
        role=role,
        backend=backend,
        outcome=_outcome(answer),
        acted="maybe" if answer.error or answer.status >= 500 else "yes",
        method=b"",
        status=answer.status,
        error=answer.error,
        bytes_in=0,
        bytes_out=len(answer.body or b""),
        connect=0.0,
        first_byte=answer.seconds,
        duration=answer.seconds,
        revision=0,
        request_id=b"-",
        trace=b"",
        path=b"",
    )


def _outcome(answer: CapturedAnswer) -> Outcome:
    if answer.business:
        return Outcome.BUSINESS_FAULT
    if answer.error in LATE:
        return Outcome.TIMEOUT
    return Outcome.BACKEND_ERROR if answer.error or answer.status >= 500 else Outcome.OK


LATE = frozenset({"timeout", "connect_timeout"})
"""The kinds of errors that are a deadline's."""
