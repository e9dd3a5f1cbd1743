"""A sample says that a side failed, that nothing can be said, or how its two answers differ."""

from typing import Any

import pytest

from gateway.core.captured import CapturedAnswer
from gateway.core.comparing.judging import Judgement, judge
from gateway.core.comparing.noise import FieldCount
from gateway.core.comparing.rules import Rules
from gateway.core.comparing.values import ABSENT
from gateway.core.model import NEW
from tests.core.comparing.answers import answer, as_json, as_soap, as_xml, rules, sample

GOOD = as_json({"a": 1})
FAILED = CapturedAnswer(0, error="timeout")
ANGRY = as_json({"error": 1}, status=503)
PARTIAL = GOOD._replace(body=None)
PACKED = answer(b"x", "application/json", content_encoding="br")


@pytest.mark.parametrize(
    ("control", "candidate", "verdict", "reason"),
    [
        (FAILED, GOOD, "control_error", "the control failed (timeout)"),
        (FAILED, FAILED, "control_error", "the control failed (timeout)"),
        (ANGRY, ANGRY, "control_error", "the control answered 503"),
        (GOOD, FAILED, "candidate_error", "the candidate failed (timeout)"),
        (PARTIAL, ANGRY, "candidate_error", "the candidate answered 503"),
        (PARTIAL, GOOD, "skipped", "the control's answer was not captured whole"),
        (GOOD, PARTIAL, "skipped", "the candidate's answer was not captured whole"),
        (PACKED, GOOD, "incomparable", "the control's answer has a content coding that is not undone here: br"),
        (GOOD, PACKED, "incomparable", "the candidate's answer has a content coding that is not undone here: br"),
        (PACKED, PACKED, "incomparable", "the control's answer has a content coding that is not undone here: br"),
    ],
)
def test_what_is_not_compared(control: CapturedAnswer, candidate: CapturedAnswer, verdict: str, reason: str) -> None:
    """Errors of either side, bodies that are not whole, bodies nobody can read: never mixed, each with its reason."""
    assert judge(sample(control, candidate), Rules()) == Judgement(verdict, reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "legacy", "verdict", "reason"),
    [
        (ANGRY, ANGRY, "candidate_error", "the candidate answered 503"),
        (ANGRY, FAILED, "candidate_error", "the candidate failed (timeout)"),
        (ANGRY, GOOD, "control_error", "the control answered 503"),
        (GOOD, ANGRY, "candidate_error", "the candidate answered 503"),
    ],
)
def test_what_legacy_fails_at_says_nothing_of_new(
    new: CapturedAnswer, legacy: CapturedAnswer, verdict: str, reason: str
) -> None:
    """Where both fail it is legacy's error, also when new serves: else a ramp would go back for what was always so."""
    assert judge(sample(new, legacy, side=NEW), Rules()) == Judgement(verdict, reason)  # type: ignore[arg-type]


def test_a_4xx_and_a_business_fault_are_answers() -> None:
    """They are compared; a fault's shape tells that it was one."""
    missing = as_json({"error": "no such account"}, status=404)
    fault = as_soap("<s:Fault><faultcode>s:Client</faultcode></s:Fault>", status=500)._replace(business=True)
    assert judge(sample(missing, missing), Rules()) == Judgement("compared", shape="404 one")
    assert judge(sample(fault, fault), Rules()) == Judgement("compared", shape="500 fault")
    assert judge(sample(ANGRY._replace(business=True), ANGRY._replace(business=True)), Rules()).shape == "503 fault"


def found(judgement: Judgement) -> list[tuple[Any, ...]]:
    assert judgement.verdict == "compared"
    return [(each.field, each.kind, each.legacy, each.new) for each in judgement.differences]


def test_differences_read_from_legacy_to_new() -> None:
    """Whichever side served."""
    without = as_json({})
    told = [(("a",), "missing", 1, ABSENT)]
    assert found(judge(sample(GOOD, without), Rules())) == told
    assert found(judge(sample(without, GOOD, side=NEW), Rules())) == told


