"""The invented council: everything follows from a tenancy's number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo import council

numbers = st.integers(0, 899_999)


@given(numbers)
def test_every_number_is_a_tenancy_with_an_account_and_repairs(number: int) -> None:
    """Every client has a home, a rent account that can be asked for, and at least one repair of its own."""
    home = council.tenancy(council.tenancy_id(number))
    assert home is not None
    assert council.balance(home.account) is not None
    repairs = council.repairs(home.id)
    assert repairs
    assert {repair.tenancy for repair in repairs} == {home.id}
    assert [council.repair(repair.id) for repair in repairs] == list(repairs)
    assert all(len(set(trades)) == len(trades) > 1 for trades in (council.trades(repair.id) for repair in repairs))


@given(numbers, st.text(max_size=30), st.text(max_size=30))
def test_the_same_report_is_the_same_repair(number: int, fault: str, room: str) -> None:
    """Two systems that never spoke to each other give a report the same reference."""
    id = council.tenancy_id(number)
    assert council.report(id, fault, room) == council.report(id, fault, room)


@pytest.mark.parametrize("id", ["", "T", "T1", "t100001", "T1000010", "T10000١", "T100001\n"])
def test_what_is_no_tenancy_is_none(id: str) -> None:
    """An id that the council never gave out finds nothing."""
    assert (council.tenancy(id), council.repairs(id), council.report(id, "tap", "hall")) == (None, None, None)


def test_what_is_no_account_or_repair_is_none() -> None:
    """Neither does an account or a repair."""
    found = council.balance("RA1"), council.charges("x"), council.payment("", 1), council.repair("R1-1")
    assert found == (None, None, None, None)


def test_a_search_finds_the_street_that_was_asked_for() -> None:
    """Whatever is found lies in the street, however its name was typed."""
    found = council.search("mill terrace")
    assert found
    assert all("Mill Terrace" in home.address for home in found)


@pytest.mark.parametrize(("pence", "text"), [(0, "0.00"), (5, "0.05"), (-307, "-3.07"), (123_456, "1234.56")])
def test_money_is_written_as_people_write_it(pence: int, text: str) -> None:
    """Two decimals, and the sign in front."""
    assert text == council.pounds(pence)
