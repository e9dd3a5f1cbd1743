"""What a call of an operation says, and what its reply means: bytes in, bytes out, and no socket.

Everything about the operation is made once. Small messages are coded where they come, large ones in a process of their
own (`workshop.py`), which makes the same from the same plain values.
"""

from math import inf
from typing import Any
from urllib.parse import quote

import orjson

from connectors.base import Answer
from connectors.mapping import Expression, Mapped, MappingFailed, is_true
from connectors.soap import faults
from connectors.soap.addressing import answers_another
from connectors.soap.answers import answer, problem_answer
from connectors.soap.attachments import Wanted
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import Frame, Opened, not_understood, opened
from connectors.soap.headers import Headers
from connectors.soap.marks import LONGEST, Marks, marked
from connectors.soap.plan import Schema
from connectors.soap.prefixes import in_message
from connectors.soap.problems import Invalid, Problem
from connectors.soap.sessions import InMessages, SessionOver
from connectors.soap.target import SoapTarget
from connectors.soap.words import JSON
from connectors.soap.xmltext import PrefixUndeclared, XmlRefused
from connectors.soap.xop import Found, Sent, included, refers, resolved, sent, with_declared, without_declared
from gateway.core.fields import Fields
from gateway.core.model import Outcome
from gateway.errors import ClientError

JSON_TYPE = ((b"Content-Type", b"application/json"),)
AN_ERROR = "The service behind this address answered with an error."
PROXY_REFUSES = 407
_NO_LOGON = frozenset({401, 403, PROXY_REFUSES})


class AnswerUnusable(Exception):
    """A reply that is no answer to the operation; why is for the log."""


def coding(target: SoapTarget, schema: Schema) -> "Coding":
    """As the process for large messages makes it."""
    return Coding(target, Codec(schema))


