"""The kinds of values in routes.yaml, and what all its mappings have in common.

Each kind joins a reader of `words` or `templates` with what an editor shows for it.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema

from gateway.config import addresses, templates, words

T = TypeVar("T")


class _Filled:
    """A key that may be left out but not left empty: `serve:` with nothing behind it is half an edit."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = tuple(kind for kind in get_args(source) if kind is not type(None))
        return handler.generate_schema(kinds[0])


Maybe = Annotated[T | None, _Filled()]


def text(description: str, **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, **more})


_NAME = r"^[A-Za-z0-9._-]+$"
_NAME_LENGTH = 100
Name = Annotated[str, StringConstraints(pattern=_NAME, max_length=_NAME_LENGTH)]
_A_DURATION = text("A duration: 250ms, 2s, 30m, 2h, 1d or 1m30s.", examples=["2s"])
_A_SIZE = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "64KiB, 8MiB, 10MB, bytes."}
)
Duration = Annotated[float, PlainValidator(words.duration), _A_DURATION]
DurationOrZero = Annotated[float, PlainValidator(words.duration_or_zero), _A_DURATION]
Size = Annotated[int, PlainValidator(words.size), _A_SIZE]
Bound = Annotated[int, PlainValidator(words.positive_size), _A_SIZE]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
CountOrZero = Annotated[int, Field(ge=0, le=1_000_000)]
FilePath = Annotated[str, StringConstraints(min_length=1)]
Link = Annotated[str, PlainValidator(addresses.link), text("An http or https address.")]
Instant = Annotated[int, PlainValidator(words.instant), text("A date, or an instant with its zone.")]
HostName = Annotated[str, PlainValidator(words.host_name), text("A host name.")]
FieldName = Annotated[bytes, PlainValidator(words.field_name), text("The name of a header.")]
FieldValue = Annotated[bytes, PlainValidator(words.field_value), text("The value of a header.")]
MatchedField = Annotated[bytes, PlainValidator(words.matched_field), text("The name of a header.")]
EditableField = Annotated[str, PlainValidator(words.editable_field), text("The name of a header.")]
ParameterName = Annotated[bytes, PlainValidator(words.parameter_name), text("The name of a query parameter.")]
CookieName = Annotated[bytes, PlainValidator(words.cookie_name), text("The name of a cookie.")]
Operation = Annotated[str, PlainValidator(templates.operation), text("The name of a SOAP operation.")]
Method = Annotated[bytes, PlainValidator(words.method), WithJsonSchema({"enum": sorted(words.METHODS)})]


def is_name(text: str) -> bool:
    """Whether a backend, a route or a journey may be called so."""
    return re.fullmatch(_NAME, text) is not None and len(text) <= _NAME_LENGTH


class Spec(BaseModel):
    """A mapping of routes.yaml. `later` lists keys that belong to work not built yet."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, defer_build=True)
    later: ClassVar[frozenset[str]] = frozenset()

    def given(self, names: Iterable[str]) -> dict[str, Any]:
        """Those of these keys that were written, and what they say: what was left out has the core's default."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}
