"""How the gateway proves to a SOAP backend who it is, out of routes.yaml: credentials, fixed headers, a session.

Everything is held to the WSDL while the file is checked. An operation gets what it has room for, since some need no
token; a name that no operation in use has room for is a mistake.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.config.yamlmarks import Pointer

if TYPE_CHECKING:
    from connectors.soap.codec import Codec
    from connectors.soap.plan import Operation, Schema
    from connectors.soap.problems import Invalid
    from connectors.soap.security import Auth, Session
    from gateway.config.schema import AuthSpec, SessionSpec

Problems = list[Problem]
_HEADER, _SESSION = ("auth", "header"), ("auth", "session")
_PUT = ("header", "body")


def log_on_name(spec: "AuthSpec | None") -> str | None:
    """The operation that logs on, where there is a session."""
    return None if spec is None or spec.session is None else spec.session.operation


class Proof:
    """What the calls of one backend bring along."""

    def __init__(
        self, spec: "AuthSpec | None", entry: Entry, operations: "Mapping[str, Operation]", schema: "Schema | None"
    ) -> None:
        self._spec = spec
        self._entry = entry
        self._operations = operations
        self._schema: Any = schema
        self._fits: set[Pointer] = set()
        self._called = False
        self._session: Session | None = None

    def check(self, problems: Problems) -> None:
        """Hold the session to its operations; what is wrong with it is noted, and calls go without one."""
        spec = None if self._spec is None else self._spec.session
        operation = None if spec is None else self._operations.get(spec.operation)
        if spec is None or operation is None:
            return
        before = len(problems)
        problems.extend(self._wrong(spec, operation))
        if len(problems) > before:
            return
        from connectors.soap.security import LogOn, Session

        log_on = LogOn(operation, spec.request, spec.token, spec.lasts or 0.0, self.auth(operation, problems))
        self._session = Session(log_on, spec.header, spec.body, tuple(spec.renew_on), spec.renew_when)

    def auth(self, operation: "Operation", problems: Problems) -> "tuple[Auth, ...]":
        """The credentials and fixed headers that go with an operation."""
        from connectors.soap.security import Basic, HeaderValues, UsernameToken

        if self._spec is None:
            return ()
        basic, wsse = self._spec.basic, self._spec.wsse
        shown: list[Auth] = [] if basic is None else [Basic(basic.username, basic.password)]
        if wsse is not None:
            lifetime = UsernameToken._field_defaults["lifetime"] if wsse.timestamp else None
            shown.append(UsernameToken(wsse.username, wsse.password, wsse.digest, lifetime))
        fixed = tuple(self._fixed(operation, problems))
        return (*shown, HeaderValues(fixed)) if fixed else tuple(shown)

    def _fixed(self, operation: "Operation", problems: Problems) -> Iterator[tuple[str, Any]]:
        given = (self._spec.header if self._spec is not None else None) or {}
        for field in operation.input.headers:
            if field.key in given:
                keys = (*_HEADER, field.key)
                if keys not in self._fits:
                    self._fits.add(keys)
                    problems.extend(self._wrong_in(keys, partial(self._codec.encode_element, field, given[field.key])))
                yield field.key, given[field.key]

    def session(self, operation: "Operation", problems: Problems) -> "Session | None":
        """The session of an operation, as far as it has room for it. The one that logs on is part of none."""
        from connectors.soap.sessions import fitted

        self._called = True
        session = self._session
        if session is None or operation.name == session.log_on.operation.name:
            return None
        ours = fitted(session, operation, self._schema)
        for place in _PUT:
            for name in getattr(ours, place) or ():
                keys = (*_SESSION, place, name)
                if keys not in self._fits:
                    self._fits.add(keys)
                    problems.extend(self._unknown_within(keys, first_of(name), ours, operation))
        return ours

    def unfit(self) -> Iterator[Problem]:
        """Names that no operation in use has."""
        spec = self._spec
        if spec is None or not self._called:
            return
        places: list[tuple[Pointer, Mapping[str, Any] | None]] = [(_HEADER, spec.header)]
        if self._session is not None:
            places += [((*_SESSION, place), getattr(self._session, place)) for place in _PUT]
        for keys, given in places:
            for name in given or ():
                if (*keys, name) not in self._fits:
                    kind = "header" if keys[-1] == "header" else "member"
                    yield self._entry.key_problem((*keys, name), f"no operation in use has a {kind} `{name}`")

    # -------------------------------------------------------------------------------------------- what is wrong

    @cached_property
    def _codec(self) -> "Codec":
        from connectors.soap.codec import Codec

        return Codec(self._schema)

    def _wrong(self, spec: "SessionSpec", operation: "Operation") -> Iterator[Problem]:
        from connectors.mapping import Mapped, MappingInvalid

        for key in ("token", "renew_when", *_PUT):
            given = getattr(spec, key)
            try:
                if given is not None:
                    Mapped(given)
            except MappingInvalid as error:
                yield self._entry.problem((*_SESSION, key), str(error).rstrip("."))
            if given and key in _PUT and spec.token is None:
                yield self._entry.key_problem((*_SESSION, key), f"`{key}` is mapped from a `token`; say where it is")
        fixed = (self._spec.header if self._spec is not None else None) or {}
        for name in spec.header or ():
            if first_of(name) in fixed:
                yield self._entry.key_problem(
                    (*_SESSION, "header", name), f"`{name}` stands under `auth.header` already"
                )
        if spec.token is not None and operation.output is None:
            yield self._entry.problem((*_SESSION, "token"), f"{operation.name} answers nothing, so it gives no token")
        yield from self._wrong_in((*_SESSION, "request"), partial(self._codec.encode, operation.input, spec.request))

    def _wrong_in(self, keys: Pointer, encode: Callable[[], object]) -> Iterator[Problem]:
        """What the schema objects to in a value, by places in it."""
        if (objection := _objection(encode)) is not None:
            yield self._entry.problem(keys, str(objection))

    def _unknown_within(
        self, keys: Pointer, name: str, session: "Session", operation: "Operation"
    ) -> Iterator[Problem]:
        """Members that a header, or a member of the body, does not have. What its token is like is not known yet."""
        from connectors.mapping import Mapped, MappingFailed
        from connectors.soap.problems import UNKNOWN_MEMBER

        place = keys[-2]
        try:
            value = Mapped(getattr(session, str(place)))({"token": "token"}).get(name)
        except MappingFailed:  # a text is no token for it
            return
        if place == "header":
            field = next(each for each in operation.input.headers if each.key == name)
            objection = _objection(partial(self._codec.encode_element, field, value))
        else:
            objection = _objection(partial(self._codec.encode, operation.input, {name: value}))
        problems = objection.problems if objection is not None else ()
        if unknown := [each.pointer for each in problems if each.reason == UNKNOWN_MEMBER]:
            yield self._entry.key_problem(keys, f"{operation.name} has no {', '.join(unknown)} there")


def _objection(encode: Callable[[], object]) -> "Invalid | None":
    """What a schema has against a value, if anything."""
    from connectors.soap.problems import Invalid

    try:
        encode()
    except Invalid as invalid:
        return invalid
    return None


def first_of(name: str) -> str:
    """The header or member that a key of a mapping is about: `A` of `A.B`."""
    return name.partition(".")[0]


def known_headers(operation: "Operation", given: Sequence[str]) -> Iterator[str]:
    """What is wrong with the names of an operation's headers, in words."""
    known = [field.key for field in operation.input.headers]
    for name in given:
        if first_of(name) not in known:
            yield f"{operation.name} has no header `{name}`; it has {', '.join(known) or 'none'}"


def twice_given(given: Sequence[str], auth: "tuple[Auth, ...]", session: "Session | None") -> Iterator[str]:
    """Which headers of a target come from its backend's `auth` already, in words."""
    from connectors.soap.security import HeaderValues

    fixed = [name for each in auth if isinstance(each, HeaderValues) for name, _ in each.values]
    put = [first_of(name) for name in (session.header if session is not None else None) or ()]
    for name in given:
        if first_of(name) in {*fixed, *put}:
            yield f"the header `{first_of(name)}` comes from the backend's `auth` already"
