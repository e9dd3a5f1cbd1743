"""Endpoints as rows: plain values that are stored, added up over replicas, and learned from again.

A row that was stored when too little was known to tell a value from a word is told apart later, by the company of all
rows: `merged` reads them as if their requests came now.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from gateway.core.discovering.names import look_of, parameter
from gateway.core.discovering.places import Calls, Node
from gateway.core.discovering.settling import settle


class Endpoint(NamedTuple):
    """One endpoint that traffic has shown: a method, and a path template as routes.yaml writes it.

    `requests` were made, of which `errors` failed (5xx, or no answer), between the times `first` and `last` (Unix
    seconds). Rows of one method and template add up: counts as sums, times as the earliest and the latest.
    """

    method: str
    template: str
    requests: int
    errors: int
    first: float
    last: float


def merged(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """What rows of several replicas and times come to, most used first: each endpoint once, its values parameters."""
    root = Node(b"")
    for each in endpoints:
        plant(root, each)
    settle(root)
    return ranked(rows(root))


def ranked(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Most used first."""
    return tuple(sorted(endpoints, key=lambda each: (-each.requests, each.template, each.method)))


def plant(root: Node, row: Endpoint) -> Calls:
    """Add a row to the calls of the place that its template leads to; those calls."""
    node = root
    node.asked += row.requests
    for segment in row.template.split("/")[1:]:
        if segment.startswith("{"):
            node = node.value(look_of(segment[1:-1]))
        else:
            word = unquote_to_bytes(segment)
            node = node.words.setdefault(word, Node(word))
        node.asked += row.requests
    calls = node.calls.setdefault(row.method, Calls(row.first))
    calls.add(row.requests, row.errors, row.last)
    calls.first = min(calls.first, row.first)
    return calls


def rows(root: Node) -> Iterator[Endpoint]:
    """All endpoints of a tree, with everything that was counted."""
    for method, template, calls in told_as(root, root):
        yield Endpoint(method, template, calls.requests, calls.errors, calls.first, calls.last)


def told_as(node: Node, settled: Node, path: str = "", names: tuple[str, ...] = ()) -> Iterator[tuple[str, str, Calls]]:
    """All calls of a tree, each with its method and the template under which another tree has it: a copy, settled."""
    for method, calls in node.calls.items():
        yield method, path, calls
    for below in node.below():
        ahead = None if below.word is None else settled.words.get(below.word)
        if ahead is not None:
            literal = quote_from_bytes(below.word or b"", safe="")
            yield from told_as(below, ahead, f"{path}/{literal}", names)
        else:
            assert settled.one is not None  # what is no word there has become a value
            name = parameter(settled.word, settled.looks, names)
            yield from told_as(below, settled.one, f"{path}/{{{name}}}", (*names, name))
