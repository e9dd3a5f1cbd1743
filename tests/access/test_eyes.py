"""What a route asks a second person for is done when two people have said the same."""

from gateway.access.eyes import LASTS, FourEyes


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_two_people_must_say_the_same() -> None:
    """One person twice is one person; and something else is something else."""
    eyes = FourEyes(Clock())
    assert eyes.second("flip", "list", "new", "Ann", "Ann's", "ready") is None
    assert eyes.second("flip", "list", "new", "Ann", "Ann's", "really") is None
    assert eyes.second("flip", "list", "50% new", "Ben", "Ben's", "half") is None
    assert eyes.second("flip", "other", "new", "Ben", "Ben's", "ready") is None
    first = eyes.second("flip", "list", "new", "Ben", "Ben's", "I agree")
    assert first is not None
    assert (first.by, first.reason) == ("Ann", "really")


def test_one_token_is_one_person() -> None:
    """Whatever name it is used under; and two of one name cannot be told apart."""
    eyes = FourEyes(Clock())
    eyes.second("flip", "list", "new", "Ann", "a token", "ready")
    assert eyes.second("flip", "list", "new", "Ben", "a token", "ready") is None
    assert eyes.second("flip", "list", "new", "Ben", "another", "ready") is None
    assert eyes.second("flip", "list", "new", "Cem", "a third", "ready") is not None


def test_it_is_done_once() -> None:
    """A third person begins anew."""
    eyes = FourEyes(Clock())
    eyes.second("flip", "list", "new", "Ann", "Ann's", "ready")
    assert eyes.second("flip", "list", "new", "Ben", "Ben's", "yes") is not None
    assert eyes.second("flip", "list", "new", "Cem", "Cem's", "too") is None


def test_what_waits_does_not_wait_for_ever() -> None:
    """After an hour it has to be asked for again."""
    clock = Clock()
    eyes = FourEyes(clock)
    eyes.second("flip", "list", "new", "Ann", "Ann's", "ready")
    assert [each.by for each in eyes.waiting] == ["Ann"]
    clock.now += LASTS
    assert eyes.waiting == []
    assert eyes.second("flip", "list", "new", "Ben", "Ben's", "late") is None
