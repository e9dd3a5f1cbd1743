"""What a rehearsal has to show: traffic on every route, no request lost, and a flip that the traffic followed."""

from gateway.demo.board import FAVOURITE, Scene
from gateway.demo.changes import Edit
from gateway.demo.tally import WINDOW


def objections(scene: Scene, *, flipped: bool) -> list[str]:
    """Why the rehearsal did not succeed, a sentence each; none when it did. `flipped`: a flip was part of it."""
    silent = [route.name for route in scene.estate.routes if not scene.tally.routes[route.name].answered]
    found = [f"No answer came on {', '.join(silent)}."] if silent else []
    if scene.tally.failed:
        found.append(f"Failed requests: {scene.tally.failed}; the last: {scene.tally.failures[-1]}.")
    if scene.strays:
        found.append(f"Clients changed sides {scene.strays} times without an edit.")
    return found + (_of_the_flip(scene) if flipped else [])


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
