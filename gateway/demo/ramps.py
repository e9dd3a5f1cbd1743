"""Where ramps and overrides stand, as the gateway's control socket tells it, and what is new since it was last asked.

The demo believes nothing else about them: it sees what any operator sees.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, UnixConnector

from gateway.demo.changes import Note, Step

SOCKET = "control.sock"
PATIENCE = 5.0
"""Seconds that the gateway gets for an answer."""
CLIMBING, ROLLED_BACK, FINISHED = "climbing", "rolled back", "finished"


class Ramp(NamedTuple):
    """A ramp: its stage of so many (0 before the first), its share (per cent), and what it goes by.

    Of `compared` answers with content, `agreed` were the same. `why` is the sentence of its last step, `waits` what the
    next one waits for ("" for nothing but time); `sequence` grows with every step.
    """

    name: str
    routes: tuple[str, ...]
    state: str
    stage: int
    stages: int
    share: float
    agreed: int
    compared: int
    why: str
    waits: str
    sequence: int


class Standing(NamedTuple):
    """All ramps; and every live override in words, by its route."""

    ramps: tuple[Ramp, ...] = ()
    overrides: Mapping[str, str] = {}


async def look(data: Path) -> Standing | None:
    """Ask the gateway that runs in a data folder; None when it does not tell now."""
    try:
        with _socket(data) as path:
            connector, patience = UnixConnector(path), ClientTimeout(PATIENCE)
            async with ClientSession(connector=connector, timeout=patience, cookie_jar=DummyCookieJar()) as session:
                ramps = await _asked(session, "/api/v1/ramps")
                overrides = await _asked(session, "/api/v1/overrides")
    except (OSError, ClientError, ValueError):  # a control process that has just died, say; TimeoutError is one, too
        return None
    return standing_of(ramps["ramps"], overrides["overrides"])


@contextmanager
def _socket(data: Path) -> Iterator[str]:
    """A name of the control socket that is never too long for the kernel: through the folder's descriptor."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


async def _asked(session: ClientSession, path: str) -> dict[str, Any]:
    async with session.get(f"http://localhost{path}", raise_for_status=True) as answer:
        return dict(await answer.json())


def standing_of(ramps: Sequence[Mapping[str, Any]], overrides: Sequence[Mapping[str, Any]]) -> Standing:
    """What the gateway's documents say."""
    return Standing(tuple(map(_ramp, ramps)), {each["route"]: each["text"] for each in overrides})


def _ramp(document: Mapping[str, Any]) -> Ramp:
    parity = document["evidence"]["parity"]
    missing = (each["sentence"] for each in document["missing"] if each["guard"] != "every")
    return Ramp(
        name=document["ramp"],
        routes=tuple(document["routes"]),
        state=document["state"],
        stage=document["stage"],
        stages=len(document["stages"]),
        share=document["share"],
        agreed=parity["count"],
        compared=parity["of"],
        why=document["why"],
        waits=next(missing, ""),
        sequence=document["sequence"],
    )


def news(before: Standing, after: Standing, at: float) -> Iterator[Step | Note]:
    """What happened between two looks: the steps of ramps, and overrides that were set, changed or ended."""
    old = {ramp.name: ramp.sequence for ramp in before.ramps}
    for ramp in after.ramps:
        if ramp.stage and ramp.sequence != old.get(ramp.name):
            yield Step(at, ramp.name, ramp.share, told(ramp))
    for route in before.overrides.keys() | after.overrides.keys():
        text = after.overrides.get(route, "the override is over")
        if text != before.overrides.get(route):
            yield Note(at, f"{route}: {text}")


def told(ramp: Ramp) -> str:
    """Where a ramp stands and why, in a sentence."""
    if ramp.state == ROLLED_BACK:
        return f"{ramp.name}: rolled back: {ramp.why}"
    stage = f"stage {ramp.stage} of {ramp.stages}"
    place = {CLIMBING: stage, FINISHED: FINISHED}.get(ramp.state, f"{stage}, {ramp.state}")
    return f"{ramp.name}: {ramp.share:g} % on new, {place}: {ramp.why}"


def turns(before: Standing, after: Standing) -> Iterator[set[str]]:
    """Sets of routes, one for each time that their clients may change sides once, from one look to the next.

    A climb moves each client once, from its first stage to its last, so only its beginning counts.
    """
    shares = {ramp.name: ramp.share for ramp in before.ramps}
    for ramp in after.ramps:
        was = shares.get(ramp.name, 0.0)
        falls, rises = ramp.share < was, ramp.share > 0 and (not was or ramp.share < was)
        yield from [set(ramp.routes)] * (falls + rises)
    for route in before.overrides.keys() | after.overrides.keys():
        if before.overrides.get(route) != after.overrides.get(route):
            yield {route}
