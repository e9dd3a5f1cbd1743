"""The OpenAPI 3.1 document of the admin port itself, made from the same tables that it is served by."""

import re
from collections.abc import Iterable
from types import NoneType
from typing import Any

from gateway import __version__
from gateway.admin.levers import Kinds, Lever
from gateway.admin.questions import Question
from gateway.core.access import Role

Document = dict[str, Any]
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", NoneType: "null"}
_ABOUT = (
    "What operators' pages, commands and scripts use. Whoever comes shows a token, or a browser's session with its "
    "CSRF token. Errors are problem documents (RFC 9457)."
)


def admin_document(questions: Iterable[Question], levers: Iterable[Lever]) -> Document:
    """The document; paths in the order of the tables."""
    paths: dict[str, Document] = {}
    for question in questions:
        paths.setdefault(question.path, {})[question.method.lower()] = _question(question)
    for lever in levers:
        paths.setdefault(lever.path, {})["post"] = _lever(lever)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Banyan, the admin port", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "responses": {"Problem": {"description": "It was not done.", "content": _problem()}},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`banyan token create` makes one."},
                "session": {"type": "apiKey", "in": "cookie", "name": "banyan_session"},
            },
        },
    }


_PROBLEM: Document = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, and what to do next."},
    },
    "required": ["type", "title", "status", "detail"],
}


def _problem() -> Document:
    return {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _question(question: Question) -> Document:
    parameters = [
        {"name": name, "in": "query", "description": about, "schema": {"type": "string"}}
        for name, about in question.query.items()
    ]
    schema = {"type": "object"} if question.answers == "application/json" else {"type": "string"}
    told = _operation(question.method, question.path, question.role, question.about)
    told["responses"]["200"] = {"description": "As it is.", "content": {question.answers: {"schema": schema}}}
    return told | {"parameters": told["parameters"] + parameters}


def _lever(lever: Lever) -> Document:
    members: dict[str, Kinds] = {**lever.takes, "reason": str, "by": str}
    needed = [*lever.takes, "reason"] if lever.spoken else [*lever.takes]
    schema = {
        "type": "object",
        "properties": {name: {"type": _type(kinds)} for name, kinds in members.items()},
        "required": needed,
        "additionalProperties": False,
    }
    told = _operation("POST", lever.path, lever.role, lever.about)
    told["parameters"].append(
        {"name": "If-Match", "in": "header", "schema": {"type": "string"}, "description": "How it stood: 412 if not."}
    )
    told["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    done = {"type": "object", "properties": {"message": {"type": "string"}, "holds": {"type": "boolean"}}}
    told["responses"]["200"] = {"description": "Done.", "content": {"application/json": {"schema": done}}}
    return told


def _type(kinds: Kinds) -> str | list[str]:
    found = [_TYPES[kind] for kind in (kinds if isinstance(kinds, tuple) else (kinds,))]
    return found[0] if len(found) == 1 else found


def _operation(method: str, path: str, role: Role | None, about: str) -> Document:
    names = re.findall(r"\{(\w+)\}", path)
    words = re.sub(r"\W+", "_", path.removeprefix("/api")).strip("_")
    return {
        "operationId": f"{method.lower()}_{words}",
        "summary": about,
        "description": "For everybody." if role is None else f"Needs the role {role}.",
        "security": [] if role is None else [{"token": []}, {"session": []}],
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": {"default": {"$ref": "#/components/responses/Problem"}},
    }
