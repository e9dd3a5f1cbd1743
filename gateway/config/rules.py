"""What entries must be to one another: backends that exist, names that are unique, matches that never tie.

Each rule is a function from the drafts of all routes to problems; RULES lists them. None compares every route with
every other: 10,000 routes are checked in a blink.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from gateway.config import needs, writing
from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.config.words import serve_text
from gateway.core.model import Match, Predicate, Route, Segment, Serve, Target

SHARED = frozenset({Serve.SPLIT, Serve.RAMP})
"""The words by which both sides serve."""


class Draft(NamedTuple):
    """A route that is whole in itself, and where it was written; `contract` names the backend of its WSDL."""

    route: Route
    entry: Entry
    contract: str | None = None

    def problem(self, key: str, message: str) -> Problem:
        return self.entry.problem((key,), message)


Rule = Callable[[Sequence[Draft], Set[str]], Iterator[Problem]]


def known_backends(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    for draft in drafts:
        for side, target in (("legacy", draft.route.legacy), ("new", draft.route.new)):
            if target is not None and target.backend not in backends:
                yield _unknown_backend(draft, side, target, backends)


def _unknown_backend(draft: Draft, side: str, target: Target, backends: Set[str]) -> Problem:
    from difflib import get_close_matches  # only for a message

    keys = (side, "backend") if (*draft.entry.pointer, side, "backend") in draft.entry.document.spots else (side,)
    nearest = get_close_matches(target.backend, sorted(backends), 1)
    hint = f"did you mean {nearest[0]}?" if nearest else "add it under `backends:`"
    return draft.entry.problem(keys, "there is no backend {written}; " + hint)


def known_contracts(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    for draft in drafts:
        if draft.contract is not None and draft.contract not in backends:
            yield draft.problem("contract", "there is no backend {written}; add it under `backends:`")


def served_sides(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    for draft in drafts:
        route = draft.route
        if route.serve is Serve.RETIRED:
            continue
        if route.legacy is None and route.new is None:
            yield draft.entry.problem((), "nothing can answer; give it `legacy:` or `new:` with a backend's name")
        elif route.serve in SHARED and (route.legacy is None or route.new is None):
            missing = "legacy" if route.legacy is None else "new"
            what = "a ramp" if route.serve is Serve.RAMP else "a share"
            yield draft.problem("serve", f"{what} needs both sides; add `{missing}:` with a backend's name")
        elif (route.serve is Serve.LEGACY and route.legacy is None) or (route.serve is Serve.NEW and route.new is None):
            yield draft.problem("serve", f"there is no {route.serve} side; add `{route.serve}:` with a backend's name")


def safe_shares(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    """A share moves safe requests only, so a route without any would stay where it is."""
    for draft in drafts:
        route = draft.route
        if route.serve in SHARED and not needs.takes_safe_requests(route):
            yield draft.problem(
                "serve",
                "{written} moves safe requests only, and this route takes none; flip it whole (legacy or new), "
                "or say `safe: true` when its requests change nothing",
            )


def unique_names(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    by_name: dict[str, Draft] = {}
    by_id: dict[str, Draft] = {}
    for draft in drafts:
        first = by_name.setdefault(draft.route.name, draft)
        if first is not draft:
            yield draft.problem("name", f"another route has this name ({first.route.place}); names are unique")
            continue
        first = by_id.setdefault(draft.route.id, draft)
        if first is not draft:
            yield draft.problem("id", f"the id {draft.route.id} is also that of {first.route.name}; ids are unique")


def one_split_per_journey(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    """Routes of one journey keep each client on one side: they need one share or ramp, and one way to know clients."""
    firsts: dict[str, Draft] = {}
    for draft in drafts:
        route = draft.route
        if route.serve not in SHARED:
            continue
        first = firsts.setdefault(route.journey, draft).route
        together = f"{first.name} and {route.name} are one journey ({route.journey})"
        ours, theirs = serve_text(route.serve, route.share), serve_text(first.serve, first.share)
        if ours != theirs:
            yield draft.problem("serve", f"{together}, but {theirs} there and {ours} here; write one share")
        elif route.serve is Serve.RAMP and first.ramp != route.ramp:
            yield draft.problem("ramp", f"{together}, but differ in `ramp`; write the same in both")
        if first.sticky != route.sticky:
            yield draft.problem("sticky", f"{together}, but differ in `sticky`; write the same in both")


# ------------------------------------------------------------------------------------------------ matches that tie

Names = frozenset[tuple[str, bytes]]
Values = Mapping[tuple[str, bytes], bytes]


class _Group:
    """Routes that are equal in everything but the values of their predicates.

    Two of them tie unless a name that both want has two values. Routes are kept by the names they want, and looked up
    by the values of the names in common, so that thousands told apart by one header cost no more than thousands.
    """

    def __init__(self) -> None:
        self._members: dict[Names, list[tuple[Draft, Values]]] = {}
        self._indexes: dict[tuple[Names, Names], dict[tuple[bytes, ...], Draft]] = {}

    def rival(self, values: Values) -> Draft | None:
        """An earlier route that could take the same request."""
        for names in self._members:
            common = names.intersection(values)
            found = self._index(names, common).get(_projected(values, common))
            if found is not None:
                return found
        return None

    def add(self, draft: Draft, values: Values) -> None:
        names = frozenset(values)
        self._members.setdefault(names, []).append((draft, values))
        for (of, common), index in self._indexes.items():
            if of == names:
                index.setdefault(_projected(values, common), draft)

    def _index(self, names: Names, common: Names) -> dict[tuple[bytes, ...], Draft]:
        index = self._indexes.get((names, common))
        if index is None:
            index = self._indexes[names, common] = {}
            for draft, values in self._members[names]:
                index.setdefault(_projected(values, common), draft)
        return index


def _projected(values: Values, names: Names) -> tuple[bytes, ...]:
    return tuple(values[name] for name in sorted(names))


def no_ties(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    """No two routes are left equal that could take one request."""
    groups: dict[tuple[object, ...], _Group] = defaultdict(_Group)
    for draft in drafts:
        match = draft.route.match
        values = _wanted_values(match)
        rivals: list[tuple[bytes, Draft]] = []
        for method in match.methods or (b"",):
            group = groups[_tie_key(match, method)]
            rival = group.rival(values)
            if rival is None:
                group.add(draft, values)
            else:
                rivals.append((method, rival))
        if rivals:
            method, rival = rivals[0]
            example = _example(draft, rival, method)
            yield draft.problem("match", f"{rival.route.name} ({rival.route.place}) takes the same: {example}")


def _tie_key(match: Match, method: bytes) -> tuple[object, ...]:
    shape = tuple(segment.text if segment.kind == "literal" else segment.kind for segment in match.segments)
    operation = None if match.soap is None else match.soap.element
    return match.host, shape, method, operation, len(match.headers) + len(match.query)


def _wanted_values(match: Match) -> Values:
    headers = {("header", each.name): each.value for each in match.headers}
    query = {("query", each.name): each.value for each in match.query}
    values = {name: value for name, value in (headers | query).items() if value is not None}
    if match.soap is not None and match.soap.namespace is not None:
        values["soap", b"namespace"] = match.soap.namespace.encode()
    return values


def _example(draft: Draft, rival: Draft, method: bytes) -> str:
    """A request that both routes would take, as short as can be; values that may be secrets are left out."""
    match, other = draft.route.match, rival.route.match
    path = "/" + "/".join(_sample(segment) for segment in match.segments)
    query = _both(match.query, other.query)
    headers = _both(match.headers, other.headers)
    hidden = any(each.entry.document.from_environment((*each.entry.pointer, "match")) for each in (draft, rival))
    arguments = "&".join(f"{name}={'...' if hidden else value}" for name, value in query.items())
    fields = "".join(f", {name}: {'...' if hidden else value}" for name, value in headers.items())
    host = "" if match.host is None else f" on {match.host.decode().replace('*', 'any')}"
    operation = "" if match.soap is None else f"#{match.soap.name}"
    verb = "SOAP" if match.soap is not None else method.decode() or "GET"
    return f"{verb} {path}{'?' if arguments else ''}{arguments}{operation}{host}{fields}"


def _sample(segment: Segment) -> str:
    from urllib.parse import quote_from_bytes  # only for a message

    return quote_from_bytes(segment.text) if segment.kind == "literal" else "1" if segment.kind == "one" else "any"


def _both(ours: Sequence[Predicate], theirs: Sequence[Predicate]) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in (*ours, *theirs):
        if each.value is not None or each.name.decode() not in values:
            values[each.name.decode()] = "any" if each.value is None else each.value.decode()
    return values


def bounds_of_decoding(drafts: Sequence[Draft], backends: Set[str]) -> Iterator[Problem]:
    """Only what is decoded has such a bound; everything else streams."""
    for draft in drafts:
        sides = (draft.route.legacy, draft.route.new)
        if draft.route.decode and not any(target is not None and target.call is not None for target in sides):
            message = "nothing of this route is decoded, it streams; leave `decode` out (`max_body` bounds requests)"
            yield draft.entry.key_problem(("decode",), message)


RULES: tuple[Rule, ...] = (
    known_backends,
    known_contracts,
    served_sides,
    safe_shares,
    unique_names,
    one_split_per_journey,
    bounds_of_decoding,
    needs.two_sides,
    needs.safe_requests,
    needs.nothing_retired,
    needs.parity_by_shadows,
    needs.enough_samples,
    needs.tellable_answers,
    writing.sound_writes,
    writing.sound_crosswalks,
    no_ties,
)
