"""Carrying out one call by hand: a route's own connector, and the gateway's wire with somebody looking on."""

import asyncio
import json
from collections.abc import Collection, Coroutine, Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from connectors.base import Call, Kept
from connectors.mapping import MappingInvalid
from connectors.soap.client import SoapConnector
from connectors.soap.incoming import read_whole
from connectors.soap.problems import Invalid
from connectors.soap.security import HeaderValues
from connectors.soap.sessions import Held
from connectors.soap.target import BridgeTarget, FacadeTarget, SoapTarget
from connectors.soap.workshop import WORKSHOP
from gateway.cli.envelopes import envelope
from gateway.core.asking import asked
from gateway.core.fields import Fields, names_and_values
from gateway.core.forwarding import ids_of
from gateway.core.headers import read_request
from gateway.core.matching import compiled
from gateway.core.model import Estate, Match
from gateway.core.planning import Plan
from gateway.core.secrecy import MASK, shown
from gateway.errors import BackendError, ClientError, CommandError
from gateway.proxy.chance import fresh_digits
from gateway.wire.body import whole
from gateway.wire.client import BackendConnection
from gateway.wire.clock import Clock
from gateway.wire.driver import Driver
from gateway.wire.guard import Turn
from gateway.wire.pool import Judged, Parcel, Pool, judged

Pairs = Iterable[tuple[str, str]]
MOST = 64 * 2**20
"""Bytes of an answer that are looked at."""


class Trial(NamedTuple):
    """A call to be tried."""

    call: Call
    plan: Plan
    body: bytes


class Message(NamedTuple):
    """What crossed the wire: the first line or the status, fields, and the envelope as it is shown."""

    first: str
    head: tuple[str, ...]
    envelope: str


