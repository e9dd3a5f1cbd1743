"""What a route's writes are promised, as routes.yaml says it: `writes`."""

from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag

from gateway.config import words
from gateway.config.kinds import Duration, Maybe, Name, Spec, text
from gateway.config.needs import takes_writes
from gateway.config.problems import Problem
from gateway.core.model import Route, Serve
from gateway.core.policies import Crosswalk, Idempotency, Way, Writes

if TYPE_CHECKING:
    from gateway.config.rules import Draft


class WritesSpec(Spec):
    """Where the writes go, whatever the split of the reads."""

    record: Maybe[Literal["legacy", "new"]] = None
    """The side that all writes go to: `serve` moves the reads alone then. Default: new under `serve: new`, or else
    legacy."""
    settle: Maybe[Duration] = None
    """How long a client's reads stay on that side after its write, on all routes of the journey. It needs `sticky`."""
    copy_: bool = Field(default=False, alias="copy")
    """Whether the other side gets every write, too, after the record has taken it."""
    when_down: Literal["refuse", "queue"] = "refuse"
    """What happens to a write while the record is away: refuse (503, the default), or queue (202, with a receipt)."""
    key: Maybe[Annotated[Way, PlainValidator(words.way), text("path.account, body.AccountNo")]] = None
    """What tells which writes have to keep their order: path.NAME, query.NAME, header.NAME or body.NAME. Default: the
    path."""
    give_up: Maybe[Duration] = None
    """How long a write is tried to be delivered. Default 1d."""


class IdempotencySpec(Spec):
    """Clients may send a write again under the same `Idempotency-Key`, and are given the first answer."""

    keep: Maybe[Duration] = None
    """For how long. Default 1d."""
    required: bool = False
    """Whether writes without a key are refused (400)."""


