"""In which order the types of a schema are made into functions.

A function is quickest when it holds those that it calls, so the inner types come first. Schemas may be long chains of
types: the walk keeps its own stack.
"""

from collections.abc import Container, Iterator

from connectors.soap.content import fields_of
from connectors.soap.plan import Complex, Schema, TypeRef


def inside_out(schema: Schema, ref: TypeRef, known: Container[int]) -> Iterator[int]:
    """The complex types that a type reaches, itself included, but for those `known`: each after those it is made of.

    Where types contain one another, one of them has to come first.
    """
    if not isinstance(ref, int) or ref in known:
        return
    seen = {ref}
    waiting = [(ref, _made_of(schema.types[ref]))]
    while waiting:
        place, inner = waiting[-1]
        following = next((each for each in inner if each not in seen and each not in known), None)
        if following is None:
            waiting.pop()
            yield place
        else:
            seen.add(following)
            waiting.append((following, _made_of(schema.types[following])))


def _made_of(plan: Complex) -> Iterator[int]:
    """The complex types that a type needs itself."""
    refs = [field.type for field in fields_of(plan.content)] if plan.content is not None else []
    refs += [each.type for each in plan.derived]
    if plan.array is not None:
        refs.append(plan.array.type)
    return (ref for ref in refs if isinstance(ref, int))
