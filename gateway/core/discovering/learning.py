"""A learner is told of each request that only a catch-all route served, and knows what endpoints there are.

That takes a few microseconds. Memory is bounded whatever is asked for: at most MOST places, of which the least used are
forgotten first. An address that was only ever refused leaves nothing behind, so what scanners try is no endpoint.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from gateway.core.discovering.endpoints import Endpoint, plant, ranked, rows, told_as
from gateway.core.discovering.looks import WORD, is_asset, look
from gateway.core.discovering.places import Calls, Node
from gateway.core.discovering.settling import join, settle
from gateway.core.paths import is_plain, needs_raw, problem_of

MOST = 10_000
"""Places of one learner, some 700 bytes each."""
DEEPEST = 12
"""Segments of a path that is learned from."""
WIDE = 64
"""So many words at one place are settled together, for good."""
SURE, LIKELY = 3.0, 1.0
"""Bits that must speak for words being values: where it is for good, and where only what is told depends on it."""
LEAST = 3
"""Requests after which an endpoint is told of."""
BY_KNOWING = frozenset({402, 406, 409, 411, 412, 413, 415, 416, 417, 422, 423, 424, 428, 451})
"""Refusals by somebody who knows the address. Others, and failures, could be anybody's: a gatekeeper's, a proxy's."""
METHODS = {each: each for each in ("GET", "POST", "PUT", "DELETE", "PATCH", "REPORT", "SEARCH", "PROPFIND")}
METHODS["HEAD"] = "GET"
"""As what requests count. A route for GET takes HEAD, too; OPTIONS and the like ask for no endpoint."""


class Learner:
    """What was learned of one catch-all route. `known` are rows that are stored already; `most` bounds the places."""

    def __init__(self, known: Iterable[Endpoint] = (), most: int = MOST) -> None:
        self._root = Node(b"")
        for each in known:
            plant(self._root, each).tell()
        self._most = most
        self._wide: Node | None = None
        self.places = self._root.size()

    def saw(self, method: str, path: bytes, count: int, status: int, at: float) -> None:
        """Learn from `count` requests for a path, as received but without its query; the last of them came `at`.

        `status` is that of the answers, or its first digit; 0 where none came.
        """
        kind = METHODS.get(method)
        segments = path.split(b"/")
        if kind is None or len(segments) > DEEPEST + 1 or is_asset(segments) or _is_beyond(path):
            return
        is_proof = 100 <= status < 400 or 1 <= status <= 3 or status in BY_KNOWING
        node = self._root
        way = [node]
        for segment in segments[1:]:
            below = node.words.get(segment) or self._next(node, segment, is_proof)
            if below is None:
                return
            node = below
            way.append(node)
        calls = node.calls.get(kind)
        if calls is None:
            if not is_proof:
                return
            calls = node.calls[kind] = Calls(at)
        calls.add(count, count if status >= 500 or status in (0, 5) else 0, at)
        for node in way:
            node.asked += count
        if self._wide is not None:
            self._join(self._wide)
        if self.places > self._most:
            self._forget()

    def _next(self, node: Node, segment: bytes, is_proof: bool) -> Node | None:
        """Where a segment leads that is no known word as it is written; None where nothing is, nor shall be."""
        word = unquote_to_bytes(segment) if b"%" in segment else segment
        kind = look(word.decode("latin-1"))
        below = node.words.get(word) if kind == WORD else node.one
        if below is not None:
            if is_proof and kind != WORD:
                node.looks.add(kind)
            return below
        if not is_proof:
            return node.one if node.is_open else None
        self.places += 1
        if kind != WORD:
            return node.value(kind)
        below = node.words[word] = Node(word)
        if len(node.words) >= max(WIDE, node.limit):
            self._wide = node
        return below

    def _join(self, wide: Node) -> None:
        """Find the values among many words. Words that are none are looked at again when there are twice as many."""
        self._wide = None
        self.places -= join(wide, SURE)
        wide.limit = 2 * len(wide.words)
        one = wide.one
        if one is not None and len(one.words) >= max(WIDE, one.limit):
            self._join(one)

    def _forget(self) -> None:
        """Make room: what is the same by now becomes one; of the rest, the half that was least used is forgotten.

        Of those that were used as little as one another, it is those that were used the longest ago.
        """
        settle(self._root, SURE)
        used = sorted(_used(self._root), key=lambda each: each[:2])
        for _, _, node in used[: (len(used) + 1) // 2]:
            node.calls.clear()
        _prune(self._root)
        self.places = self._root.size()

    def take(self, least: int = LEAST) -> tuple[Endpoint, ...]:
        """What was counted since it was last taken, most used first: rows to be added to those that are stored.

        What was asked for less than `least` times in all is not told yet. So what comes once leaves no row, be it junk
        or somebody's name.
        """
        counted: dict[tuple[str, str], list[Calls]] = {}
        for method, template, calls in told_as(self._root, self._settled(LIKELY)):
            counted.setdefault((method, template), []).append(calls)
        told = (_untold(*key, parts) for key, parts in counted.items() if sum(each.requests for each in parts) >= least)
        return ranked(row for row in told if row.requests)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Everything that is known, most used first."""
        return ranked(rows(self._settled(0.0)))

    def _settled(self, sure: float) -> Node:
        """All that is known, as it looks by now. The tree itself waits for more: what is one place stays one."""
        copy = self._root.copy()
        settle(copy, sure)
        return copy


def _untold(method: str, template: str, parts: list[Calls]) -> Endpoint:
    """A row of what was not told yet, and is now."""
    untold = [each.tell() for each in parts]
    requests, errors = (sum(counts) for counts in zip(*untold, strict=True))
    return Endpoint(
        method, template, requests, errors, min(each.first for each in parts), max(each.last for each in parts)
    )


def _is_beyond(path: bytes) -> bool:
    """Whether no template can tell a path: it is refused, or for `path: raw`, or has parameters inside a segment."""
    if is_plain(path):
        return b"(" in path or path[:1] != b"/"
    return b";" in path or path[:1] != b"/" or needs_raw(path) or problem_of(path) is not None


def _used(node: Node) -> list[tuple[int, float, Node]]:
    """Each place that was asked for: how often, when at last."""
    found: list[tuple[int, float, Node]] = []
    places = [node]
    for each in places:
        places.extend(each.below())
        if each.calls:
            calls = each.calls.values()
            found.append((sum(one.requests for one in calls), max(one.last for one in calls), each))
    return found


def _prune(node: Node) -> bool:
    """Take away the places that lead to nothing that was asked for; whether this one leads to something."""
    node.words = {word: each for word, each in node.words.items() if _prune(each)}
    if node.one is not None and not _prune(node.one):
        node.one = None
        node.looks.clear()
    return bool(node.calls or node.words or node.one)
