"""Writes that must not be lost: what is kept of one, the states that it goes through, and what comes next.

A **copy** is kept before the record is called, and goes to the other side once the record has taken the write. A
**queued** write waits for a record that is away. Writes of one lane (the `key` of one journey) go to each side in the
order in which they came.
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Literal, NamedTuple

from gateway.core.captured import CapturedAnswer
from gateway.core.model import Request, Side

Kind = Literal["copy", "queued"]


class State(StrEnum):
    """Where a write stands."""

    PENDING = "pending"
    """The record is being called."""
    UNRESOLVED = "unresolved"
    """Nobody knows whether it was done: a person, or reconciling, has to tell."""
    READY = "ready"
    """To be delivered."""
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The record was back, and said no."""
    DEAD = "dead"
    """It could not be delivered; later writes of its lane wait for a person."""
    EXPIRED = "expired"
    """The record did not come back in time."""
    DROPPED = "dropped"
    """A person gave it up."""
    GONE = "gone"
    """The record has done nothing, so there is nothing to be kept."""


class Signal(StrEnum):
    """What moves a write on."""

    TOOK = "took"
    NOTHING = "nothing"
    UNKNOWN = "unknown"
    BEGUN = "begun"
    DELIVERED = "delivered"
    AGAIN = "again"
    REFUSED = "refused"
    GAVE_UP = "gave_up"
    RETRY = "retry"
    DROP = "drop"


_S, _G = State, Signal
_BOTH = {
    (_S.READY, _G.BEGUN): _S.DELIVERING,
    (_S.DELIVERING, _G.DELIVERED): _S.DELIVERED,
    (_S.DELIVERING, _G.AGAIN): _S.READY,
    (_S.DELIVERING, _G.UNKNOWN): _S.UNRESOLVED,
    (_S.UNRESOLVED, _G.DELIVERED): _S.DELIVERED,
    (_S.UNRESOLVED, _G.RETRY): _S.READY,
    (_S.UNRESOLVED, _G.DROP): _S.DROPPED,
    (_S.READY, _G.RETRY): _S.READY,
    (_S.READY, _G.DROP): _S.DROPPED,
    (_S.DEAD, _G.RETRY): _S.READY,
    (_S.DEAD, _G.DROP): _S.DROPPED,
}
TRANSITIONS: Mapping[Kind, Mapping[tuple[State, Signal], State]] = {
    "copy": {
        **_BOTH,
        (_S.PENDING, _G.TOOK): _S.READY,
        (_S.PENDING, _G.NOTHING): _S.GONE,
        (_S.PENDING, _G.UNKNOWN): _S.UNRESOLVED,
        (_S.UNRESOLVED, _G.TOOK): _S.READY,
        (_S.UNRESOLVED, _G.NOTHING): _S.GONE,
        (_S.DELIVERING, _G.REFUSED): _S.DEAD,
        (_S.DELIVERING, _G.GAVE_UP): _S.DEAD,
    },
    "queued": {
        **_BOTH,
        (_S.READY, _G.NOTHING): _S.GONE,
        (_S.DELIVERING, _G.REFUSED): _S.REFUSED,
        (_S.DELIVERING, _G.GAVE_UP): _S.EXPIRED,
    },
}
"""By kind: from a state, at a signal, to a state. What is not here changes nothing."""
OPEN = (State.PENDING, State.UNRESOLVED, State.READY, State.DELIVERING, State.DEAD)
"""The states in which later writes of the same lane have to wait."""


def leads(kind: Kind, signal: Signal) -> dict[State, State]:
    """Where a signal leads to, by the state that it comes in."""
    return {before: after for (before, each), after in TRANSITIONS[kind].items() if each is signal}


# ------------------------------------------------------------------------------------------------ what is kept


class Kept(NamedTuple):
    """A request, to be sent once more: as a `Request` has it, with the gateway's own `lines` and the client's `scheme`.

    `fields` are its end-to-end fields as lines.
    """

    method: bytes
    target: bytes
    path: bytes
    query: bytes
    host: bytes
    fields: bytes
    lines: bytes
    scheme: bytes
    body: bytes

    def request(self) -> Request:
        """The request: it was read and judged when it came."""
        told = (self.method, self.target, self.path, self.query, self.host, self.fields, b"", len(self.body))
        return Request(*told, False, False, False, False)


class Given(NamedTuple):
    """An answer as a client was given it: `lines` are its end-to-end fields."""

    status: int
    lines: bytes
    body: bytes


class Claim(NamedTuple):
    """A client's word that this is one write, however often it is sent (`Idempotency-Key`).

    `scope` tells the client and its key from all others, `fingerprint` what it sent; both are hashes. It holds until
    `until`, Unix seconds.
    """

    scope: str
    fingerprint: str
    until: float


