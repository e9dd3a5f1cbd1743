from hypothesis import given
from hypothesis import strategies as st

from gateway.core.fields import field_lines, fields_of, finder, names_and_values

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


@given(st.lists(st.tuples(names, values.filter(lambda value: b"\n" not in value)), max_size=6), st.sets(names))
def test_some_fields_are_found_without_the_others(given: list[tuple[bytes, bytes]], wanted: set[bytes]) -> None:
    """Those of the names asked for, in any spelling and in order; a value that looks like a field is none."""
    wanted |= {given[0][0].swapcase()} if given else set()
    known = {name.lower() for name in wanted}
    assert finder(wanted)(field_lines(given)) == [field for field in given if field[0].lower() in known]


@given(fields)
def test_names_and_values_are_told_apart(given: list[tuple[bytes, bytes]]) -> None:
    """In order, and as many of the ones as of the others."""
    assert list(zip(*names_and_values(given), strict=True)) == given
