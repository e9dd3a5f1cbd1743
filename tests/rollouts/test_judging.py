"""Samples become verdicts: what differs in fields that may be noise waits until that is known."""

import asyncio
from collections.abc import AsyncIterator
from json import dumps
from time import time

import pytest

from gateway.core.captured import CapturedAnswer, Sample
from gateway.core.comparing.differences import OVERFLOW, FieldKind
from gateway.core.comparing.noise import MOST_FIELDS, FieldCount
from gateway.core.comparing.rules import compiled
from gateway.core.policies import Compare
from gateway.rollouts import asking, judging
from gateway.rollouts.asking import PATIENCE, Asking
from gateway.rollouts.judging import EXAMPLES, FEW, Fields, Judge, Judged, Seen, Way
from tests.rollouts.running import sample, until
from tests.rollouts.test_asking import Asked, Clock

SUM: FieldKind = (("sum",), "value")
AT: FieldKind = (("at",), "value")
DIFFERS = sample(b'{"sum": 1}', b'{"sum": 2}')
WRONG = FieldCount(6, candidate=6)
NOISE = FieldCount(6, control=6)


class Judging:
    """A judge of `balance`, with what it told and whom it asked."""

    def __init__(self) -> None:
        self.told: list[Judged] = []
        self.ask = Asked()
        self.asking = Asking(self.ask)
        self.judge = Judge(b"k" * 32, self.told.extend, self.asking)
        self.judge.follow({"balance": Way(compiled(Compare()))})

    def take(self, *samples: Sample) -> None:
        self.judge.sampled(samples, {}, {}, time())

    async def judged(self, *samples: Sample) -> list[Judged]:
        """What these were found to be, and others with them."""
        before = len(self.told)
        self.take(*samples)
        await until(lambda: len(self.told) >= before + len(samples))
        return self.told[before:]


@pytest.fixture
async def judging_now() -> AsyncIterator[Judging]:
    """One that judges what it is given."""
    found = Judging()
    task = asyncio.create_task(found.judge.run())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found.judge.close()


# ------------------------------------------------------------------------------------------------ verdicts


async def test_equal_answers_match(judging_now: Judging) -> None:
    """With the shape of the answer, a hash of the request, and whose request it was."""
    given = sample(b'{"sum": 1}', b'{"sum": 1.0}')
    (found,) = await judging_now.judged(given)
    assert found == Judged("balance", "matched", "legacy", given.at, found.request, "200 one")
    assert len(found.request) == 8


async def test_a_replayed_sample_says_so(judging_now: Judging) -> None:
    """Its verdict has its source."""
    (found,) = await judging_now.judged(sample(b"1", b"1")._replace(source="replay"))
    assert found.source == "replay"


async def test_what_is_no_comparison_is_told_at_once(judging_now: Judging) -> None:
    """A candidate that failed is an error of the candidate: no field is asked about, none waits."""
    (found,) = await judging_now.judged(sample(b"{}", b"{}", status=503))
    assert (found.verdict, found.reason) == ("candidate_error", "the candidate answered 503")
    assert judging_now.ask.questions == []


async def test_a_field_that_is_known_decides_at_once(judging_now: Judging) -> None:
    """Wrong is mismatched, noise matches, and nobody is asked again."""
    judging_now.judge.of("balance").know([(SUM, WRONG), (AT, NOISE)])
    wrong, noise = await judging_now.judged(DIFFERS, sample(b'{"at": 1}', b'{"at": 2}'))
    assert (wrong.verdict, noise.verdict) == ("mismatched", "matched")
    assert wrong.fields == {SUM}
    assert judging_now.ask.questions == []


async def test_routes_that_are_not_compared_are_left_alone(judging_now: Judging) -> None:
    """Samples that were on their way when the route left the file come to nothing."""
    judging_now.take(sample(b"1", b"1")._replace(route="gone"), sample(b"1", b"1"))
    await until(lambda: len(judging_now.told) == 1 and judging_now.judge._bytes == 0)
    assert [each.route for each in judging_now.told] == ["balance"]


# ------------------------------------------------------------------------------------------------ second answers


async def test_an_unsure_field_has_the_control_asked_again(judging_now: Judging) -> None:
    """The sample waits for the second answer, and counts as unsure meanwhile; then it is judged with it."""
    judging_now.take(DIFFERS)
    await until(lambda: len(judging_now.ask.questions) == 1)
    assert judging_now.judge.unsure(["balance"], 0.0) == 1
    assert judging_now.judge.unsure(["balance"], DIFFERS.at + 1) == 0
    assert judging_now.judge.unsure(["other"], 0.0) == 0
    judging_now.judge.sampled([], {}, {DIFFERS.number: DIFFERS.control}, time())
    await until(lambda: judging_now.judge.of("balance").counts == {SUM: FieldCount(1, candidate=1)})
    assert list(judging_now.asking.held()) == []
    assert judging_now.judge.unsure(["balance"], 0.0) == 1
    assert judging_now.told == []


