"""What a call of an operation says, and what its reply means: bytes in, bytes out, and no socket.

Everything about the operation is made once. Small messages are coded where they come, large ones in a process of their
own (`workshop.py`), which makes the same from the same plain values.
"""

from typing import Any
from urllib.parse import quote

import orjson

from connectors.base import Answer
from connectors.mapping import Expression, Mapped, MappingFailed, is_true
from connectors.soap import faults
from connectors.soap.addressing import answers_another
from connectors.soap.answers import Fields, answer, problem_answer
from connectors.soap.codec import Codec, needs_names
from connectors.soap.envelope import Frame, Opened, not_understood, opened
from connectors.soap.headers import Headers
from connectors.soap.plan import Schema
from connectors.soap.prefixes import in_message
from connectors.soap.problems import Invalid, Problem
from connectors.soap.sessions import InMessages, SessionOver
from connectors.soap.target import SoapTarget
from connectors.soap.words import JSON
from connectors.soap.xmltext import PrefixUndeclared, XmlRefused
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
        codec.compiled(operation.input)
        if operation.output is not None:
            codec.compiled(operation.output)

    def message(self, data: bytes, asked: dict[str, Any], now: float, nonce: bytes, token: JSON = None) -> bytes:
        """The envelope: of a request's JSON, or of what the mapping makes of the request (`asked`, without its body).

        `token` is that of the session, if calls are part of one. Raises Invalid for a value that does not fit,
        ClientError for what cannot be read or mapped, AnswerInvalid for a token that does not fit.
        """
        try:
            given = orjson.loads(data) if data.strip() else None
        except orjson.JSONDecodeError as error:
            raise ClientError(400, f"The request body is not JSON: {error}.") from error
        value, asked = {} if given is None else given, {**asked, "body": given}
        try:
            if self._request is not None:
                value = self._request(asked)
            value, held = (value, "") if self._session is None else self._session.held(value, token)
            content = self._codec.encode(self._operation.input, value)
            return self._frame.around(content, held + self._headers.blocks(asked, lambda: now, lambda _: nonce))
        except Invalid as invalid:
            if self._session is not None:
                self._session.answer_for(invalid)
            raise
        except MappingFailed as failed:
            raise ClientError(422, f"The request cannot be mapped: {failed}") from failed

    def answer(self, status: int, data: bytes, ours: str, nonce: bytes = b"") -> Answer:
        """What a reply means; `nonce` as its message was made with.

        Raises SessionOver, and AnswerUnusable, XmlRefused, Invalid, MappingFailed, JSONEncodeError.
        """
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
        value, problems = self._codec.decode(output, message.body, strict=self._target.strict)
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


def _flag(problems: tuple[Problem, ...]) -> bytes:
    """What a caller is told of a reply that breaks its schema."""
    first = quote(problems[0].pointer[:200], safe="/~@$:").encode() or b"/"
    return b"lenient; problems=%d; first=%b" % (len(problems), first)
