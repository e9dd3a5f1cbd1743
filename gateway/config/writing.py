"""What a route's writes are promised, as routes.yaml says it: `writes`."""

from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Literal

from gateway.config.kinds import Duration, Maybe, Spec
from gateway.config.needs import takes_writes
from gateway.config.problems import Problem
from gateway.core.model import Serve
from gateway.core.policies import Writes

if TYPE_CHECKING:
    from gateway.config.rules import Draft


class WritesSpec(Spec):
    """Where the writes go, whatever the split of the reads."""

    record: Maybe[Literal["legacy", "new"]] = None
    """The side that all writes go to: `serve` moves the reads alone then. Default: new under `serve: new`, or else
    legacy."""
    settle: Maybe[Duration] = None
    """How long a client's reads stay on that side after its write, on all routes of the journey. It needs `sticky`."""


def writes_of(spec: WritesSpec | None) -> Writes:
    return Writes() if spec is None else Writes(**spec.given(Writes._fields))


def sound_writes(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """What writes are promised needs writes, and the sides that it names."""
    for draft in drafts:
        route, writes = draft.route, draft.route.writes
        if writes == Writes():
            continue
        if not takes_writes(route):
            message = "this route takes no writes: its requests are safe; leave `writes` out"
            yield draft.entry.key_problem(("writes",), message)
            continue
        target = {"legacy": route.legacy, "new": route.new, None: route}[writes.record]
        if target is None and route.serve is not Serve.RETIRED:
            message = f"there is no {writes.record} side; add `{writes.record}:` with a backend's name"
            yield draft.entry.problem(("writes", "record"), message)
        if writes.settle and route.sticky is None:
            message = "`settle` must know clients again; add `sticky: {cookie: NAME}` or another way to tell them apart"
            yield draft.entry.key_problem(("writes", "settle"), message)
