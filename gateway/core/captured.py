"""Requests and answers held whole, to be compared or replayed. Plain values: they cross from data to control."""

from typing import NamedTuple

from gateway.core.headers import read_request
from gateway.core.model import Request, Side

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
    """A request as it came: `fields` are the end-to-end fields, `body` all of it.

    `lines` are the gateway's own fields for backends, empty where they are to be made when it is sent.
    """

    method: bytes
    target: bytes
    host: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""
    lines: bytes = b""

    def request(self) -> Request:
        """The request to be sent again. Raises ClientError for one that the gateway would not take."""
        length = [(b"Content-Length", b"%d" % len(self.body))] if self.body else []
        return read_request(self.method, self.target, [*self.fields, (b"Host", self.host), *length], True)


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


class Recorded(NamedTuple):
    """One exchange: `at` Unix seconds when it began, `origin` where clients sent it (`https://services.example`)."""

    request: CapturedRequest
    answer: CapturedAnswer
    at: float
    origin: str


class Sample(NamedTuple):
    """One request, answered by both sides: what is compared.

    `at` Unix seconds; `control_side` served; `second` is the control's answer to the same request asked again, where it
    was; `revision` the table's; `source` tells whose request it was.
    """

    at: float
    route: str
    control_side: Side
    request: CapturedRequest
    control: CapturedAnswer
    candidate: CapturedAnswer
    revision: int
    request_id: bytes
    source: str = "shadow"
    second: CapturedAnswer | None = None


Seconds = dict[int, CapturedAnswer]
"""Answers to requests that were asked again, by the number they were asked with."""