class Coding:
    """Codes one target's messages."""

    def __init__(self, target: SoapTarget, codec: Codec) -> None:
        """Raises MappingInvalid, and Invalid for headers that the operation does not have or that do not fit."""
        operation = target.operation
        self._target = target
        self._operation = operation
        self._codec = codec
        self._request = None if target.request is None else Mapped(target.request)
        self._response = None if target.response is None else Mapped(target.response)
        self._is_error = None if target.error_when is None else Expression(target.error_when)
        self._statuses = dict(target.faults)
        self._frame = Frame(operation.version, codec.schema, encoded=operation.input.encoded)
        self._headers = Headers(operation, target.auth, target.headers, codec, target.to)
        self._session = None if target.session is None else InMessages(target.session, operation, codec)
        self._names = operation.output is not None and needs_names(codec.schema, operation.output)
        self.reads_request = self._request is not None or self._headers.from_request
        refs = refers(codec.schema, operation.input)
        self._longest = -1 if refs else LONGEST if target.mtom else inf
        self.packs = target.mtom or refs or bool(operation.input.attachments)
        self._refers = operation.output is not None and refers(codec.schema, operation.output)
        codec.compiled(operation.input)
        if operation.output is not None:
            codec.compiled(operation.output)

    def message(self, data: bytes, asked: dict[str, Any], now: float, nonce: bytes, token: JSON = None) -> bytes:
        """The envelope: of a request's JSON, or of what the mapping makes of the request (`asked`, without its body).

        `token` is that of the session, if calls are part of one. Raises Invalid for a value that does not fit,
        ClientError for what cannot be read or mapped, AnswerInvalid for a token that does not fit.
        """
        value, asked = self._mapped(data, asked)
        value, blocks = self._in_session(value, token)
        return self._framed(self._encoded(value), blocks, asked, now, nonce)

    def sent(
        self,
        data: bytes,
        asked: dict[str, Any],
        now: float,
        nonce: bytes,
        token: JSON,
        chance: bytes,
        names: bool,
    ) -> Sent:
        """The envelope, and what travels beside it; strings may be `names` of parts. Raises what `message` does."""
        value, asked = self._mapped(data, asked)
        value, blocks = self._in_session(value, token)
        value, attached = marked(value, Marks(chance), self._longest, names=names)
        value, declared = without_declared(value, self._operation.input)
        content = self._encoded(value)
        asked["body"] = _given(data) if self._headers.from_request else None  # as it was given, without marks
        envelope = self._framed(content, blocks, asked, now, nonce)
        return sent(envelope.decode(), chance, attached, declared, xop=self._target.mtom)

    def _mapped(self, data: bytes, asked: dict[str, Any]) -> tuple[JSON, dict[str, Any]]:
        """The operation's input, and all that the request brings. Raises ClientError."""
        given = _given(data)
        asked = {**asked, "body": given}
        try:
            if self._request is not None:
                return self._request(asked), asked
        except MappingFailed as failed:
            raise _not_mapped(failed) from failed
        return {} if given is None else given, asked

    def _in_session(self, value: JSON, token: JSON) -> tuple[JSON, str]:
        """A message's value with what carries the session's token, and header blocks. Raises AnswerInvalid."""
        return (value, "") if self._session is None else self._session.held(value, token)

    def _encoded(self, value: JSON) -> str:
        """The Body's content. Raises Invalid, and AnswerInvalid where it is the token that does not fit."""
        try:
            return self._codec.encode(self._operation.input, value)
        except Invalid as invalid:
            if self._session is not None:
                self._session.answer_for(invalid)
            raise

    def _framed(self, content: str, blocks: str, asked: dict[str, Any], now: float, nonce: bytes) -> bytes:
        """The envelope. Raises ClientError, and Invalid for headers that do not fit."""
        try:
            return self._frame.around(content, blocks + self._headers.blocks(asked, lambda: now, lambda _: nonce))
        except MappingFailed as failed:
            raise _not_mapped(failed) from failed

    def answer(self, status: int, data: bytes, ours: str, nonce: bytes = b"") -> Answer:
        """What a reply means; `nonce` as its message was made with.

        Raises SessionOver, and AnswerUnusable, XmlRefused, Invalid, MappingFailed, JSONEncodeError.
        """
        return self._answer(status, data, ours, nonce, None)

    def answer_with(
        self, status: int, data: bytes, ours: str, nonce: bytes, chance: bytes
    ) -> tuple[Answer, dict[int, Wanted]]:
        """What a reply with attachments means, marks in their places; and these. Raises what `answer` does."""
        found = Found(Marks(chance), {})
        return self._answer(status, data, ours, nonce, found), found.wanted

    def _answer(self, status: int, data: bytes, ours: str, nonce: bytes, found: Found | None) -> Answer:
        output = self._operation.output
        if status in _NO_LOGON and b"Envelope" not in data:
            return self._not_let_in(status, ours)
        if output is None and status < 300 and not data.strip():
            return answer(202, (), b"", Outcome.OK, "yes")
        message, flaws = self._opened(status, data)
        if nonce and self._operation.addressing.namespace and answers_another(message.headers, nonce):
            raise AnswerUnusable("its wsa:RelatesTo says that it is a reply to another message")
        if message.fault is not None:
            fault = faults.read(message.fault)
            judged = faults.judge(fault, self._operation, self._statuses, self._codec)
            if status in _NO_LOGON and judged.acted != "yes":  # no declared fault: it is about who calls
                return self._not_let_in(status, ours)
            if self._session is not None:
                ended = self._session.ended_by(faults.names_of(fault, self._operation))
                if ended or judged.acted == "no":
                    raise SessionOver
            return problem_answer(judged.status, judged.reason, ours, judged.outcome, judged.acted, judged.members)
        if status >= 300:
            raise AnswerUnusable(f"HTTP {status} without a fault")
        if output is None:
            return answer(202, (), b"", Outcome.OK, "yes")
        if found is not None:
            included(message.body, found, encoded=output.encoded)
        value, problems = self._codec.decode(output, message.body, strict=self._target.strict)
        if self._refers:
            value = resolved(value, found)
        if found is not None:
            value = with_declared(value, output, found)
        return self._reply(value, (*flaws, *problems), self._headers.fields(message.headers), ours)

    def _opened(self, status: int, data: bytes) -> tuple[Opened, tuple[Problem, ...]]:
        """The reply's envelope, and what had to be mended: well-known prefixes that it does not declare."""
        flaws: tuple[Problem, ...] = ()
        try:
            try:
                message = self._envelope(data)
            except PrefixUndeclared:
                if self._target.strict:
                    raise
                mended = in_message(data)
                message = self._envelope(mended.data)
                flaws = tuple(
                    Problem("", f"uses the prefix {each} and does not declare it") for each in mended.prefixes
                )
        except XmlRefused as refused:
            raise AnswerUnusable(f"HTTP {status}: {refused}") from refused
        if unknown := not_understood(message, self._headers.understood):
            raise AnswerUnusable(f"the reply insists on headers that are not understood: {', '.join(unknown)}")
        return message, flaws

    def _envelope(self, data: bytes) -> Opened:
        """An envelope; one with a fault is read with all its names, because any XML may be in its detail."""
        message = opened(data, names=self._names)
        return opened(data, names=True) if message.fault is not None and not self._names else message

    def _reply(self, value: JSON, problems: tuple[Problem, ...], fields: Fields, ours: str) -> Answer:
        if self._session is not None and self._session.ended_in(value):
            raise SessionOver
        status = self._target.error_status
        if self._is_error is not None and is_true(self._is_error(value)):
            if status >= 500:
                return problem_answer(status, AN_ERROR, ours, Outcome.BACKEND_ERROR, "maybe", {})
            return problem_answer(status, AN_ERROR, ours, Outcome.BUSINESS_FAULT, "yes", {})
        mapped = self._response(value) if self._response is not None else value
        flags = ((b"X-Banyan-Schema", _flag(problems)),) if problems else ()
        return answer(200, (*JSON_TYPE, *fields, *flags), orjson.dumps(mapped), Outcome.OK, "yes")

    def _not_let_in(self, status: int, ours: str) -> Answer:
        """The backend refused the gateway itself (HTTP 401, 403, 407): nothing that the client could mend.

        Raises SessionOver where it may be because of the session.
        """
        if self._session is not None and status != PROXY_REFUSES:
            raise SessionOver
        return problem_answer(502, faults.NOT_LOGGED_ON, ours, Outcome.BACKEND_ERROR, "no", {})


def _not_mapped(failed: MappingFailed) -> ClientError:
    return ClientError(422, f"The request cannot be mapped: {failed}")


def _given(data: bytes) -> JSON:
    """A request's JSON; None where it has none. Raises ClientError."""
    try:
        return orjson.loads(data) if data.strip() else None
    except orjson.JSONDecodeError as error:
        raise ClientError(400, f"The request body is not JSON: {error}.") from error


def _flag(problems: tuple[Problem, ...]) -> bytes:
    """What a caller is told of a reply that breaks its schema."""
    first = quote(problems[0].pointer[:200], safe="/~@$:").encode() or b"/"
    return b"lenient; problems=%d; first=%b" % (len(problems), first)
