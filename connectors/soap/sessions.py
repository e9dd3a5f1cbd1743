"""A session with a SOAP backend: one operation is called to log on, and what it gives goes along with every call.

All of it is values and decisions here: what of a session stands in a message, which answers say that it is over, which
cookies belong to it. Who logs on, and when, is decided in `logons.py`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.mapping import Expression, Mapped, MappingFailed, is_true
from connectors.soap.codec import Codec
from connectors.soap.content import fields_of
from connectors.soap.plan import Message, Operation, Schema
from connectors.soap.problems import Invalid
from connectors.soap.security import Session
from connectors.soap.words import JSON
from gateway.core.fields import Fields
from gateway.errors import AnswerInvalid

MOST_COOKIES = 50
"""That many are kept of one session (RFC 6265, section 6.1), the latest."""


class SessionOver(Exception):
    """The service did not do what it was asked, because it does not know the session (any more)."""


# ------------------------------------------------------------------------------------------------ what has room for it


def fitted(session: Session, operation: Operation, schema: Schema) -> Session:
    """A session for one operation: headers and members that the operation does not have are left out."""
    headers = frozenset(field.key for field in operation.input.headers)
    members = _members(operation.input, schema)
    return session._replace(header=_only(session.header, headers), body=_only(session.body, members))


def _members(message: Message, schema: Schema) -> frozenset[str]:
    if message.wrapper is not None or len(message.parts) != 1:
        return frozenset(part.key for part in message.parts)
    ref = message.parts[0].type
    content = schema.types[ref].content if isinstance(ref, int) else None
    return frozenset() if content is None else frozenset(field.key for field in fields_of(content))


def _only(given: Mapping[str, Any] | None, room: frozenset[str]) -> dict[str, Any] | None:
    """The part of a mapping that there is room for."""
    return {key: each for key, each in (given or {}).items() if _first_of(key) in room} or None


def _first_of(key: str) -> str:
    """The header or member that a key of a mapping is about: `A` of `A.B`."""
    return key.partition(".")[0]


# ------------------------------------------------------------------------------------------------ within messages


class InMessages:
    """What a session is in one operation's messages."""

    def __init__(self, session: Session, operation: Operation, codec: Codec) -> None:
        """Raises MappingInvalid."""
        self._codec = codec
        self._declared = {field.key: field for field in operation.input.headers}
        self._header = Mapped(session.header or {})
        self._body = Mapped(session.body or {})
        self._ours = frozenset(map(_first_of, session.body or ()))
        self._renew_on = frozenset(session.renew_on)
        self._renew_when = None if session.renew_when is None else Expression(session.renew_when)

    def held(self, value: JSON, token: JSON) -> tuple[JSON, str]:
        """A message's value with the members that carry a token, in place of whatever was there; and header blocks.

        Raises AnswerInvalid for a token that does not fit.
        """
        given = {"token": token}
        try:
            blocks = [
                self._codec.encode_element(self._declared[key], each) for key, each in self._header(given).items()
            ]
            return {**value, **self._body(given)} if isinstance(value, dict) else value, "".join(blocks)
        except (Invalid, MappingFailed) as error:
            raise AnswerInvalid(f"the log-on gave a token that does not fit: {error}", request_sent=False) from error

    def answer_for(self, invalid: Invalid) -> None:
        """Raise AnswerInvalid for a message that does not fit because of the token: no client could mend it."""
        ours = [each for each in invalid.problems if each.pointer[1:].partition("/")[0] in self._ours]
        if ours:
            detail = f"the log-on gave a token that does not fit: {Invalid(ours)}"
            raise AnswerInvalid(detail, request_sent=False) from invalid

    def ended_by(self, names: Iterable[str]) -> bool:
        """Whether a fault of these names says that the session is over."""
        return not self._renew_on.isdisjoint(names)

    def ended_in(self, value: JSON) -> bool:
        """Whether a result says so. Raises MappingFailed."""
        return self._renew_when is not None and is_true(self._renew_when(value))


# ------------------------------------------------------------------------------------------------ once it has begun


class Held:
    """A session that has begun. `until` is when it ends by itself; its cookies change with every answer."""

    __slots__ = ("_cookies", "token", "until")

    def __init__(self, token: JSON, until: float, cookies: Mapping[bytes, bytes]) -> None:
        self.token = token
        self.until = until
        self._cookies = dict(cookies)

    def note(self, fields: Fields) -> None:
        """Keep the cookies of an answer."""
        self._cookies = joined_cookies(self._cookies, fields)

    @property
    def lines(self) -> bytes:
        """The Cookie field, if there is one."""
        pairs = b"; ".join(b"%b=%b" % pair for pair in self._cookies.items())
        return b"Cookie: %b\r\n" % pairs if pairs else b""


def joined_cookies(known: Mapping[bytes, bytes], fields: Fields) -> dict[bytes, bytes]:
    """Cookies and those that an answer sets, in order; of each only its name and its value are kept."""
    set_now = (value.partition(b";")[0].partition(b"=") for name, value in fields if name.lower() == b"set-cookie")
    cookies = {**known, **{name.strip(): value.strip() for name, equals, value in set_now if equals and name.strip()}}
    return dict(list(cookies.items())[-MOST_COOKIES:])
