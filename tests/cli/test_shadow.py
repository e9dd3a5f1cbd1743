"""`banyan shadow` shows what comparing has found, and suggests rules that can be pasted as they are."""

import json
from pathlib import Path

import pytest

from gateway.config.check import load
from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.redaction import Kept
from gateway.core.policies import Compare
from gateway.rollouts.comparisons import Known, shadow_report
from gateway.rollouts.judging import Seen
from tests.admin.fakes import FakeSteering
from tests.cli.conftest import Banyan
from tests.support.reported import AMOUNT, BALANCE, KNOWN, STAMP, compared, example

FRAME = {"since": "2026-11-27T12:00:00+00:00", "hours": 24, "store": ""}
NOTHING = Known({}, {}, {}, {}, {}, [])


@pytest.fixture
def told(steering: FakeSteering) -> FakeSteering:
    steering.desk.shadow_told = shadow_report(BALANCE, KNOWN) | FRAME
    return steering


def test_comparisons_are_shown(banyan: Banyan, told: FakeSteering) -> None:
    """Verdicts, reasons, then field by field, worst first, with both values side by side: legacy | new."""
    assert banyan("shadow", "rent-balance").out.splitlines() == [
        "rent-balance, since 2026-11-27 12:00 UTC",
        "  verdicts   990 matched, 8 mismatched, 2 candidate error, 5 skipped",
        "  agreement  990 of 1,000 answers, 99 % (98.17-99.46 %)",
        "  candidate error: 2, the candidate answered 500",
        "  skipped: 5, queue_full",
        "",
        "/lines/*/amount (value): wrong, differs more often than from itself",
        "  8 of 1,000 answers, 0.8 % (0.41-1.57 %), 2026-11-28 11:00 UTC to 2026-11-28 12:00 UTC",
        "  /lines/3/amount  number, 5 characters, #aabbccdd  |  number, 5 characters, #1100ffee",
        "",
        "/note (extra): unsure, too few answers to tell it from noise",
        "  2 of 1,000 answers, 0.2 % (0.05-0.73 %), 2026-11-28 11:00 UTC to 2026-11-28 12:00 UTC",
        "  /note  absent  |  object, 3 members",
        "",
        "/generatedAt (value): noise, differs from itself, too",
        "  1,000 of 1,000 answers, 100 % (99.62-100 %), 2026-11-28 11:00 UTC to 2026-11-28 12:00 UTC",
        '  /generatedAt  "2026-11-28T12:00:00Z"  |  "2026-11-28T12:00:01Z"',
    ]


def test_values_stand_below_each_other(banyan: Banyan, steering: FakeSteering) -> None:
    """Of several examples the columns are aligned; numbers that may be shown stand as they are."""
    examples = [
        example(AMOUNT, Kept("number", 1, "a", "9"), Kept("null")),
        example(AMOUNT, Kept("number", 6, "b", "100.25"), Kept("redacted")),
    ]
    steering.desk.shadow_told = shadow_report(BALANCE, KNOWN._replace(examples=examples)) | FRAME
    assert banyan("shadow", "rent-balance").out.splitlines()[8:10] == [
        "  /lines/3/amount  9       |  null",
        "  /lines/3/amount  100.25  |  redacted",
    ]


def test_a_route_that_is_not_compared_says_what_to_add(banyan: Banyan, steering: FakeSteering) -> None:
    """Without a shadow there is nothing to see, and one line in the file changes that."""
    steering.desk.shadow_told = shadow_report(BALANCE._replace(shadow=None), NOTHING) | FRAME
    assert banyan("shadow", "rent-balance").out.splitlines()[1:] == [
        "  It has no `shadow`, so nothing is copied and compared. Add to the route: shadow: 10%",
        "  verdicts   none",
    ]


def test_many_fields_are_cut_short(banyan: Banyan, steering: FakeSteering) -> None:
    """The worst fields are shown, and how to see the rest is told."""
    fields: dict[FieldKind, Seen] = {((f"f{number}",), AMOUNT[1]): KNOWN.fields[AMOUNT] for number in range(23)}
    known = KNOWN._replace(fields=fields, states=dict.fromkeys(fields, "wrong"), examples=[])
    steering.desk.shadow_told = shadow_report(BALANCE, known) | FRAME
    assert banyan("shadow", "rent-balance").out.splitlines()[-1] == ("3 fields more: banyan shadow rent-balance --json")