def test_a_status_of_another_class_is_the_only_difference() -> None:
    """The bodies only follow from it; within one class they are compared."""
    missing = as_json({"error": 1}, status=404)
    assert found(judge(sample(GOOD, missing), Rules())) == [((":status",), "value", 200, 404)]
    assert found(judge(sample(missing, GOOD, side=NEW), Rules())) == [((":status",), "value", 200, 404)]
    assert found(judge(sample(GOOD, GOOD._replace(status=201)), Rules())) == []


def located(value: str | None, name: bytes = b"location") -> CapturedAnswer:
    return GOOD._replace(fields=(*GOOD.fields, *([(name, value.encode())] if value is not None else [])))


@pytest.mark.parametrize(
    ("legacy", "new", "kinds"),
    [("/a", "/a", []), ("/a", "/b", ["value"]), ("/a", None, ["missing"]), (None, "/a", ["extra"]), (None, None, [])],
)
def test_chosen_headers_are_compared(legacy: str | None, new: str | None, kinds: list[str]) -> None:
    """Each is a field of its own, for rules, too; others are not looked at."""
    pair = sample(located(legacy), located(new))
    assert [kind for _, kind, _, _ in found(judge(pair, Rules()))] == kinds
    assert all(field == (":header", "location") for field, _, _, _ in found(judge(pair, Rules())))
    assert found(judge(pair, rules(ignore=["/:header/location"]))) == []
    assert found(judge(pair, rules(headers=[]))) == []
    others = sample(located(legacy, b"x-other"), located(new, b"x-other"))
    assert found(judge(others, Rules())) == []
    assert [kind for _, kind, _, _ in found(judge(others, rules(headers=["x-other"])))] == kinds


@pytest.mark.parametrize(
    ("legacy", "new", "differs"),
    [
        ("application/json", "Application/JSON; charset=utf-8", False),
        ("text/plain; charset=utf-8; format=flowed", "text/plain", False),
        ("text/plain", "text/csv", True),
        ("text/plain", "text/plain; charset=iso-8859-1", True),
        ("", "text/plain", True),
    ],
)
def test_media_types_are_compared_without_parameters(legacy: str, new: str, differs: bool) -> None:
    """But for the charset, which is UTF-8 where none is given."""
    told = found(judge(sample(answer(b"5", legacy), answer(b"5", new)), Rules()))
    assert bool(told) is differs
    assert all(field == (":header", "content-type") for field, _, _, _ in told)


def test_the_media_type_of_nothing_means_nothing() -> None:
    """Two empty answers are the same."""
    assert found(judge(sample(answer(b"", "text/plain"), answer(b"", status=204)), Rules())) == []


def counts(control: Any, candidate: Any, second: Any, **more: Any) -> dict[Any, FieldCount]:
    return dict(judge(sample(as_json(control), as_json(candidate), second and as_json(second), **more), Rules()).counts)


A = (("a",), "value")


@pytest.mark.parametrize(
    ("control", "candidate", "second", "expected"),
    [
        (1, 2, 1, FieldCount(1, candidate=1)),
        (1, 2, 2, FieldCount(1, control=1)),
        (1, 2, 3, FieldCount(1, every=1)),
    ],
)
def test_a_second_answer_tells_who_is_odd(control: int, candidate: int, second: int, expected: FieldCount) -> None:
    """With either side serving."""
    said = ({"a": control}, {"a": candidate}, {"a": second})
    assert counts(*said) == {A: expected}
    assert counts(*said, side=NEW) == {A: expected}


@pytest.mark.parametrize("second", [None, FAILED, ANGRY, PARTIAL, PACKED])
def test_a_second_answer_that_is_none_tells_nothing(second: CapturedAnswer | None) -> None:
    """The field has differed, and that is all."""
    judged = judge(sample(GOOD, as_json({"a": 2}), second), Rules())
    assert judged.counts == ((A, FieldCount(1)),)
    assert judged.signature == {A}


def test_no_table_is_for_two_answers_of_one_side() -> None:
    """The control and its second answer speak the same words."""
    word, other = as_json({"a": "A"}), as_json({"a": "x"})
    told = judge(sample(word, other, word), rules(map={"/a": (("A", "1"),)}))
    assert told.counts == ((A, FieldCount(1, candidate=1)),)


