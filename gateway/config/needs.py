"""What evidence needs of the rest: two sides, requests that may be sent twice, a shadow for parity, enough samples.

Rules like those of `rules`, for `shadow`, `compare`, `ramp` and `replay`; and for `fallback`, which needs the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from math import ceil
from typing import TYPE_CHECKING, Any

from gateway.config.problems import Problem
from gateway.core.model import Placeholder, Route, Serve, Target
from gateway.core.planning import SAFE_METHODS
from gateway.core.policies import Compare

if TYPE_CHECKING:
    from gateway.config.rules import Draft

Z = 1.96
"""How sure is sure: 95 %, two-sided."""


def takes_safe_requests(route: Route) -> bool:
    if route.safe is not None:
        return route.safe
    return not route.match.methods or not SAFE_METHODS.isdisjoint(route.match.methods)


def takes_writes(route: Route) -> bool:
    if route.safe is not None:
        return not route.safe
    return not route.match.methods or not SAFE_METHODS.issuperset(route.match.methods)


def two_sides(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """There is nothing to compare, and nowhere to climb to or to fall back to, on a route with one side."""
    for draft in drafts:
        route = draft.route
        if route.legacy is not None and route.new is not None:
            continue
        missing = "legacy" if route.legacy is None else "new"
        for key in _keys_of_evidence(draft):
            message = f"`{key}` needs both sides; add `{missing}:` with a backend's name, or leave `{key}` out"
            yield draft.entry.key_problem((key,), message)


def _keys_of_evidence(draft: "Draft") -> Iterator[str]:
    route = draft.route
    given = {
        "shadow": route.shadow is not None,
        "compare": route.compare != Compare(),
        "ramp": _is_prepared(draft),
        "replay": route.replay is not None,
        "fallback": route.fallback,
    }
    return (key for key, there in given.items() if there)


def _is_prepared(draft: "Draft") -> bool:
    """Whether there is a ramp that does not serve yet. Of one that serves, `serve` is what the other rules look at."""
    return draft.route.ramp is not None and draft.route.serve is not Serve.RAMP


def _is_written(draft: "Draft", *keys: str) -> bool:
    return (*draft.entry.pointer, *keys) in draft.entry.document.spots


def safe_requests(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """Only safe requests are copied, moved by ramps and replayed, but for copies that go to a sandbox."""
    for draft in drafts:
        route = draft.route
        if takes_safe_requests(route):
            continue
        declare = "say `safe: true` when its requests change nothing"
        if route.shadow is not None and not route.shadow.sandbox:
            message = "only safe requests are copied, and this route takes none; "
            sandbox = "; or `sandbox: true` when the side that gets the copies may be written to"
            yield draft.problem("shadow", message + declare + sandbox)
        if _is_prepared(draft):
            message = f"a ramp moves safe requests only, and this route takes none; leave `ramp` out, or {declare}"
            yield draft.entry.key_problem(("ramp",), message)
        if route.fallback:
            message = f"writes never fall back, and this route takes nothing else; leave `fallback` out, or {declare}"
            yield draft.entry.key_problem(("fallback",), message)
        if route.cache is not None:
            message = f"only reads are kept, and this route takes none; leave `cache` out, or {declare}"
            yield draft.entry.key_problem(("cache",), message)
        if route.replay is not None:
            message = f"only safe requests are replayed, and this route takes none; leave `replay` out, or {declare}"
            yield draft.entry.key_problem(("replay",), message)


def nothing_retired(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """A retired route has no answers to compare."""
    for draft in drafts:
        for key, given in (("shadow", draft.route.shadow), ("replay", draft.route.replay)):
            if draft.route.serve is Serve.RETIRED and given is not None:
                message = f"`serve: retired` answers nothing that could be compared; leave `{key}` out"
                yield draft.entry.key_problem((key,), message)


def parity_by_shadows(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """Parity comes from comparing, so a ramp that goes by it would never leave its first stage."""
    for draft in drafts:
        route = draft.route
        whole = route.legacy is not None and route.new is not None
        by_parity = route.serve is Serve.RAMP and route.ramp is not None and route.ramp.guards.parity is not None
        if whole and by_parity and route.shadow is None:
            message = (
                "the ramp's parity guard needs answers that were compared; add `shadow: 25%`, "
                "or write `ramp: {guards: {parity: off}}` to go by errors and latency alone"
            )
            yield draft.problem("serve", message)


def enough_samples(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """Too few samples cannot show the parity that is wanted, even when every one of them is right."""
    for draft in drafts:
        if draft.route.ramp is None:
            continue
        guards = draft.route.ramp.guards
        if guards.parity is None:
            continue
        needed = samples_for(guards.parity)
        if guards.samples < needed:
            shown = f"a parity of {guards.parity * 100:g}% cannot be shown by {guards.samples} samples"
            message = f"{shown}, even if all of them are right; write `samples: {needed}` or more"
            given = _is_written(draft, "ramp", "guards", "samples")
            yield draft.entry.problem(("ramp", "guards", "samples" if given else "parity"), message)


def samples_for(parity: float) -> int:
    """The samples that show a parity when not one of them is wrong: Wilson's lower bound is n / (n + z^2) then."""
    return ceil(Z * Z * parity / (1 - parity))


def tellable_answers(drafts: "Sequence[Draft]", backends: Set[str]) -> Iterator[Problem]:
    """What is kept is kept by all that it depends on: where a side is told something out of a header, that header is to
    be named."""
    for draft in drafts:
        route = draft.route
        if route.cache is None:
            continue
        for side, target in (("legacy", route.legacy), ("new", route.new)):
            told = route.cache.vary and {*route.cache.vary, b"*"}
            if missing := _headers_of(target) - set(told):
                named = min(missing).decode().replace("*", "NAME")
                message = f"{side} is told of a header, which tells answers apart; add `vary: [{named}]`"
                yield draft.entry.key_problem(("cache",), message)


def _headers_of(target: Target | None) -> set[bytes]:
    """The headers out of which a side is told something, in lower case; `*` for one that cannot be told."""
    if target is None:
        return set()
    places = (each for each in target.path or () if isinstance(each, Placeholder))
    names = {each.name.lower() for each in places if each.source == "header"}
    for mapping in (getattr(target.call, "request", None), getattr(target.call, "headers", None)):
        for text in _expressions_of(mapping):
            found = (each for each in _HEADER.finditer(text) if not each[0].startswith("'"))
            names |= {(each[1] or "*").lower().encode() for each in found}
    return names


_HEADER = re.compile(r"""'(?:[^'\\]|\\.)*'|(?<![.\w"])header\b(?:\."?([\w-]+)"?)?""")
"""A header in an expression, by its name if it is said; or a literal, in which there is none."""


def _expressions_of(mapping: Any) -> Iterator[str]:
    if isinstance(mapping, str):
        yield mapping
    parts = mapping.values() if isinstance(mapping, Mapping) else mapping if isinstance(mapping, list | tuple) else ()
    for part in parts:
        yield from _expressions_of(part)