def test_names_out_of_answers_order_a_terminal_nothing(banyan: Banyan, steering: FakeSteering) -> None:
    """Field names come from backends: escape sequences and line ends in them are shown, never carried out."""
    key: FieldKind = (("a\x1b[2J\nserve: new",), "value")
    known = KNOWN._replace(
        fields={key: KNOWN.fields[STAMP]},
        states={key: "noise"},
        examples=[example(key, Kept("string", 1, "", "\x1b]0;"), Kept("number", 1, "", "1"))],
        reasons={("incomparable", "is \x1b[2J"): 1},
    )
    steering.desk.shadow_told = shadow_report(BALANCE, known) | FRAME
    for arguments in ((), ("--suggest",)):
        out = banyan("shadow", "rent-balance", *arguments).out
        assert "\x1b" not in out
        assert "/a\\x1b[2J\\nserve: new (value)" in out


def test_hours_are_asked_for(banyan: Banyan, told: FakeSteering) -> None:
    """A day, or as long as asked."""
    banyan("shadow", "rent-balance")
    banyan("shadow", "rent-balance", "--hours", "2")
    assert told.desk.asked == [("shadow", "rent-balance", 24), ("shadow", "rent-balance", 2)]


def test_without_the_store_it_says_that_this_is_not_all(banyan: Banyan, told: FakeSteering) -> None:
    """What the store has cannot be told while it is down, and that is said."""
    told.desk.shadow_told["store"] = "disk full"
    ran = banyan("shadow", "rent-balance")
    assert (ran.code, ran.err) == (0, "Only what the store has not been told yet: disk full\n")
    assert json.loads(banyan("shadow", "rent-balance", "--json").out) == told.desk.shadow_told


# ------------------------------------------------------------------------------------------------ rules to paste


def test_rules_are_suggested(banyan: Banyan, told: FakeSteering) -> None:
    """What is noise and what stays stands in comments, so that all of it can be pasted."""
    assert banyan("shadow", "rent-balance", "--suggest").out.splitlines() == [
        "    # differs from itself, too: /generatedAt (value)",
        "    # stays, differs more often than from itself: /lines/*/amount (value)",
        "    # stays, too few answers to tell it from noise: /note (extra)",
        "    compare:",
        "      ignore: [/generatedAt]",
    ]


def test_nothing_to_suggest_is_said(banyan: Banyan, steering: FakeSteering) -> None:
    """No rule is made up where nothing is known to be noise."""
    steering.desk.shadow_told = shadow_report(BALANCE, NOTHING) | FRAME
    assert banyan("shadow", "rent-balance", "--suggest").out == (
        "    # nothing that differs in rent-balance is known to be noise\n"
    )


def test_what_is_suggested_can_be_pasted(banyan: Banyan, folder: Path, steering: FakeSteering) -> None:
    """Pasted below a route, a suggestion of any rule is taken, and says what the route said before and the rules."""
    before = Compare(
        ignore=(("id",),), unordered=((("lines",), "id"),), show=(("total",), ("a: b#", "*")), headers=(b"etag",)
    )
    milder = {"tolerance": "0.01", "case": "", "same_instant": "", "unordered": "", "absent_is_null": ""}
    noise = {((f"{name}~/: #",), STAMP[1]): (name, setting) for name, setting in milder.items()}
    fields = dict.fromkeys([*noise, STAMP], KNOWN.fields[STAMP])
    examples = [example(key, Kept("string"), Kept("string"), remedy) for key, remedy in noise.items()]
    written = [
        each._replace(field=f"/{key[0][0].replace('~', '~0').replace('/', '~1')}")
        for each, key in zip(examples, noise, strict=True)
    ]
    known = KNOWN._replace(fields=fields, states=dict.fromkeys(fields, "noise"), examples=written)
    steering.desk.shadow_told = shadow_report(compared(before), known) | FRAME
    pasted = banyan("shadow", "rent-balance", "--suggest").out
    path = folder / "routes.yaml"
    path.write_text(path.read_text().replace("    serve: 25% new\n", f"    serve: 25% new\n    shadow: 5%\n{pasted}"))
    after = next(route.compare for route in load(path, {}).estate.routes if route.name == "list")
    assert after.ignore == (("id",), ("generatedAt",))
    assert after.unordered == ((("lines",), "id"), (("unordered~/: #",), ""))
    assert after.tolerance == ((("tolerance~/: #",), "0.01"),)
    assert after.case == (("case~/: #",),)
    assert after.same_instant == (("same_instant~/: #",),)
    assert after.absent_is_null == (("absent_is_null~/: #",),)
    assert (after.show, after.headers) == (before.show, before.headers)