def decode(data: bytes) -> Any:
    """A codec that knows messages with an Amount."""
    text = data.partition(b"<Amount>")[2].partition(b"</Amount>")[0]
    return {"Amount": float(text)}


def amount(text: str) -> CapturedAnswer:
    return as_soap(f"<Balance><Amount>{text}</Amount></Balance>")


def test_soap_goes_through_the_codec() -> None:
    """Numbers are numbers there; without a codec they are text."""
    pair = sample(amount("5.0"), amount("5.00"))
    assert found(judge(pair, Rules(), decode)) == []
    assert found(judge(pair, Rules())) == [(("Amount",), "value", "5.0", "5.00")]


def test_what_the_codec_cannot_read_makes_both_infosets() -> None:
    """So that like is compared with like; a second answer of that sort is laid aside."""
    five, odd = amount("5.0"), amount("five")
    assert found(judge(sample(five, odd), Rules(), decode)) == [(("Amount",), "value", "5.0", "five")]
    told = judge(sample(five, amount("6"), odd), Rules(), decode)
    assert told.counts == (((("Amount",), "value"), FieldCount(1)),)
    told = judge(sample(five, odd, five), Rules(), decode)
    assert told.counts == (((("Amount",), "value"), FieldCount(1, candidate=1)),)


def test_a_fault_beside_an_answer_is_another_type() -> None:
    """It is read by no codec, and says nothing of single fields."""
    fault = as_soap("<s:Fault><faultcode>s:Server</faultcode></s:Fault>")
    assert [each[:2] for each in found(judge(sample(amount("5"), fault), Rules(), decode))] == [((), "type")]


def test_the_shape_is_the_controls() -> None:
    """Coverage counts what has been served."""
    assert judge(sample(as_json([1, 2]), as_json([])), Rules()).shape == "200 many"
    assert judge(sample(as_xml("<r/>"), as_xml("<r>1</r>")), Rules()).shape == "200 empty"


def test_depth_ends_no_comparison() -> None:
    """As deep as JSON is read, it is compared; deeper, nobody can say."""

    def nested(depth: int, leaf: bytes) -> CapturedAnswer:
        return answer(b'{"a":' * depth + leaf + b"}" * depth, "application/json")

    assert found(judge(sample(nested(254, b"1"), nested(254, b"2")), Rules())) == [(("a",) * 254, "value", 1, 2)]
    assert judge(sample(nested(255, b"1"), nested(255, b"2")), Rules()) == Judgement(
        "incomparable", "the control's answer is nested too deep"
    )


def test_long_lists_are_compared_in_time() -> None:
    """A hundred thousand numbers, nearly all of which differ."""
    long, other = list(range(100_000)), list(range(100_001, 0, -1))
    told = found(judge(sample(as_json(long), as_json(other)), Rules()))
    assert [each[:2] for each in told] == [(("*",), "value"), (("*",), "extra")]


def test_two_names_of_one_thing_are_no_difference() -> None:
    """Each side calls a thing by its own identifier; what else differs still does, and counts."""
    pairs = {("7", "n-7")}

    def are_one(legacy: str, new: str) -> bool:
        return (legacy, new) in pairs

    legacy, new = as_json({"id": 7, "of": "8", "open": True}), as_json({"id": "n-7", "of": "n-8", "open": False})
    found = judge(sample(legacy, new), Rules(), None, are_one)
    assert {each.field for each in found.differences} == {("of",), ("open",)}
    assert {field for (field, _), _ in found.counts} == {("of",), ("open",)}
    same = judge(sample(as_json({"id": 7}), as_json({"id": "n-7"})), Rules(), None, are_one)
    assert (same.verdict, same.differences, same.counts) == ("compared", (), ())
    other = judge(sample(as_json({"id": 7}), as_json({"id": "n-9"})), Rules(), None, are_one)
    assert len(other.differences) == 1
    assert judge(sample(GOOD, GOOD), Rules(), None, are_one).differences == ()
