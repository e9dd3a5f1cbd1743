"""Mappings that change nothing, written to be pruned: every field, from the body and into the result."""

import json
import re
from collections.abc import Iterator

from connectors.soap.fields import Node

LINE_END = "\n"
LONGEST = 9_000
"""Characters of an expression; the gateway takes a little more."""
NARROW = 90
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SAFE = re.compile(r"https?://[\w.-]+(?::[0-9]+)?[\w./-]*|[A-Za-z_./][\w./{}-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""Words that mean something else in YAML, or did."""
_STRUCTURED = frozenset({"list", "union"})


def scalar(text: str) -> str:
    """A text as YAML has it."""
    if _SAFE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def identifier(key: str) -> str:
    """A member's name in JMESPath."""
    return key if _NAME.fullmatch(key) else json.dumps(key, ensure_ascii=False)


# ------------------------------------------------------------------------------------------------ the request


def request_lines(root: Node) -> Iterator[str]:
    """`request:`, an expression for each field."""
    if is_apart(root):
        yield "request:"
        yield from _given(root, "body", 1)
    else:
        yield "request: body"


def _given(node: Node, path: str, depth: int) -> Iterator[str]:
    for each in node.children:
        here, start = f"{path}.{identifier(each.key)}", f"{'  ' * depth}{scalar(each.key)}:"
        if is_apart(each) and not each.many:
            yield start
            yield from _given(each, here, depth + 1)
        else:
            yield f"{start} {scalar(here)}"


def is_apart(node: Node) -> bool:
    """Whether a field can be given member by member: no member's name may have a dot, which stands for objects."""
    return bool(node.children) and not node.whole and not any("." in each.key for each in node.children)


# ------------------------------------------------------------------------------------------------ the result


def response_lines(root: Node) -> Iterator[str]:
    """`response:`, an expression that gives every field; of a result that is too large, only the outermost ones."""
    if not root.children or root.whole:
        yield 'response: "@"'
        return
    lines = list(_taken(root, inner=True))
    if sum(map(len, lines)) > LONGEST:
        lines = list(_taken(root, inner=False))
    if sum(map(len, lines)) <= LONGEST:
        found = [line.replace("'", "''") for line in _braced("{", lines, "}")]
        yield from f"response: '{LINE_END.join(found)}'".split(LINE_END)


def _taken(node: Node, *, inner: bool) -> Iterator[str]:
    """The members of an object, one or more lines each."""
    for place, each in enumerate(node.children):
        comma = "," if place < len(node.children) - 1 else ""
        name = identifier(each.key)
        start = f"  {name}: {name}"
        if not inner or each.whole or not each.children:
            yield f"{start}{comma}"
            continue
        start += "[].{" if each.many else ".{"
        for line in _braced(start.strip(), list(_taken(each, inner=True)), f"}}{comma}"):
            yield f"  {line}"


def _braced(start: str, members: list[str], end: str) -> Iterator[str]:
    """Members between braces, in one line where that is not too long."""
    short = start + " ".join(member.strip() for member in members) + end
    if len(short) < NARROW:
        yield short
    else:
        yield from (start, *members, end)


# ------------------------------------------------------------------------------------------------ a GET instead


def get_lines(path: str, root: Node) -> Iterator[str]:
    """How an operation that only reads is had with GET; nothing where its request has more than plain fields."""
    if not all(_fits_address(each) for each in root.children) or root.whole or root.simple is not None:
        return
    needed = [each for each in root.children if not each.optional]
    template = path + "".join(f"/{{{each.key}}}" for each in needed)
    given = [f"{each.key}: {_from_address(each)}" for each in root.children]
    yield f"If it only reads: match: GET {template}"
    if given:
        yield f"with, under legacy: request: {{{', '.join(given)}}}"


def _fits_address(node: Node) -> bool:
    plain = node.simple is not None and node.simple.kind not in _STRUCTURED
    return plain and not node.many and _PARAMETER.fullmatch(node.key) is not None


def _from_address(node: Node) -> str:
    """Where a field's value stands in an address, where everything is text."""
    place = f"{'query' if node.optional else 'path'}.{identifier(node.key)}"
    kind = node.simple.kind if node.simple is not None else ""
    return {"boolean": f"\"{place} == 'true'\"", "float": f"to_number({place})"}.get(kind, place)
