"""What a rehearsal has to show: traffic on every route, no request lost, and a flip that the traffic followed.

One of a minute or more also has to show a ramp that climbs, and one with a fault that is rolled back.
"""

from collections.abc import Iterator

from gateway.core.model import Serve
from gateway.demo.board import FAVOURITE, Scene
from gateway.demo.changes import Edit, Step
from gateway.demo.ramps import ROLLED_BACK, Ramp, told
from gateway.demo.tally import WINDOW

LONG = 60.0
"""Seconds in which ramps come to something."""
FAULTY = "rent-balance"
"""The route whose replacement gets some answers wrong."""
AT_ONCE = 2.0
"""Seconds from a roll back to the last answer of the side that it takes the traffic from."""


def objections(scene: Scene, *, flipped: bool) -> list[str]:
    """Why the rehearsal did not succeed, a sentence each; none when it did. `flipped`: a flip was part of it."""
    silent = [route.name for route in scene.estate.routes if not scene.tally.routes[route.name].answered]
    found = [f"No answer came on {', '.join(silent)}."] if silent else []
    if scene.tally.failed:
        found.append(f"Failed requests: {scene.tally.failed}; the last: {scene.tally.failures[-1]}.")
    if scene.strays:
        found.append(f"Clients changed sides {scene.strays} times without an edit.")
    found += _of_the_flip(scene) if flipped else []
    return [*found, *(_of_the_ramps(scene) if (scene.seconds or 0.0) >= LONG else ())]


def _of_the_flip(scene: Scene) -> list[str]:
    edits = [entry for entry in scene.entries if isinstance(entry, Edit) and entry.route == FAVOURITE]
    if not edits:
        return [f"The flip of {FAVOURITE} did not change the file."]
    edit = edits[-1]
    if edit.seen_after(scene.tally) is None:
        return [f"{FAVOURITE} was flipped from {edit.before} to {edit.after}, but the traffic did not follow."]
    figures = scene.tally.figures(FAVOURITE, scene.now)
    if scene.now - edit.at > WINDOW + 1 and figures.share(edit.after) < 1:
        return [f"After the flip to {edit.after}, {FAVOURITE} was still answered by {dict(figures.sides)}."]
    return []


def _of_the_ramps(scene: Scene) -> Iterator[str]:
    """Every route that ramps in the file, by what its ramp has come to."""
    ramps = {route: ramp for ramp in scene.standing.ramps for route in ramp.routes}
    for route in scene.estate.routes:
        if route.serve is Serve.RAMP:
            ramp = ramps.get(route.name)
            if ramp is None:
                yield f"The gateway does not tell where the ramp of {route.name} stands."
            elif FAULTY in ramp.routes:
                yield from _of_the_fault(route.name, ramp, scene)
            elif ramp.state == ROLLED_BACK or ramp.stage < 2:
                yield f"A ramp that should climb did not. {told(ramp)}."


def _of_the_fault(route: str, ramp: Ramp, scene: Scene) -> Iterator[str]:
    if ramp.state != ROLLED_BACK:
        yield f"Nobody caught the fault of {route}. {told(ramp)}."
        return
    back = max(
        (entry.at for entry in scene.entries if isinstance(entry, Step) and entry.ramp == ramp.name), default=0.0
    )
    late = scene.tally.routes[route].last_off - back
    if late > AT_ONCE:
        yield f"A wrong answer of {route} reached a client {late:.1f} s after the roll back."
