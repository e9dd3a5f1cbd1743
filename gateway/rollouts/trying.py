"""Asking one side or both by hand: what each says to a request that nobody waits for, and how they differ.

Only what is safe on its route is sent: whoever tries something out must not change anything.
"""

from collections.abc import Awaitable, Callable, Sequence
from time import time
from typing import Any

from gateway.core.asking import asked
from gateway.core.captured import CapturedAnswer, CapturedRequest, Sample
from gateway.core.comparing.judging import Judgement
from gateway.core.comparing.values import pointer_text
from gateway.core.matching import RoutingTable
from gateway.core.model import LEGACY, NEW, Side
from gateway.core.secrecy import shown
from gateway.errors import ClientError, CommandError

MOST = 64 * 1_024
"""Bytes of a body that are shown."""
Document = dict[str, Any]
Read = Callable[[str, CapturedRequest, Sequence[Side]], Awaitable[tuple[CapturedAnswer, ...]]]
SIDES: dict[str, tuple[Side, ...]] = {"legacy": (LEGACY,), "new": (NEW,), "both": (LEGACY, NEW)}


async def tried(
    table: RoutingTable,
    read: Read,
    judge: Callable[[Sample], Judgement],
    method: str,
    url: str,
    headers: Sequence[str],
    body: bytes,
    side: str,
) -> Document:
    """Ask, and tell. Raises CommandError."""
    sides = SIDES.get(side)
    if sides is None:
        raise CommandError(f"{side!r} is nobody to be asked: legacy, new or both.")
    ask = asked(method, url, headers, body)
    fields = tuple((name, value) for name, value in ask.fields if name.lower() not in (b"host", b"content-length"))
    host = next((value for name, value in ask.fields if name.lower() == b"host"), b"localhost")
    recorded = CapturedRequest(ask.method, ask.target, host, fields, body)
    try:
        request = recorded.request()
    except ClientError as error:
        raise CommandError(f"That cannot be asked: {error.detail}") from error
    route = table.take(request)
    if route is None:
        raise CommandError("No route takes this request, so nobody is asked. See what `explain` says below.")
    if ask.method not in route.safe:
        raise CommandError(f"{route.name} takes this as a write, and nothing is tried out with those.")
    if len(route.plans) < 2:
        raise CommandError(f"{route.name} has one side only, so there is nothing to compare: call its address.")
    answers = await read(route.name, recorded, sides)
    told: Document = {"route": route.name, "sides": dict(zip(sides, map(_answer, answers), strict=True))}
    if len(answers) == 2:
        found = judge(Sample(time(), route.name, LEGACY, b"", 0, answers[0], answers[1], "try"))
        told["verdict"] = "matched" if found.verdict == "compared" and not found.differences else found.verdict
        told["reason"] = found.reason
        told["differences"] = [
            {
                "pointer": pointer_text(each.at),
                "kind": each.kind,
                "legacy": _value(each.legacy),
                "new": _value(each.new),
            }
            for each in found.differences
        ]
    return told


def _answer(answer: CapturedAnswer) -> Document:
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.fields]
    return {
        "status": answer.status,
        "error": answer.error,
        "seconds": answer.seconds,
        "fields": [f"{name}: {shown(name, value)}" for name, value in fields],
        "body": None if answer.body is None else answer.body[:MOST].decode("utf-8", "replace"),
        "cut": answer.body is not None and len(answer.body) > MOST,
    }


def _value(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
