"""Gateways that share a bound never use more than all of it, and in the end they use it."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.sharing import NOTHING, Wanted, wanted


def test_one_alone_uses_all_of_it() -> None:
    """From the beginning, and again when the others have gone."""
    assert wanted(NOTHING, []) == Wanted(1, 1)
    assert wanted(3, []) == Wanted(1, 1)


def test_who_comes_waits_until_there_is_room() -> None:
    """The one that was there makes room first."""
    assert wanted(NOTHING, [1]) == Wanted(NOTHING, 2)
    assert wanted(1, [NOTHING]) == Wanted(1, 2)
    assert wanted(NOTHING, [2]) == Wanted(2, 2)


def test_who_is_left_takes_more_once_all_others_use_little_enough() -> None:
    """Not while one of them may use as much as before."""
    assert wanted(3, [3]) == Wanted(2, 2)
    assert wanted(4, [2, 4]) == Wanted(4, 4)
    assert wanted(4, [3, 4]) == Wanted(3, 3)


class Gateway:
    """What one gateway does: `parts` is what the store says of it, `uses` what it lets through."""

    def __init__(self) -> None:
        self.parts = self.uses = NOTHING

    def renew(self, others: list["Gateway"]) -> None:
        """Tell the store, and go by what it says: a smaller part is used at once, and told the next time."""
        if self.uses > self.parts > NOTHING:
            self.parts = self.uses
        found = wanted(self.parts, [each.parts for each in others])
        self.parts = found.parts
        self.uses = found.next if found.parts != NOTHING else NOTHING


@given(st.lists(st.tuples(st.sampled_from(["come", "go", "renew"]), st.integers(0, 5)), max_size=80))
def test_the_parts_never_add_up_to_more_than_all(happened: list[tuple[str, int]]) -> None:
    """However they come and go; and once they have all been heard a few times, each has its equal part."""
    there: list[Gateway] = []
    for what, number in happened:
        if what == "come" and len(there) < 6:
            there.append(Gateway())
        elif what == "go" and there:
            there.pop(number % len(there))
        elif there:
            one = there[number % len(there)]
            one.renew([each for each in there if each is not one])
        assert sum(Fraction(1, each.parts) for each in there if each.parts) <= 1
        assert sum(Fraction(1, each.uses) for each in there if each.uses) <= 1
        assert all(each.uses >= each.parts or each.uses == NOTHING for each in there)
    for _ in range(3):
        for one in there:
            one.renew([each for each in there if each is not one])
    assert [each.uses for each in there] == [len(there)] * len(there)
