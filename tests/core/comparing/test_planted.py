"""Faults planted among 1,000 answers with realistic noise are found, each where it is, and nothing else is blamed.

Judging is pure: what an answer without a fault says is worked out once, and shared by all the faults.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from gateway.core.captured import CapturedAnswer
from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.documents import Decode
from gateway.core.comparing.judging import Judgement, judge
from gateway.core.comparing.noise import FieldCount, Signature, states_of, verdict_of
from gateway.core.comparing.rules import Rules
from gateway.core.model import LEGACY, NEW, Side
from tests.core.comparing.answers import answer, as_json, as_soap, pointer, sample
from tests.core.comparing.planted import FAULTS, Value, answered, decode, expected, soap_text, truth

ANSWERS = 1_000
FAULTY = range(0, ANSWERS, 40)
"""One answer of 40 has the fault: half of them while legacy serves, half while new does."""


Plant = Callable[[Value], object]
Change = Callable[[CapturedAnswer], CapturedAnswer]


class Protocol(NamedTuple):
    """How a value becomes an answer, and what reads it."""

    write: Callable[[Value], CapturedAnswer]
    decode: Decode | None = None


PROTOCOLS = {
    "json": Protocol(as_json),
    "codec": Protocol(lambda value: as_soap(soap_text(value)), decode),
    "infoset": Protocol(lambda value: as_soap(soap_text(value))),
}


class Summed(NamedTuple):
    """What samples say together: how often each field differed, and each set of fields."""

    counts: dict[FieldKind, FieldCount]
    signatures: Counter[Signature]

    def verdicts(self) -> Counter[str]:
        """What the samples are worth, now that the noise is known."""
        states, found = states_of(self.counts), Counter[str]()
        for signature, samples in self.signatures.items():
            found[verdict_of(signature, states)] += samples
        return found


def summed(judgements: Iterable[Judgement], start: Summed) -> Summed:
    counts, signatures = dict(start.counts), Counter(start.signatures)
    for each in judgements:
        signatures[each.signature] += 1
        for key, counted in each.counts:
            counts[key] = counts.get(key, FieldCount()).plus(counted)
    return Summed(counts, signatures)


def judged(
    protocol: Protocol, number: int, plant: Plant = lambda value: value, change: Change | None = None
) -> Judgement:
    """One sample, in which the new side has a fault. Every other one is served by new: there the control has it."""
    serves_new = number % 80 > 0

    def say(role: int, side: Side) -> CapturedAnswer:
        said = answered(truth(number), Random(3 * number + role))
        if side == NEW:
            plant(said)
        written = protocol.write(said)
        given = written._replace(fields=(*written.fields, (b"location", b"/rents")))
        return change(given) if change is not None and side == NEW else given

    control, other = (NEW, LEGACY) if serves_new else (LEGACY, NEW)
    return judge(sample(say(0, control), say(1, other), say(2, control), control), Rules(), protocol.decode)


@cache
def healthy(name: str) -> Summed:
    """All the answers without a fault."""
    numbers = (number for number in range(ANSWERS) if number not in FAULTY)
    return summed((judged(PROTOCOLS[name], number) for number in numbers), Summed({}, Counter()))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_noise_alone_is_never_wrong(name: str) -> None:
    """With two equal sides every field that differs is found to be noise, and every answer counts as matched."""
    protocol = PROTOCOLS[name]
    found = summed((judged(protocol, number) for number in FAULTY), healthy(name))
    states = states_of(found.counts)
    assert set(states.values()) == {"noise"}
    assert found.verdicts() == {"matched": ANSWERS}
    assert {field[0] for field, _ in states} == {"requestId", "generatedAt", "server", "notes", "cached"}


CASES = [
    pytest.param(name, fault, id=f"{name}: {fault}")
    for name in PROTOCOLS
    for fault in FAULTS
    if expected(FAULTS[fault], name, fault) is not None
]


def wrong(found: Summed) -> set[FieldKind]:
    return {key for key, state in states_of(found.counts).items() if state == "wrong"}


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_planted_fault_is_found(name: str, fault: str) -> None:
    """The field is wrong, in the right way; no other is; the faulty answers are mismatched, and all others matched."""
    protocol, planted = PROTOCOLS[name], FAULTS[fault]
    found = summed((judged(protocol, number, planted.plant) for number in FAULTY), healthy(name))
    assert wrong(found) == {expected(planted, name, fault), *(ALSO.get(fault, ()))}
    verdicts = found.verdicts()
    assert verdicts["matched"] + verdicts["mismatched"] == ANSWERS
    assert len(FAULTY) - 5 <= verdicts["mismatched"] <= len(FAULTY)


ALSO: dict[str, set[FieldKind]] = {"another account's tenant": {(("tenant", "joint", "name"), "value")}}


def page(_: CapturedAnswer) -> CapturedAnswer:
    return answer(b"<html><p>Please log in", "text/html; charset=utf-8", location="/rents")


def halved(given: CapturedAnswer) -> CapturedAnswer:
    return given._replace(body=(given.body or b"")[:-40])


def latin_1(given: CapturedAnswer) -> CapturedAnswer:
    return given._replace(body=(given.body or b"").replace(b"Orchard", "Örchard".encode("latin-1")))


def field_said(name: str, value: str) -> Change:
    def change(given: CapturedAnswer) -> CapturedAnswer:
        others = (field for field in given.fields if field[0].decode().lower() != name)
        return given._replace(fields=(*others, (name.encode(), value.encode())) if value else tuple(others))

    return change


WHOLE: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "not found": (lambda given: given._replace(status=404), {("/:status", "value")}),
    "moved": (lambda given: given._replace(status=302), {("/:status", "value")}),
    "another location": (field_said("location", "/other"), {("/:header/location", "value")}),
    "no location": (field_said("location", ""), {("/:header/location", "missing")}),
    "another media type": (field_said("content-type", "application/vnd.v2+json"), {("/:header/content-type", "value")}),
    "another charset": (
        field_said("content-type", "application/json; charset=ascii"),
        {("/:header/content-type", "value")},
    ),
    "no body": (lambda given: given._replace(body=b""), {("", "missing")}),
    "a body cut short": (halved, {("", "type")}),
    "a page instead": (page, {("", "type"), ("/:header/content-type", "value")}),
    "bytes in another encoding": (latin_1, {("", "type")}),
}


@pytest.mark.parametrize("fault", WHOLE)
def test_a_fault_of_the_whole_answer_is_found(fault: str) -> None:
    """Status, headers, and bodies that are not what they say are found, and nothing is blamed that only follows."""
    change, fields = WHOLE[fault]
    found = summed((judged(PROTOCOLS["json"], number, change=change) for number in FAULTY), healthy("json"))
    assert wrong(found) == {(pointer(field), kind) for field, kind in fields}
    assert found.verdicts() == {"matched": ANSWERS - len(FAULTY), "mismatched": len(FAULTY)}


def test_there_are_enough_kinds() -> None:
    """At least forty for JSON, and as many for SOAP either way."""
    for name in PROTOCOLS:
        assert sum(1 for case in CASES if case.values[0] == name) >= 40
