"""Second answers are asked for sparingly, and waited for within bounds."""

import pytest

from gateway.core.captured import CapturedAnswer, Sample
from gateway.rollouts import asking
from gateway.rollouts.asking import AT_FIRST, PATIENCE, Asking
from tests.rollouts.running import sample

SAMPLE = sample(b"1", b"2")
AGAIN = CapturedAnswer(200, (), b"3")


class Clock:
    """The monotonic time, as tests have it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asking, "monotonic", clock)
    return clock


class Asked:
    """Takes questions, if it is `there`."""

    def __init__(self) -> None:
        self.there = True
        self.questions: list[int] = []

    def __call__(self, number: int) -> bool:
        if self.there:
            self.questions.append(number)
        return self.there


def earning(ask: Asked, noise: int = 500) -> Asking:
    """One whose route has had a sample."""
    found = Asking(ask)
    found.earn("balance", noise)
    return found


def one(number: int) -> Sample:
    """A sample of this number."""
    return SAMPLE._replace(number=number)


def held(asking: Asking) -> list[Sample]:
    return list(asking.held())


def test_the_side_that_serves_is_asked_the_same_again() -> None:
    """The question is the sample's number; its answer comes back with the sample, which is held no more."""
    ask = Asked()
    asking = earning(ask)
    assert asking.asks(one(1), 10) is True
    assert ask.questions == [1]
    assert held(asking) == [one(1)]
    assert asking.answered(1, AGAIN) == one(1)._replace(second=AGAIN)
    assert held(asking) == []


def test_an_answer_that_nobody_waits_for_is_none() -> None:
    """It came twice, or to a question of an earlier process."""
    asking = earning(Asked())
    asking.asks(one(1), 10)
    asking.answered(1, AGAIN)
    assert asking.answered(1, AGAIN) is None
    assert asking.answered(77, AGAIN) is None


def test_a_route_that_has_earned_nothing_is_not_asked() -> None:
    """None of its samples came, or it says `noise: 0`."""
    ask = Asked()
    assert Asking(ask).asks(SAMPLE, 10) is False
    assert earning(ask, noise=0).asks(SAMPLE, 10) is False
    assert ask.questions == []


def test_questions_are_as_many_as_were_earned() -> None:
    """Fifty at first; then one for every twenty samples at 5 %, however many ask for one."""
    ask = Asked()
    asking = earning(ask)
    asked = [asking.asks(one(n), 10) for n in range(60)]
    assert asked == [True] * int(AT_FIRST) + [False] * 10
    for n in range(200):
        asking.earn("balance", 500)
        asking.asks(one(100 + n), 10)
    assert len(ask.questions) in (59, 60)  # tenths do not add up to whole numbers


def test_no_more_is_saved_up_than_at_first() -> None:
    """After a long time without questions, there are fifty."""
    asking = earning(Asked())
    for _ in range(5_000):
        asking.earn("balance", 500)
    assert sum(asking.asks(one(n), 10) for n in range(100)) == AT_FIRST


def test_a_question_that_could_not_be_asked_costs_nothing() -> None:
    """There is no data process: the sample is not held, and the route may ask later."""
    ask = Asked()
    asking = earning(ask)
    ask.there = False
    assert [asking.asks(SAMPLE, 10) for _ in range(100)] == [False] * 100
    assert held(asking) == []
    ask.there = True
    assert asking.asks(SAMPLE, 10) is True


def test_samples_held_are_bounded(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """By number and by bytes; whether answered or given up, they make room."""
    monkeypatch.setattr(asking, "HELD", 2)
    monkeypatch.setattr(asking, "HELD_BYTES", 100)
    found = earning(Asked())
    assert [found.asks(one(n), 10) for n in (1, 2, 3)] == [True, True, False]
    found.answered(1, AGAIN)
    assert found.asks(one(4), 91) is False
    assert found.asks(one(4), 90) is True
    clock.now += PATIENCE + 1
    assert len(list(found.overdue())) == 2
    assert found.asks(one(5), 100) is True


def test_what_is_overdue_is_given_up_once(clock: Clock) -> None:
    """Fifteen seconds after it was asked, and not before; an answer that comes later finds nobody."""
    asking = earning(Asked())
    asking.asks(one(1), 10)
    clock.now += PATIENCE
    asking.asks(one(2), 10)
    assert list(asking.overdue()) == []
    clock.now += 0.1
    assert list(asking.overdue()) == [one(1)]
    assert list(asking.overdue()) == []
    assert asking.answered(1, AGAIN) is None
    assert held(asking) == [one(2)]
