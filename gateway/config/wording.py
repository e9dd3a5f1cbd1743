"""What pydantic finds, in words for the person who wrote the file.

A finding's location is walked through the file's own spots, so that a problem always points at something written
there; an unknown key is answered with the nearest known one, or with "not built yet".
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError

from gateway.config.kinds import Spec
from gateway.config.problems import Problem
from gateway.config.yamlmarks import Document, Pointer
from gateway.core.model import Place

_SHOWN = 60
_SENTENCES = {
    "string_type": "must be text; put it in quotes",
    "string_pattern_mismatch": "{written} may hold only letters, digits, dots, dashes and underscores",
    "string_too_short": "must not be empty",
    "string_too_long": "{written} is too long",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "greater_than_equal": "{written} is too small; {ge} is the least",
    "less_than_equal": "{written} is too large; {le} is the most",
    "too_short": "must not be empty",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "literal_error": "{written} is not possible here; write {expected}",
    "union_tag_not_found": "must be one of cookie, header or query with a name, or the word address",
}


class Entry(NamedTuple):
    """A part of a document under its own heading: the gateway, one backend, one route."""

    document: Document
    pointer: Pointer
    label: str

    def place(self, *keys: str | int) -> Place:
        return self.document.place((*self.pointer, *keys))

    def problem(self, keys: Pointer, message: str) -> Problem:
        """A problem with the value under `keys`, its `{written}` filled in."""
        shown = _quoted(self.document.written((*self.pointer, *keys)))
        return Problem(self.place(*keys), self._headed(keys, message.replace("{written}", shown)))

    def key_problem(self, keys: Pointer, message: str) -> Problem:
        """A problem with a key itself."""
        return Problem(self.document.key_place((*self.pointer, *keys)), self._headed(keys[:-1], message))

    def _headed(self, keys: Pointer, message: str) -> str:
        path = "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
        return ": ".join(part for part in (self.label, path, message) if part)


def findings(error: ValidationError, spec: type[Spec], entry: Entry) -> Iterator[Problem]:
    """A validation error as problems of one entry."""
    for finding in error.errors(include_url=False):
        yield _problem(finding, spec, entry)


def _problem(finding: Mapping[str, Any], spec: type[Spec], entry: Entry) -> Problem:
    location, kind = finding["loc"], finding["type"]
    keys = _keys(location, entry)
    if kind == "extra_forbidden":
        return entry.key_problem(keys, _unknown(str(keys[-1]), _specs_at(spec, location[:-1])))
    if kind == "missing":
        return entry.problem(keys, f"`{location[-1]}` is missing")
    sentence = _sentence(kind, finding)
    if location[-1:] == ("[key]",):
        return entry.key_problem(keys, sentence.replace("{written}", f"`{keys[-1]}`"))
    if finding["input"] is None:
        return entry.problem(keys, "has no value; give it one, or leave the key out")
    if isinstance(finding["input"], dict | list) and (kind.endswith("_type") or "{written}" in sentence):
        shape = "a mapping" if isinstance(finding["input"], dict) else "a list"
        wanted = f"; it {sentence.partition(';')[0]}" if kind.endswith("_type") else ""
        return entry.problem(keys, f"cannot be {shape}{wanted}")
    return entry.problem(keys, sentence)


def _sentence(kind: str, finding: Mapping[str, Any]) -> str:
    context = finding.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error" and finding["loc"] == ("type",):
        return "{written} is not built yet, or not a type of backend; write http or soap"
    sentence = _SENTENCES.get(kind, "{written} cannot be used here")
    for name in ("ge", "le", "expected"):
        sentence = sentence.replace(f"{{{name}}}", str(context.get(name, "")))
    return sentence


def _unknown(key: str, specs: list[type[Spec]]) -> str:
    if any(key in spec.later for spec in specs):
        return f"`{key}` is not built yet; leave it out"
    known = [field.alias or name for spec in specs for name, field in spec.model_fields.items()]
    nearest = get_close_matches(key, known, 1)
    hint = f"did you mean `{nearest[0]}`?" if nearest else f"known are {', '.join(known)}"
    return f"`{key}` is not a key here; {hint}"


def _keys(location: Pointer, entry: Entry) -> Pointer:
    """The part of a location that the file really has: pydantic adds tags, and names keys that are missing."""
    keys: Pointer = ()
    for part in location:
        if (*entry.pointer, *keys, part) in entry.document.spots:
            keys = (*keys, part)
    return keys


def _specs_at(spec: type[Spec], location: Pointer) -> list[type[Spec]]:
    """The classes that may describe the mapping at a location."""
    specs = [spec]
    for part in location:
        fields = [each.model_fields[part].annotation for each in specs if part in each.model_fields]
        if fields:
            specs = [found for field in fields for found in _specs_in(field)]
    return specs


def _specs_in(annotation: Any) -> Iterator[type[Spec]]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    for part in get_args(annotation):
        yield from _specs_in(part)


def _quoted(written: str) -> str:
    return f"'{written if len(written) <= _SHOWN else written[:_SHOWN] + '...'}'"
