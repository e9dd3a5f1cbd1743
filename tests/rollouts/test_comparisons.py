"""What comparing has shown is told with the worst first, and what is noise can be let pass by pasting."""

from gateway.core.comparing.differences import OVERFLOW
from gateway.core.comparing.redaction import Kept
from gateway.core.model import LEGACY
from gateway.core.policies import Compare
from gateway.rollouts import comparisons
from gateway.rollouts.comparisons import Reasons, extended, shadow_report
from gateway.rollouts.judging import Judged
from tests.support.reported import AMOUNT, BALANCE, KNOWN, NOON, STAMP, compared, example, seen


def test_a_route_s_comparisons_are_told() -> None:
    """Verdicts are never mixed, and agreement is the part of answers that were right, of those that could be."""
    report = shadow_report(BALANCE, KNOWN)
    assert (report["route"], report["shadow"]) == ("rent-balance", {"share": "25%"})
    assert report["verdicts"] == {
        "matched": 990,
        "mismatched": 8,
        "unsure": 0,
        "candidate_error": 2,
        "control_error": 0,
        "incomparable": 0,
        "skipped": 5,
    }
    assert (report["agreement"]["count"], report["agreement"]["of"]) == (990, 1_000)
    assert report["reasons"] == [
        {"verdict": "candidate_error", "reason": "the candidate answered 500", "count": 2},
        {"verdict": "skipped", "reason": "queue_full", "count": 5},
    ]


def test_what_is_wrong_comes_before_what_may_be_and_what_is_noise() -> None:
    """An operator reads from the top: however often noise differs, it stands below."""
    fields = shadow_report(BALANCE, KNOWN)["fields"]
    assert [(each["pointer"], each["kind"], each["state"]) for each in fields] == [
        ("/lines/*/amount", "value", "wrong"),
        ("/note", "extra", "unsure"),
        ("/generatedAt", "value", "noise"),
    ]


def test_a_field_is_told_with_its_rate_its_times_and_examples() -> None:
    """How often it differed of the answers compared, in which the interval lies, when, and both values side by side."""
    amount = shadow_report(BALANCE, KNOWN)["fields"][0]
    assert (amount["differs"]["count"], amount["differs"]["of"]) == (8, 1_000)
    assert amount["differs"]["low"] < 0.008 < amount["differs"]["high"]
    assert (amount["first_seen"], amount["last_seen"]) == ("2026-11-28T11:00:00+00:00", "2026-11-28T12:00:00+00:00")
    assert amount["asked_twice"] == {"candidate": 8, "control": 0, "all_differ": 0}
    assert amount["examples"] == [
        {
            "seen": "2026-11-28T12:00:00+00:00",
            "at": "/lines/3/amount",
            "legacy": {"type": "number", "length": 5, "hash": "aabbccddeeff0011", "value": None},
            "new": {"type": "number", "length": 5, "hash": "1100ffeeddccbbaa", "value": None},
        }
    ]


def test_a_rate_is_of_the_answers_since_a_field_was_first_seen() -> None:
    """What began an hour ago is not made small by the days before; answers that are still in hand count, too."""
    young = {**KNOWN.fields, AMOUNT: seen(8, 8, 0)._replace(first=NOON + 60)}
    known = KNOWN._replace(fields=young, compared={**KNOWN.compared, 0: 5})
    assert shadow_report(BALANCE, known)["fields"][0]["differs"]["of"] == 605


def test_few_examples_of_each_field_are_told() -> None:
    """The latest three, whatever the store keeps."""
    many = [example(AMOUNT, Kept("number", at), Kept("number", at)) for at in range(5)]
    fields = shadow_report(BALANCE, KNOWN._replace(examples=many))["fields"]
    assert [each["legacy"]["length"] for each in fields[0]["examples"]] == [0, 1, 2]
    assert fields[1]["examples"] == []


def test_what_overflowed_has_no_pointer() -> None:
    """Fields beyond those kept apart stand together, at no place of their own."""
    known = KNOWN._replace(fields={OVERFLOW: seen(3, 0, 0)}, states={OVERFLOW: "unsure"}, examples=[])
    assert [each["pointer"] for each in shadow_report(BALANCE, known)["fields"]] == [""]


def test_rules_are_suggested_for_noise_alone() -> None:
    """The suggestion lets pass what differs from itself, and leaves what is wrong, or may be."""
    assert shadow_report(BALANCE, KNOWN)["suggestion"] == {"ignore": ["/generatedAt"]}
    quiet = KNOWN._replace(states={**KNOWN.states, STAMP: "unsure"})
    assert shadow_report(BALANCE, quiet)["suggestion"] is None


def test_a_suggestion_keeps_what_the_route_says_already() -> None:
    """It is the whole of `compare:`, since two of them in one route are an error."""
    route = compared(Compare(ignore=(("id",),), show=(("total",),)))
    assert shadow_report(route, KNOWN)["suggestion"] == {"ignore": ["/id", "/generatedAt"], "show": ["/total"]}


def test_rules_are_joined_whatever_shape_they_are_written_in() -> None:
    """Lists grow without repeating themselves, and so do mappings; lists that name members stay a mapping."""
    keyed = Compare(unordered=((("lines",), "id"),), tolerance=((("total",), "0.01"),))
    more = {"unordered": ["/tags"], "tolerance": {"/total": "0.05"}, "case": ["/name"]}
    assert extended(keyed, more) == {
        "unordered": {"/lines": "id", "/tags": None},
        "tolerance": {"/total": "0.05"},
        "case": ["/name"],
    }
    assert extended(Compare(ignore=(("id",),)), {"ignore": ["/id"]}) == {"ignore": ["/id"]}


# ------------------------------------------------------------------------------------------------ reasons


def judged(route: str, reason: str) -> Judged:
    return Judged(route, "skipped", LEGACY, NOON, reason=reason)


def test_reasons_are_counted_by_route() -> None:
    """The most frequent come first; what has no reason is none."""
    reasons = Reasons()
    reasons.add([judged("a", "queue_full"), judged("a", "too_large"), judged("a", "too_large"), judged("b", "x")])
    reasons.add([judged("a", "")])
    assert list(reasons.of("a").items()) == [(("skipped", "too_large"), 2), (("skipped", "queue_full"), 1)]


def test_reasons_are_bounded() -> None:
    """Words out of answers cannot fill the memory: beyond a number they are counted together."""
    reasons = Reasons()
    reasons.add(judged("a", f"the candidate's answer {number}") for number in range(comparisons.MOST_REASONS + 5))
    found = reasons.of("a")
    assert len(found) == comparisons.MOST_REASONS + 1
    assert found["skipped", "for other reasons"] == 5
