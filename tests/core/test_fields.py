from hypothesis import given
from hypothesis import strategies as st

from gateway.core.fields import field_lines, fields_of, names_and_values

names = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=12).map(str.encode)
values = st.binary(max_size=12).filter(lambda value: b"\r\n" not in value)
fields = st.lists(st.tuples(names, values), max_size=6)


def test_fields_stand_in_lines_of_their_own() -> None:
    """Each line is ended; without fields there is no line."""
    assert field_lines([(b"A", b"1"), (b"b", b"2")]) == b"A: 1\r\nb: 2\r\n"
    assert field_lines([]) == b""


@given(fields)
def test_lines_hold_all_there_is_of_fields(given: list[tuple[bytes, bytes]]) -> None:
    """Either form is made of the other, whatever the names and values are made of."""
    assert fields_of(field_lines(given)) == tuple(given)


@given(fields)
def test_names_and_values_are_told_apart(given: list[tuple[bytes, bytes]]) -> None:
    """In order, and as many of the ones as of the others."""
    assert list(zip(*names_and_values(given), strict=True)) == given