IdempotencyShape = Annotated[
    Annotated[Literal[True], Tag("<true>")] | Annotated[IdempotencySpec, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<true>"),
]


def idempotency_of(spec: Literal[True] | IdempotencySpec | None) -> Idempotency | None:
    if not isinstance(spec, IdempotencySpec):
        return Idempotency() if spec else None
    return Idempotency(**spec.given(Idempotency._fields))


_A_WAY = text("response.id, response.tenancy.id")
Answered = Annotated[Way, PlainValidator(words.answer_way), _A_WAY]
Asked = Annotated[Way, PlainValidator(words.way), text("path.id, query.tenancy, body.tenancy")]


class CrosswalkSpec(Spec):
    """Identifiers that mean the same thing on both sides, though each side has made its own."""

    name: Maybe[Name] = None
    """Routes whose crosswalks have one name share their identifiers. Default: the journey."""
    legacy: Maybe[Answered] = None
    """Where legacy's answer to a write has the identifier that it made: response.NAME."""
    new: Maybe[Answered] = None
    """Where the new side's answer has it."""
    at: Annotated[
        Annotated[Asked, Tag("<one>")] | Annotated[list[Asked], Field(min_length=1), Tag("<list>")],
        Discriminator(lambda value: "<list>" if isinstance(value, list) else "<one>"),
    ] = Field(default=[])
    """Where requests have such an identifier, which is exchanged for the one that the side knows: path.NAME, query.NAME
    or body.NAME; or a list of these."""


def crosswalk_of(spec: CrosswalkSpec | None, journey: str) -> Crosswalk | None:
    if spec is None:
        return None
    at = spec.at if isinstance(spec.at, list) else [spec.at]
    return Crosswalk(spec.name or journey, spec.legacy, spec.new, tuple(at))


def sound_crosswalks(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """Identifiers are exchanged between two sides: made by writes that both get, and found where they stand."""
    for draft in drafts:
        route, crosswalk = draft.route, draft.route.crosswalk
        if crosswalk is None:
            continue
        if route.legacy is None or route.new is None:
            missing = "legacy" if route.legacy is None else "new"
            message = f"`crosswalk` needs both sides; add `{missing}:` with a backend's name, or leave it out"
            yield draft.entry.key_problem(("crosswalk",), message)
        makes = (crosswalk.legacy, crosswalk.new)
        if None in makes and makes != (None, None):
            missing = "legacy" if crosswalk.legacy is None else "new"
            message = (
                f"a pair has two identifiers; say where the other side's answer has its: `{missing}: response.NAME`"
            )
            yield draft.entry.key_problem(("crosswalk",), message)
        elif crosswalk.legacy is not None and not route.writes.copy:
            message = "identifiers are made by writes that both sides get; add `writes: {copy: true}`"
            yield draft.entry.key_problem(("crosswalk",), message)
        elif makes == (None, None) and not crosswalk.at:
            message = "says neither where identifiers are made (`legacy`, `new`) nor where they stand (`at`)"
            yield draft.entry.key_problem(("crosswalk",), message)
        for way in crosswalk.at:
            if way.source == "header" or not _can_find(way, route):
                message = f"{way} cannot be exchanged; write path.NAME of the match, query.NAME or body.NAME"
                yield draft.entry.key_problem(("crosswalk", "at"), message)


def writes_of(spec: WritesSpec | None) -> Writes:
    if spec is None:
        return Writes()
    given = spec.given(("record", "settle", "key", "give_up"))
    return Writes(**given, copy=spec.copy_, queue=spec.when_down == "queue")


def _owed(draft: "Draft", key: str) -> Iterator[Problem]:
    """What is delivered later needs somebody to deliver it to, and a client that understands."""
    route = draft.route
    if key == "copy" and (route.legacy is None or route.new is None):
        missing = "legacy" if route.legacy is None else "new"
        message = f"`copy` needs both sides; add `{missing}:` with a backend's name, or leave it out"
        yield draft.entry.key_problem(("writes", "copy"), message)
    if key == "when_down" and route.match.soap is not None:
        message = "a client of SOAP does not understand a receipt; leave it out, and it gets a fault"
        yield draft.entry.problem(("writes", "when_down"), message)


def _can_find(way: Way, route: Route) -> bool:
    named = {each.text.decode() for each in route.match.segments if each.kind == "one"}
    return way.source != "path" or (way.names[0] in named and len(way.names) == 1)


def sound_writes(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """What writes are promised needs writes, and the sides that it names."""
    for draft in drafts:
        route, writes = draft.route, draft.route.writes
        given = {"writes": writes != Writes(), "idempotency": route.idempotency is not None}
        if not takes_writes(route):
            for key in (key for key, there in given.items() if there):
                message = f"this route takes no writes: its requests are safe; leave `{key}` out"
                yield draft.entry.key_problem((key,), message)
            continue
        if not given["writes"]:
            continue
        target = {"legacy": route.legacy, "new": route.new, None: route}[writes.record]
        if target is None and route.serve is not Serve.RETIRED:
            message = f"there is no {writes.record} side; add `{writes.record}:` with a backend's name"
            yield draft.entry.problem(("writes", "record"), message)
        for key, there in (("copy", writes.copy), ("when_down", writes.queue)):
            if there and route.serve is not Serve.RETIRED:
                yield from _owed(draft, key)
        if (writes.key or writes.give_up != Writes().give_up) and not (writes.copy or writes.queue):
            key = "key" if writes.key else "give_up"
            message = f"`{key}` is about writes that are delivered later; add `copy: true`, or leave it out"
            yield draft.entry.key_problem(("writes", key), message)
        if writes.key is not None and not _can_find(writes.key, route):
            names = ", ".join(each.text.decode() for each in route.match.segments if each.kind == "one") or "none"
            message = f"{{written}}: the match has no such placeholder; it has {names}"
            yield draft.entry.problem(("writes", "key"), message)
        if writes.settle and route.sticky is None:
            message = "`settle` must know clients again; add `sticky: {cookie: NAME}` or another way to tell them apart"
            yield draft.entry.key_problem(("writes", "settle"), message)
