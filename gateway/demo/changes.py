"""What happens while the demo runs: edits of routes.yaml, and when the traffic shows them; steps of ramps.

An edit is only what the file says; that it took effect is read from the clients' answers: the first client that is
seen on another side than before, after the edit.
"""

from pathlib import Path
from typing import NamedTuple

from gateway.core.model import Estate, Route, Serve
from gateway.demo.tally import Tally


class Edit(NamedTuple):
    """A route serves otherwise since `at`; `failed` counts the requests that had failed until then."""

    at: float
    route: str
    before: str
    after: str
    failed: int

    def told(self, tally: Tally) -> str:
        """The edit and its effect, in a line."""
        failed = tally.failed - self.failed
        requests = "request" if failed == 1 else "requests"
        return f"{self.route}: {self.before} -> {self.after}, {self._seen(tally)}, {failed} failed {requests}"

    def seen_after(self, tally: Tally) -> float | None:
        """Seconds until the first client changed sides; None while none has."""
        moved = tally.routes[self.route].first_move(self.at)
        return None if moved is None else moved - self.at

    def _seen(self, tally: Tally) -> str:
        seconds = self.seen_after(tally)
        return "not seen in the traffic yet" if seconds is None else f"seen after {seconds:.1f} s"


class Step(NamedTuple):
    """A ramp gives the new side this share (per cent) since `at`; `text` is the sentence that says why."""

    at: float
    ramp: str
    share: float
    text: str

    def told(self, _: Tally) -> str:
        return self.text


class Note(NamedTuple):
    """Something else that a person should know."""

    at: float
    text: str

    def told(self, _: Tally) -> str:
        return self.text


Entry = Edit | Step | Note


def serve_text(route: Route) -> str:
    """`serve` as routes.yaml says it."""
    return f"{route.share / 100:g}% new" if route.serve is Serve.SPLIT else route.serve.value


def edits(before: Estate, after: Estate, at: float, failed: int) -> list[Edit]:
    """The routes in both that serve otherwise now."""
    old = {route.name: serve_text(route) for route in before.routes}
    new = {route.name: serve_text(route) for route in after.routes}
    return [
        Edit(at, name, old[name], serve, failed) for name, serve in new.items() if name in old and old[name] != serve
    ]


class FileWatch:
    """Tells when a file has other bytes than before, once two looks in a row found the same."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = self._candidate = path.read_bytes()
        self._since = path.stat().st_mtime

    def changed(self, now: float) -> float | None:
        """When the file changed, if it did: by the file system's word, but not before the last change or after now."""
        try:
            read, at = self._path.read_bytes(), self._path.stat().st_mtime
        except FileNotFoundError:  # between the two halves of an editor's rename; the next look finds it
            return None
        settled, self._candidate = read == self._candidate, read
        if not settled or read == self._known:
            return None
        self._known = read
        self._since = min(max(at, self._since), now)
        return self._since
