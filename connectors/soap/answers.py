"""Answers of a connector's own making: JSON and problem documents, whole as soon as they begin."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from connectors.base import Answer
from gateway.core.fields import Fields, field_lines
from gateway.core.headers import AnswerHead
from gateway.core.model import Acted, Outcome
from gateway.wire.body import whole


def answer(status: int, fields: Fields, data: bytes, outcome: Outcome, acted: Acted) -> Answer:
    """An answer with a whole body."""
    return Answer(AnswerHead(status, b"", field_lines(fields), len(data), False, False), whole(data), outcome, acted)


def problem_answer(
    status: int, detail: str, request_id: str, outcome: Outcome, acted: Acted, members: Mapping[str, Any]
) -> Answer:
    """A problem document (RFC 9457), with members of its own."""
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id}
    data = orjson.dumps({**document, **members})
    return answer(status, ((b"Content-Type", b"application/problem+json"),), data, outcome, acted)
