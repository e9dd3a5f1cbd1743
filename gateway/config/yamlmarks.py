"""YAML with marks: plain values, and beside them a table that knows where each was written.

The events of libyaml are composed here in one pass. PyYAML's own composer keeps only the last of two equal keys,
follows anchors, holds two objects per scalar, and recurses in C as deep as the file asks (200,000 brackets end the
process). Types are those of YAML 1.2's core schema, so `no`, `on` and `01:00` are text.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from gateway.config.problems import Problem
from gateway.core.model import Place

Pointer = tuple[str | int, ...]
"""The way to a value: keys and list positions from the top, such as ("routes", 3, "serve")."""

MAX_DEPTH = 16
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMBER_STARTS = frozenset("0123456789+-.")
_LONGEST_NUMBER = 40
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_OTHER_BASE = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BARE_BRACES = re.compile(r":\s+(?:[A-Z,]+ )?/[^\s\"']*\{")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Spot(NamedTuple):
    """Where one value stands, as libyaml's marks (counted from 0): its key, its first and one past its last character.

    `style` is "" (plain), a quote, "|" or ">" for scalars, "block" or "flow" for collections; `written` a scalar's
    text before the environment was filled in.
    """

    key: Any
    start: Any
    end: Any
    style: str
    written: str


class Document(NamedTuple):
    """One file: its values, the spot of each, and what was wrong on the way. With a syntax error `value` is None."""

    file: str
    value: Any
    spots: dict[Pointer, Spot]
    problems: tuple[Problem, ...]

    def place(self, pointer: Pointer) -> Place:
        """Where a value stands, or the nearest thing around it that was written."""
        while pointer and pointer not in self.spots:
            pointer = pointer[:-1]
        spot = self.spots.get(pointer)
        return Place(self.file, 1, 1) if spot is None else _place(self.file, spot.start)

    def key_place(self, pointer: Pointer) -> Place:
        """Where the key of a value stands (the value itself, in a list)."""
        spot = self.spots.get(pointer)
        return self.place(pointer) if spot is None or spot.key is None else _place(self.file, spot.key)

    def written(self, pointer: Pointer) -> str:
        """A scalar as the file has it: without secrets from the environment."""
        spot = self.spots.get(pointer)
        return "" if spot is None else spot.written

    def from_environment(self, pointer: Pointer) -> bool:
        """Whether the environment has a part in a value (or in one below it)."""
        size = len(pointer)
        return any("${" in spot.written for at, spot in self.spots.items() if at[:size] == pointer)


class _Stop(Exception):
    """Composing cannot go on; carries the problem."""

    def __init__(self, place: Place, message: str) -> None:
        self.problem = Problem(place, message)
        super().__init__(message)


def read(data: bytes, file: str, environ: Mapping[str, str]) -> Document:
    """A file's bytes as a document; never raises for what is in them."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _unusable(file, _byte_place(file, data, error.start), "this is not UTF-8 text; save the file as UTF-8")
    composer = _Composer(file, data, environ)
    try:
        value = composer.document()
    except _Stop as stop:
        return Document(file, None, {}, (stop.problem,))
    except ReaderError as error:
        where = Place(file, 1, 1) if error.position is None else _byte_place(file, data, error.position)
        return _unusable(file, where, "a control character stands here; delete it")
    except yaml.MarkedYAMLError as error:
        return _unusable(file, *_syntax_problem(file, data, error))
    return Document(file, value, composer.spots, tuple(composer.problems))


