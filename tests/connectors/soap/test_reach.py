"""In which order types are made into functions."""

from connectors.soap.plan import ANY_TYPE, ArrayOf, Complex, Derived, Field, Group, Schema, Simple
from connectors.soap.reach import inside_out

TEXT = Simple("string", "string")


def of(*types: int) -> Complex:
    """A type with elements of these types."""
    return Complex(None, content=Group("sequence", tuple(Field("a", "a", each) for each in types)))


def test_inner_types_come_first() -> None:
    """Each type follows all those it is made of: elements, derived types, items of arrays."""
    derived = Complex("B", derived=(Derived("D", "D", 3), Derived("S", "S", TEXT)))
    schema = Schema((of(1, 2), derived, Complex("A", array=ArrayOf(3, "T")), Complex("T"), of()))
    order = list(inside_out(schema, 0, {}))
    assert order == [3, 1, 2, 0]


def test_what_is_known_already_is_left_out() -> None:
    """Nor is anything beyond it looked at."""
    schema = Schema((of(1), of(2), of()))
    assert list(inside_out(schema, 0, {1})) == [0]
    assert list(inside_out(schema, 0, {0})) == []


def test_circles_end() -> None:
    """Types that contain one another come once each."""
    assert list(inside_out(Schema((of(1), of(0, 1))), 0, {})) == [1, 0]


def test_other_types_need_nothing() -> None:
    """Simple types and those that are not known are made by themselves."""
    schema = Schema(())
    assert list(inside_out(schema, TEXT, {})) == list(inside_out(schema, ANY_TYPE, {})) == []


def test_chains_may_be_long() -> None:
    """Ten thousand types inside one another."""
    schema = Schema((*(of(number + 1) for number in range(10_000)), of()))
    assert list(inside_out(schema, 0, {})) == list(range(10_000, -1, -1))
