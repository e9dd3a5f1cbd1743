"""Other forms of values in JSON, for front ends that want them: chosen for a whole WSDL, and written into its plan.

The usual forms lose nothing. These do, a little, each in its own way: a decimal number is as exact as a reader of JSON
keeps it, a date and time is in a zone that the schema does not tell, attributes go. So each is for those who ask.
"""

from typing import Literal, NamedTuple

from connectors.soap.content import Model
from connectors.soap.numeric import SAFE, whole_range
from connectors.soap.plan import Attribute, Complex, Field, Group, Message, Operation, Service, Simple, TypeRef
from connectors.soap.words import VALUE

NUMBER, STRING = "number", "string"


class Forms(NamedTuple):
    """What is to be other than usual.

    `timezone` is that of dates and times without one (a name such as Europe/London): in JSON they have their offset
    (RFC 3339), and in XML none. `decimals` are strings or numbers; `integers` that may pass 2^53 are numbers as long as
    they do not, or always strings. `arrays` that have a type of their own, ArrayOfX {X: [...]}, are that, or plain
    arrays. `text` beside attributes is `$value` among them, or stands alone.
    """

    timezone: str | None = None
    decimals: Literal["string", "number"] = "string"
    integers: Literal["number", "string"] = "number"
    arrays: Literal["wrapped", "plain"] = "wrapped"
    text: Literal["wrapped", "plain"] = "wrapped"


def formed(service: Service, forms: Forms) -> Service:
    """A service whose plan has these forms."""
    if forms == Forms():
        return service
    forming = _Forming(forms, _kept_whole(service))
    types = tuple(forming.complex(place, plan) for place, plan in enumerate(service.schema.types))
    return service._replace(
        operations=tuple(forming.operation(each) for each in service.operations),
        schema=service.schema._replace(types=types),
    )


def _kept_whole(service: Service) -> frozenset[int]:
    """The types that have to stay objects: those of whole messages, and those that `$type` tells apart."""
    types = service.schema.types
    whole = {ref for each in service.operations for ref in _whole_types(each)}
    for place, plan in enumerate(types):
        if plan.derived or plan.abstract:
            whole.update((place, *(each.type for each in plan.derived if isinstance(each.type, int))))
    return frozenset(whole)


def _whole_types(operation: Operation) -> set[int]:
    messages = [operation.input] if operation.output is None else [operation.input, operation.output]
    parts = [part for message in messages for part in message.parts if message.wrapper is None]
    return {part.type for part in parts if isinstance(part.type, int)}


class _Forming:
    def __init__(self, forms: Forms, kept_whole: frozenset[int]) -> None:
        self._forms = forms
        self._kept_whole = kept_whole

    def operation(self, operation: Operation) -> Operation:
        output = operation.output
        return operation._replace(
            input=self._message(operation.input),
            output=None if output is None else self._message(output),
            faults=tuple((name, self._field(field)) for name, field in operation.faults),
        )

    def _message(self, message: Message) -> Message:
        parts, headers = (tuple(map(self._field, each)) for each in (message.parts, message.headers))
        return message._replace(parts=parts, headers=headers)

    def complex(self, place: int, plan: Complex) -> Complex:
        plain = None if place in self._kept_whole else self._plain(plan)
        return plan._replace(
            attributes=tuple(map(self._attribute, plan.attributes)),
            text=None if plan.text is None else self._simple(plan.text),
            content=None if plan.content is None else self._group(plan.content),
            array=None if plan.array is None else plan.array._replace(type=self._ref(plan.array.type)),
            plain=plain,
        )

    def _plain(self, plan: Complex) -> str | None:
        """The key of what stands for a type's values; None where the type says more than that."""
        if plan.text is not None and self._forms.text == "plain":
            return None if any(each.required for each in plan.attributes) else VALUE
        if self._forms.arrays != "plain" or plan.content is None or plan.mixed or plan.attributes or plan.any_attribute:
            return None
        model = Model(plan.content)
        only = model.entries[0] if len(model.entries) == 1 else None
        return only.key if isinstance(only, Field) and model.is_many(only.key) else None

    def _group(self, group: Group) -> Group:
        return group._replace(
            parts=tuple(
                self._field(each) if isinstance(each, Field) else self._group(each) if isinstance(each, Group) else each
                for each in group.parts
            )
        )

    def _field(self, field: Field) -> Field:
        return field._replace(type=self._ref(field.type))

    def _attribute(self, attribute: Attribute) -> Attribute:
        return attribute._replace(type=self._simple(attribute.type))

    def _ref(self, ref: TypeRef) -> TypeRef:
        return self._simple(ref) if isinstance(ref, Simple) else ref

    def _simple(self, simple: Simple) -> Simple:
        item = None if simple.item is None else self._simple(simple.item)
        members = tuple(map(self._simple, simple.members))
        return simple._replace(item=item, members=members, form=self._form(simple))

    def _form(self, simple: Simple) -> str:
        forms = self._forms
        if simple.base == "dateTime" and forms.timezone is not None:
            return forms.timezone
        if simple.kind == "decimal" and forms.decimals == NUMBER:
            return NUMBER
        if simple.kind == "integer" and forms.integers == STRING:
            low, high = whole_range(simple)
            return STRING if low < -SAFE or high > SAFE else ""
        return ""