async def test_what_waits_is_settled_once_the_noise_is_known(judging_now: Judging) -> None:
    """Six second answers make a field wrong or noise: what waited for that gets its verdict, each sample once."""
    for number in range(6):
        judging_now.take(DIFFERS)
        await until(lambda number=number: len(judging_now.ask.questions) == number + 1)  # type: ignore[misc]
        assert judging_now.told == []
        judging_now.judge.sampled([], {}, {DIFFERS.number: DIFFERS.control}, time())
        await until(lambda number=number: _seconds(judging_now) == number + 1)  # type: ignore[misc]
    await until(lambda: len(judging_now.told) == 6)
    assert {(each.verdict, each.fields) for each in judging_now.told} == {("mismatched", frozenset({SUM}))}
    assert judging_now.judge.unsure(["balance"], 0.0) == 0
    assert judging_now.judge.worst(["balance"]) == "/sum"


def _seconds(given: Judging) -> int:
    return sum(each.candidate for each in given.judge.of("balance").counts.values())


async def test_a_second_answer_that_does_not_come_is_given_up(
    judging_now: Judging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After fifteen seconds the sample is judged without; the field stays unsure, and nobody is asked once more."""
    clock = Clock()
    monkeypatch.setattr(asking, "monotonic", clock)
    monkeypatch.setattr(judging, "LOOK", 0.01)
    judging_now.take(DIFFERS)
    await until(lambda: len(judging_now.ask.questions) == 1)
    clock.now += PATIENCE + 1
    await until(lambda: judging_now.judge.of("balance").counts == {SUM: FieldCount(1)})
    assert len(judging_now.ask.questions) == 1
    assert list(judging_now.asking.held()) == []
    assert [each.fields for each in judging_now.judge.in_hand("balance", "shadow", 0.0)] == [{SUM}]
    assert judging_now.judge._bytes == 0


async def test_without_second_answers_samples_wait_all_the_same(judging_now: Judging) -> None:
    """There is no data process to ask: the field is counted, and its samples stay in hand."""
    judging_now.ask.there = False
    judging_now.take(DIFFERS)
    await until(lambda: judging_now.judge.of("balance").counts == {SUM: FieldCount(1)})
    assert judging_now.told == []
    assert len(judging_now.judge.in_hand("balance", "shadow", 0.0)) == 1
    assert judging_now.judge.in_hand("balance", "replay", 0.0) == []
    assert judging_now.judge.in_hand("balance", "shadow", DIFFERS.at + 1) == []
    assert judging_now.judge.in_hand("other", "shadow", 0.0) == []


async def test_a_route_without_noise_is_not_asked(judging_now: Judging) -> None:
    """`noise: 0` says that the side that serves is never asked twice."""
    judging_now.judge.follow({"balance": Way(compiled(Compare()), noise=0)})
    judging_now.take(DIFFERS)
    await until(lambda: judging_now.judge.of("balance").counts == {SUM: FieldCount(1)})
    assert judging_now.ask.questions == []


# ------------------------------------------------------------------------------------------------ bounds


async def test_what_there_is_no_room_for_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number; each is counted, with whose it was and why."""
    monkeypatch.setattr(judging, "WAITING", 1)
    found = Judging()
    found.take(DIFFERS, DIFFERS, DIFFERS._replace(source="replay"))
    assert [(each.verdict, each.reason, each.source) for each in found.told] == [
        ("skipped", "control_busy", "shadow"),
        ("skipped", "replay_control_busy", "replay"),
    ]
    found.judge.close()


async def test_what_waits_is_bounded_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both answers count, and the request."""
    monkeypatch.setattr(judging, "WAITING_BYTES", 9_000)
    large = sample(b"1" * 4_000, b"2" * 4_000)
    found = Judging()
    found.take(large, large)
    assert [each.reason for each in found.told] == ["control_busy"]
    found.judge.close()


async def test_what_was_judged_makes_room(judging_now: Judging) -> None:
    """Once nothing waits, no bytes do."""
    await judging_now.judged(*[sample(b"1" * 1_000, b"1" * 1_000)] * 250)
    await until(lambda: judging_now.judge._bytes == 0)
    assert len(judging_now.judge._waiting) == 0


async def test_skipped_samples_are_counted() -> None:
    """Those that the data process tells of: each by itself, at the time that it is told, whosever it was."""
    found = Judging()
    found.judge.sampled([], {("balance", "late"): 2, ("balance", "replay_queue_full"): 1}, {}, 7.0)
    assert found.told == [
        Judged("balance", "skipped", "legacy", 7.0, reason="late"),
        Judged("balance", "skipped", "legacy", 7.0, reason="late"),
        Judged("balance", "skipped", "legacy", 7.0, reason="replay_queue_full", source="replay"),
    ]
    found.judge.close()


async def test_samples_in_hand_are_bounded(judging_now: Judging, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is no room for is told as unsure."""
    monkeypatch.setattr(judging, "IN_HAND", 1)
    judging_now.ask.there = False
    judging_now.take(DIFFERS, DIFFERS)
    await until(lambda: len(judging_now.told) == 1)
    assert judging_now.told[0].verdict == "unsure"
    assert len(judging_now.judge.in_hand("balance", "shadow", 0.0)) == 1


async def test_examples_are_bounded(judging_now: Judging, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few of each field in one batch, and in all while the store does not take them: the latest stay."""
    judging_now.judge.of("balance").know([(SUM, WRONG)])
    await judging_now.judged(*[DIFFERS] * 50)
    assert len(judging_now.judge.examples) in (FEW, 2 * FEW)  # one batch, or two
    assert judging_now.judge.examples.maxlen == judging.MOST_EXAMPLES


async def test_examples_of_many_fields_are_bounded(judging_now: Judging) -> None:
    """One answer may differ in as many as it likes: of a route only so many are kept at a time."""
    old, new = ({f"member{letter}": value for letter in "abcdefghijklmnopqrstuvwxyz"} for value in (1, 2))
    judging_now.ask.there = False
    judging_now.take(sample(dumps(old).encode(), dumps(new).encode()))
    await until(lambda: len(judging_now.judge.in_hand("balance", "shadow", 0.0)) == 1)
    assert len(judging_now.judge.examples) == EXAMPLES


async def test_routes_that_left_are_forgotten(judging_now: Judging) -> None:
    """With what was known of their fields, and what waited for that."""
    judging_now.judge.of("balance").know([(SUM, WRONG)])
    judging_now.judge.follow({})
    assert judging_now.judge.fields == {}
    assert judging_now.judge.worst(["balance"]) == ""


def test_the_worst_field_is_the_one_that_differs_most_often() -> None:
    """Of those that are wrong, over all routes of a journey: what is noise may differ more."""
    found = Judging()
    found.judge.of("a").know([(SUM, WRONG), (AT, FieldCount(900, control=6))])
    found.judge.of("b").know([((("lines", "*"), "missing"), FieldCount(7, candidate=6))])
    assert found.judge.worst(["a", "b", "c"]) == "/lines/*"
    assert found.judge.worst(["a"]) == "/sum"
    found.judge.close()


# ------------------------------------------------------------------------------------------------ fields


def test_fields_say_when_something_is_known_differently() -> None:
    """Only then is it worth looking through what waits."""
    fields = Fields()
    assert fields.add([(SUM, FieldCount(1, candidate=1))], 1.0) is True
    assert [fields.add([(SUM, FieldCount(1, candidate=1))], 1.0) for _ in range(4)] == [False] * 4
    assert fields.add([(SUM, FieldCount(1, candidate=1))], 1.0) is True
    assert fields.states == {SUM: "wrong"}
    assert fields.add([], 1.0) is False


def test_the_counts_of_the_past_are_known_and_not_told_again() -> None:
    """What the store has of a field goes on here; only what is seen from now on is new to it."""
    fields = Fields()
    fields.know([(SUM, FieldCount(5, candidate=5))])
    assert fields.add([(SUM, FieldCount(1, candidate=1))], 9.0) is True
    assert fields.counts == {SUM: WRONG}
    assert fields.taken() == {SUM: Seen(FieldCount(1, candidate=1), 9.0, 9.0)}
    assert fields.taken() == {}


def test_fields_are_bounded() -> None:
    """Beyond five hundred they are one, which stays unsure whatever is counted in it."""
    fields = Fields()
    fields.know([(OVERFLOW, WRONG)])
    for number in range(MOST_FIELDS + 9):
        fields.add([(((str(number),), "value"), WRONG)], 1.0)
    assert len(fields.counts) == len(fields.states) == len(fields.fresh) == MOST_FIELDS
    assert fields.counts[OVERFLOW] == FieldCount(66, candidate=66)
    assert fields.states[OVERFLOW] == "unsure"


def test_only_what_is_known_is_settled() -> None:
    """The others go on waiting, in their order."""
    fields = Fields()
    one, two, three = (
        Judged("a", "unsure", "legacy", number, fields=frozenset({key})) for number, key in enumerate((SUM, AT, SUM))
    )
    fields.in_hand.extend((one, two, three))
    fields.know([(AT, NOISE)])
    assert fields.settled() == [two._replace(verdict="matched")]
    assert list(fields.in_hand) == [one, three]
    assert fields.settled() == []


async def test_a_codec_reads_the_answers_of_its_route(judging_now: Judging) -> None:
    """Two envelopes that it reads alike match."""
    judging_now.judge.follow({"balance": Way(compiled(Compare()), lambda envelope: {"sum": "1"})})
    xml = ((b"Content-Type", b"text/xml"),)
    envelope = (
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><a>%d</a></e:Body></e:Envelope>'
    )
    control, candidate = (CapturedAnswer(200, xml, envelope % number) for number in (1, 2))
    (found,) = await judging_now.judged(DIFFERS._replace(control=control, candidate=candidate))
    assert (found.verdict, found.fields) == ("matched", frozenset())