class Intent(NamedTuple):
    """What is to be stored before a write may be done.

    `id` 32 hexadecimal digits; `lane` whose order it keeps, `key` the same for people; `record` the side that takes it;
    `copy` whether the other side gets it, too; `queue` whether it may wait for the record: "" not, "behind" those of
    its lane that do, "now" because the record is away. `repeatable` that it does no more when it comes twice; `at` and
    `until` Unix seconds, from when to when there is sense in delivering it. `claim` is there where the
    client may send it again.
    """

    id: str
    route: str
    lane: str
    key: str
    record: Side
    copy: bool
    queue: Literal["", "behind", "now"]
    repeatable: bool
    at: float
    until: float
    kept: Kept
    claim: Claim | None = None


class Made(NamedTuple):
    """A thing that a write has made on one side: its identifier there, in the crosswalk `name`."""

    name: str
    side: Side
    value: str


class Ending(NamedTuple):
    """What came of a write whose intent was stored; `why` says it for people, `made` what the record has made. `scope`
    is that of its claim, and `given` what the client is told when it asks again (None: that nobody knows)."""

    id: str
    signal: Signal
    why: str = ""
    made: Made | None = None
    scope: str = ""
    given: Given | None = None


class Receipt(NamedTuple):
    """Somebody asks with a receipt what became of a queued write."""

    id: str


Asked = tuple[int, Intent | Ending | Receipt]
"""What the data process asks to be stored, or told, under a number that the answer comes with."""
RECEIPT: Mapping[State, str] = {
    State.READY: "accepted",
    State.DELIVERING: "accepted",
    State.DELIVERED: "delivered",
    State.REFUSED: "refused",
    State.EXPIRED: "expired",
    State.UNRESOLVED: "unresolved",
    State.DROPPED: "dropped",
    State.GONE: "dropped",  # it was taken back before anything was sent
}
"""What a receipt says of each state."""


def claim_of(route: str, client: bytes, key: bytes, kept: Kept, until: float) -> Claim:
    """The claim that a client's key makes for what it sends."""
    scope = blake2b(b"\0".join((route.encode(), client, key)), digest_size=16).hexdigest()
    told = blake2b(b"\0".join((kept.method, kept.target, kept.body)), digest_size=16).hexdigest()
    return Claim(scope, told, until)


def lane_of(journey: bytes, key: str) -> str:
    """The lane of a key within its journey: 32 hexadecimal digits, the same everywhere."""
    return blake2b(journey + b"\0" + key.encode("utf-8", "replace"), digest_size=16).hexdigest()


# ------------------------------------------------------------------------------------------------ delivering

FIRST, LONGEST = 0.5, 60.0
"""Seconds before the second try, at the most, which double from try to try, and the most that they come to."""
_UNSENT = frozenset({"connect_failed", "connect_timeout", "not_logged_on"})
_TEMPORARY = frozenset({408, 425, 429})
ELSEWHERE = frozenset({301, 307, 308})
"""Statuses that say that a write is to be sent elsewhere: it was not made."""


class Came(NamedTuple):
    """What a try to deliver came to; `after` seconds that the receiver asked to be left alone."""

    signal: Signal
    why: str = ""
    after: float = 0.0


def judged(answer: CapturedAnswer, *, repeatable: bool, after: float = 0.0) -> Came:
    """What an answer means for a delivery. One that may have been taken comes again only if that does no more.

    A 503 says that it was not taken (RFC 9110, section 15.6.4), whatever other failures may have done.
    """
    again = Signal.AGAIN if repeatable else Signal.UNKNOWN
    if answer.error == "unmapped":
        return Came(Signal.REFUSED, "it does not fit what the side is called with")
    if answer.error:
        return Came(Signal.AGAIN if answer.error in _UNSENT else again, answer.error)
    if answer.business or (400 <= answer.status < 500 and answer.status not in _TEMPORARY):
        return Came(Signal.REFUSED, f"it was answered with {answer.status}")
    if answer.status in ELSEWHERE:
        return Came(Signal.REFUSED, f"it was sent elsewhere ({answer.status})")
    if answer.status < 400:
        return Came(Signal.DELIVERED)
    asked = answer.status in _TEMPORARY or answer.status == 503
    return Came(Signal.AGAIN if asked else again, f"it was answered with {answer.status}", after)


def wait_before(tries: int, draw: float) -> float:
    """Seconds until the next try after so many; `draw` is from 0 to 1, so that not all come back together."""
    return float(min(LONGEST, FIRST * 2.0 ** min(tries - 1, 20))) * (0.5 + draw / 2)