class Record(NamedTuple):
    """What happened. `sent` and `received` are None where it did not come to that; `status` 0: nothing was sent."""

    trial: Trial
    sent: Message | None
    received: Message | None
    status: int
    answer: Any

    def document(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        plan, request = self.trial.plan, self.trial.call.request
        sent, received = self.sent, self.received
        return {
            "route": plan.route,
            "method": request.method.decode(),
            "target": request.target.decode(),
            "request": readable(self.trial.body),
            "side": plan.side,
            "backend": plan.name,
            "operation": plan.target.call.operation.name,
            "sent": sent and {"url": sent.first, "head": list(sent.head), "envelope": sent.envelope},
            "received": received
            and {"status": received.first, "head": list(received.head), "envelope": received.envelope},
            "answer": {"status": self.status, "body": self.answer} if self.status else None,
        }


# ------------------------------------------------------------------------------------------------ what is asked


def prepared(
    estate: Estate, name: str, side: str, body: bytes, path: Pairs, query: Pairs, headers: Iterable[str]
) -> Trial:
    """A call of one side of a route. Raises CommandError where there is none to try."""
    route = compiled(estate).routes.get(name)
    if route is None:
        raise CommandError(f"There is no route {name}; `banyan routes` lists them.")
    plan = {str(each): plan for each, plan in route.plans.items()}.get(side)
    if plan is None:
        raise CommandError(f"{name} has no side {side!r}; it has {' and '.join(route.plans)}.")
    if isinstance(plan.target.call, FacadeTarget | BridgeTarget):
        raise CommandError(f"{name} answers SOAP clients on its {side} side; send their envelope to the gateway.")
    if not isinstance(plan.target.call, SoapTarget):
        raise CommandError(f"{name} calls no operation on its {side} side; `banyan explain` shows what it sends.")
    match = route.route.match
    method = (match.methods or (b"POST" if body else b"GET",))[0].decode()
    ask = asked(method, address_of(match, dict(path), query), [*headers, *_typed(body, headers)], body)
    try:
        request = read_request(ask.method, ask.target, *names_and_values(ask.fields), False)
    except ClientError as error:
        raise CommandError(f"The gateway would refuse this with {error.status}: {error.detail}") from error
    _, _, lines = ids_of(request, fresh_digits())
    return Trial(Call(request, route, plan, lines, whole(body)), plan, body)


def _typed(body: bytes, headers: Iterable[str]) -> list[str]:
    typed = any(each.lower().startswith("content-type:") for each in headers)
    return ["Content-Type: application/json"] if body and not typed else []


def address_of(match: Match, values: dict[str, str], query: Pairs) -> str:
    """A path that the match takes, with a query. Raises CommandError for a value that is missing or stands nowhere."""
    left = dict(values)
    segments = []
    for segment in match.segments:
        name = segment.text.decode()
        if segment.kind == "literal":
            segments.append(quote(name, safe="!$&'()*+,;=:@"))
        elif segment.kind == "rest":
            segments.append(left.pop("rest", ""))
        elif not left.get(name):
            raise CommandError(f"The route's path needs a value for {{{name}}}: --path {name}=VALUE")
        else:
            segments.append(quote(left.pop(name), safe=""))
    if left:
        raise CommandError(f"The route's path has no {{{next(iter(left))}}}.")
    pairs = list(query)
    return "/" + "/".join(segments) + (f"?{urlencode(pairs)}" if pairs else "")


# ------------------------------------------------------------------------------------------------ what happens


def called(trial: Trial, *, dry_run: bool) -> Record:
    """Carry out a call. Raises CommandError when it fails as it should not."""
    try:
        return asyncio.run(_driven(_called(trial, dry_run=dry_run)))
    finally:
        WORKSHOP.close()


async def _driven(calling: Coroutine[Any, Any, Record]) -> Record:
    """Drive a call as the proxy does: the wire waits for signals, which asyncio's own tasks do not know."""
    ended: asyncio.Future[Record] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        ended.set_result(await calling)

    def finished(error: BaseException | None) -> None:
        if error is not None:
            ended.set_exception(error)

    Driver(run(), finished).resume()
    return await ended


async def _called(trial: Trial, *, dry_run: bool) -> Record:
    kept: Kept = {}
    wire = _Wire(trial, kept, dry_run=dry_run)
    try:
        caller = await SoapConnector().prepare(trial.plan, kept)
        if dry_run:
            _pretend(kept)
        answer = await caller.call(trial.call, wire.send)
        data = await read_whole(answer.body, MOST)
    except _Enough:
        return Record(trial, wire.sent, None, 0, None)
    except (ClientError, BackendError) as error:
        return Record(trial, wire.sent, wire.received, error.status, error.detail)
    except (Invalid, MappingInvalid) as error:
        raise CommandError(f"{trial.plan.route} cannot be called: {error}") from error
    finally:
        wire.close()
    return Record(trial, wire.sent, wire.received, answer.head.status, readable(data or b""))


def _pretend(kept: Kept) -> None:
    """A session that stands for the one a real call would begin."""
    for flight in kept.values():
        flight.held = Held(MASK, float("inf"), {})


class _Enough(Exception):
    """All that was asked for has been seen."""


class _Wire:
    """The gateway's own wire to one backend; its last exchange is written down. Before it there may be a log-on."""

    def __init__(self, trial: Trial, kept: Kept, *, dry_run: bool) -> None:
        self.sent: Message | None = None
        self.received: Message | None = None
        self.connection: BackendConnection | None = None
        self.connect = 0.0
        self.turn: Turn | None = None
        self.exposed = False
        self._trial = trial
        self._kept = kept
        self._dry_run = dry_run
        self._clock = Clock()
        self._pool: Pool | None = None

    async def send(self, parcel: Parcel) -> Judged:
        """What a connector sends by."""
        secrets = secrets_of(self._trial.plan.target.call, self._kept)
        self.sent, self.received = sent(self._trial.plan, parcel[0], secrets), None
        if self._dry_run:
            raise _Enough
        if self._pool is None:
            self._clock.start()
            self._pool = Pool(self._trial.plan.backend, self._clock)
        head, body, *_ = await self._pool.send(self, parcel)
        data = await read_whole(body, MOST) or b""
        fields = tuple(_masked(f"{name.decode('latin-1')}: {value.decode('latin-1')}") for name, value in head.fields)
        self.received = Message(f"{head.status}", fields, envelope(data, secrets))
        return judged(head, whole(data))

    def interim(self, status: int, reason: bytes, raw: Fields) -> None:
        """A 1xx answer says nothing here."""

    def close(self) -> None:
        self._clock.stop()
        if self.connection is not None:
            self.connection.close()


# ------------------------------------------------------------------------------------------------ how it is shown


def secrets_of(target: SoapTarget, kept: Kept) -> frozenset[str]:
    """The texts that no envelope shows: what the gateway logs on with, fixed headers, and what a log-on gave."""
    given = [value for each in target.auth if isinstance(each, HeaderValues) for _, value in each.values]
    logged_on = [] if target.session is None else [target.session.log_on.request]
    held = [flight.held.token for flight in kept.values() if flight.held is not None]
    return frozenset(_texts([given, logged_on, held]))


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value, at any depth; numbers as they are written."""
    if isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def sent(plan: Plan, data: bytes, secrets: Collection[str] = ()) -> Message:
    """A request as it goes out; secrets are masked."""
    head, _, content = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    backend = plan.backend
    where = f"unix:{backend.unix}:" if backend.unix else f"{'https' if backend.tls else 'http'}://"
    where += "" if backend.unix else backend.authority.decode()
    return Message(where + first.split(" ")[1], tuple(map(_masked, lines)), envelope(content, secrets))


def _masked(line: str) -> str:
    name, _, value = line.partition(": ")
    return f"{name}: {shown(name, value)}"


def readable(data: bytes) -> Any:
    """JSON as a value; anything else as text, and nothing as None."""
    if not data.strip():
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")