class _Composer:
    """Turns the events of one file into values, noting spots and problems."""

    def __init__(self, file: str, data: bytes, environ: Mapping[str, str]) -> None:
        self.file = file
        self.environ = environ
        self.spots: dict[Pointer, Spot] = {}
        self.problems: list[Problem] = []
        self._next: Any = yaml.CSafeLoader(data).get_event

    def document(self) -> object:
        self._next()
        event = self._next()
        if type(event) is StreamEndEvent:
            raise _Stop(Place(self.file, 1, 1), "the file is empty; `banyan init` writes a file to start from")
        value = self._value(self._next(), (), None)
        while type(event) is not DocumentEndEvent:
            event = self._next()
        event = self._next()
        if type(event) is not StreamEndEvent:
            self._note(event, "a second document (`---`) begins here; keep everything in one")
        return value

    def _value(self, event: Any, pointer: Pointer, key: Any) -> object:
        kind = type(event)
        if kind is AliasEvent:
            raise _Stop(_place(self.file, event.start_mark), "aliases (`*name`) are not used here; repeat the value")
        if event.anchor is not None:
            self._note(event, "anchors (`&name`) are not used here; repeat the value where it is needed")
        if event.tag is not None:
            self._note(event, "tags (`!name`) are not used here; leave the tag out")
        if kind is ScalarEvent:
            return self._scalar(event, pointer, key)
        if len(pointer) >= MAX_DEPTH:
            raise _Stop(_place(self.file, event.start_mark), f"values are nested more than {MAX_DEPTH} deep here")
        return self._mapping(event, pointer, key) if kind is MappingStartEvent else self._list(event, pointer, key)

    def _mapping(self, opening: Any, pointer: Pointer, key: Any) -> dict[str, object]:
        values: dict[str, object] = {}
        lines: dict[str, int] = {}
        event = self._next()
        while type(event) is not MappingEndEvent:
            name = self._key(event, pointer)
            if name in lines:
                self._note(event, f"`{name}` is here a second time (first on line {lines[name]}); keep one")
                self._value(self._next(), (*pointer, name, "again"), event.start_mark)
            else:
                lines[name] = event.start_mark.line + 1
                values[name] = self._value(self._next(), (*pointer, name), event.start_mark)
            event = self._next()
        self._spot(opening, event, pointer, key)
        return values

    def _key(self, event: Any, pointer: Pointer) -> str:
        if type(event) is not ScalarEvent:
            raise _Stop(_place(self.file, event.start_mark), "a key must be plain text")
        if event.value == "<<" and event.implicit[0]:
            self._note(event, "merge keys (`<<`) are not used here; write the keys out")
        elif event.anchor is not None or event.tag is not None:
            self._note(event, "anchors and tags are not used here; write the key alone")
        return str(event.value)

    def _list(self, opening: Any, pointer: Pointer, key: Any) -> list[object]:
        values: list[object] = []
        event = self._next()
        while type(event) is not SequenceEndEvent:
            values.append(self._value(event, (*pointer, len(values)), None))
            event = self._next()
        self._spot(opening, event, pointer, key)
        return values

    def _spot(self, opening: Any, closing: Any, pointer: Pointer, key: Any) -> None:
        style = "flow" if opening.flow_style else "block"
        self.spots[pointer] = Spot(key, opening.start_mark, closing.end_mark, style, "")

    def _scalar(self, event: Any, pointer: Pointer, key: Any) -> object:
        text: str = event.value
        self.spots[pointer] = Spot(key, event.start_mark, event.end_mark, event.style or "", text)
        if "${" in text:
            text = self._filled_in(event)
        elif event.implicit[0]:
            return plain(text)
        if _CONTROL.search(text):
            self._note(event, "this value holds a line break or control character; write it in one line")
        return text

    def _filled_in(self, event: Any) -> str:
        """A scalar with its `${NAME}`s replaced: always text, whatever the environment holds."""

        def value_of(variable: re.Match[str]) -> str:
            name, default = variable[1], variable[2]
            value = self.environ.get(name)
            if default is not None:
                return value or default
            if value is None:
                self._note(event, f"the environment variable {name} is not set; set it or write ${{{name}:-default}}")
            elif _SURROGATE.search(value):
                self._note(event, f"the environment variable {name} is not UTF-8 text")
            else:
                return value
            return ""

        if "${" in _VARIABLE.sub("", event.value):
            self._note(event, "`${` opens an environment variable; write ${NAME} or ${NAME:-default}")
        return _VARIABLE.sub(value_of, event.value)

    def _note(self, event: Any, message: str) -> None:
        self.problems.append(Problem(_place(self.file, event.start_mark), message))


def plain(text: str) -> str | int | float | bool | None:
    """An unquoted scalar, typed by the core schema of YAML 1.2 (section 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


def _byte_place(file: str, data: bytes, offset: int) -> Place:
    before = data[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Place(file, before.count(b"\n") + 1, column)


def _unusable(file: str, place: Place, message: str) -> Document:
    return Document(file, None, {}, (Problem(place, message),))


def _syntax_problem(file: str, data: bytes, error: yaml.MarkedYAMLError) -> tuple[Place, str]:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Place(file, 1, 1), f"this is not YAML: {error.problem}"
    lines = data.decode("utf-8-sig").splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: mark.column + 1].endswith("\t") or (line[:1] == "\t" and not line[: mark.column].strip()):
        return _place(file, mark), "a tab stands here; YAML wants spaces"
    if "flow mapping" in (error.context or "") and _BARE_BRACES.search(line):
        return _place(file, mark), "put a path with {name} into quotes where it stands inside { }"
    context = f" ({error.context})" if error.context else ""
    return _place(file, mark), f"this is not YAML: {error.problem}{context}"
