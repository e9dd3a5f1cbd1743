from pathlib import Path

import pytest

from gateway.core.model import Serve
from gateway.core.policies import Compare, Guards, Hours, Ramp, Replay, Shadow, Stage
from tests.config.files import route, route_problems

BOTH = "name: a, match: GET /a, legacy: office, new: repairs"
RAMP = f"{BOTH}, serve: ramp, shadow: 25%"


def test_a_shadow_is_a_share(tmp_path: Path) -> None:
    """A share alone is enough; the rest has defaults."""
    assert route(tmp_path, f"{BOTH}, shadow: 0.5%").shadow == Shadow(50)
    assert route(tmp_path, BOTH).shadow is None


def test_a_shadow_with_everything(tmp_path: Path) -> None:
    """Every key of a shadow arrives."""
    written = "{share: 100%, noise: 0%, sandbox: true, timeout: 5s}"
    assert route(tmp_path, f"{BOTH}, shadow: {written}").shadow == Shadow(10_000, 0, True, 5.0)
    assert route(tmp_path, f"{BOTH}, shadow: {{share: 1%}}").shadow == Shadow(100)


def test_comparing_with_everything(tmp_path: Path) -> None:
    """Every rule arrives with its places as tokens."""
    found = route(
        tmp_path,
        f"""{BOTH}, compare: {{ignore: [/generatedAt, /a~1b], unordered: [/charges, ""], tolerance: {{/balance: 0.005}},
        same_instant: [/due], case: [/name/*], absent_is_null: [/note],
        map: {{/status: {{A: active, 1: true, B: null}}}}, headers: [ETag], show: [/status],
        redact: [/tenant]}}""".replace("\n", " "),
    )
    assert found.compare == Compare(
        ignore=(("generatedAt",), ("a/b",)),
        unordered=((("charges",), ""), ((), "")),
        tolerance=((("balance",), "0.005"),),
        same_instant=(("due",),),
        case=(("name", "*"),),
        absent_is_null=(("note",),),
        map=((("status",), (("A", "active"), ("1", "true"), ("B", "null"))),),
        headers=(b"etag",),
        show=(("status",),),
        redact=(("tenant",),),
    )


def test_lists_may_have_keys(tmp_path: Path) -> None:
    """Items are told apart by a member where one is named, and by themselves where it is null."""
    found = route(tmp_path, f"{BOTH}, compare: {{unordered: {{/charges: id, /tags: null}}}}").compare
    assert found == Compare(unordered=((("charges",), "id"), (("tags",), "")))


def test_headers_are_the_usual_ones_or_those_named(tmp_path: Path) -> None:
    """Without a word about headers two are compared; an empty list means none."""
    assert route(tmp_path, f"{BOTH}, compare: {{}}").compare == Compare()
    assert route(tmp_path, f"{BOTH}, compare: {{headers: []}}").compare == Compare(headers=())


def test_a_ramp_of_defaults(tmp_path: Path) -> None:
    """`serve: ramp` alone has the usual stages and guards; a ramp may stand ready before it serves."""
    assert (route(tmp_path, RAMP).serve, route(tmp_path, RAMP).ramp) == (Serve.RAMP, Ramp())
    assert route(tmp_path, BOTH).ramp is None
    assert route(tmp_path, f"{BOTH}, ramp: {{}}").ramp == Ramp()


def test_a_ramp_with_everything(tmp_path: Path) -> None:
    """Every key of a ramp arrives; it may stop below 100 %."""
    found = route(
        tmp_path,
        f"""{RAMP}, ramp: {{stages: [0.5%, 10%, 50%], every: 1h, approve_at: [10%, 50%],
        only: {{days: [Mon, Thu-Fri], hours: "09:00-17:00", timezone: Europe/London}},
        guards: {{parity: 99%, errors: +1%, latency_p99: 2x, samples: 500}}, on_breach: pause}}""".replace("\n", " "),
    )
    assert found.ramp == Ramp(
        stages=(Stage(50), Stage(1000, True), Stage(5000, True)),
        every=3600.0,
        only=Hours((0, 3, 4), 540, 1020, "Europe/London"),
        guards=Guards(0.99, 0.01, 2.0, 0.99, 500),
        on_breach="pause",
    )


@pytest.mark.parametrize(
    ("written", "guards"),
    [
        ("{parity: off, errors: off, latency: off}", Guards(None, None, None)),
        ("{latency_p50: 1.5x}", Guards(latency=1.5, percentile=0.5)),
        ("{latency_p90: 3x}", Guards(latency=3.0, percentile=0.9)),
        ("{latency_p95: 1.2x}", Guards()),
    ],
)
def test_guards_may_be_off(tmp_path: Path, written: str, guards: Guards) -> None:
    """What does not count is off; one percentile is looked at."""
    ramp = route(tmp_path, f"{BOTH}, serve: ramp, shadow: 1%, ramp: {{guards: {written}}}").ramp
    assert ramp is not None
    assert ramp.guards == guards


def test_times_to_go_on_have_defaults(tmp_path: Path) -> None:
    """Working days, the whole day, UTC."""
    ramp = route(tmp_path, f"{RAMP}, ramp: {{only: {{hours: '22:00-06:00'}}}}").ramp
    assert ramp is not None
    assert ramp.only == Hours((0, 1, 2, 3, 4), 1320, 360, "UTC")


def test_recorded_requests_are_named_from_the_file(tmp_path: Path) -> None:
    """The file stands beside routes.yaml; the time is UTC."""
    (tmp_path / "recorded.har").write_text('{"log": {"entries": []}}')
    found = route(tmp_path, f'{BOTH}, replay: {{from: recorded.har, daily: "02:30"}}').replay
    assert found == Replay(str(tmp_path / "recorded.har"), 150)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("shadow: 25", "route a: shadow: '25' is not a share; write 25%, or 0.25% (two decimals at most)"),
        ("shadow: 0%", "route a: shadow: '0%' is none at all; write 1%, or leave it out"),
        ("shadow: 101%", "route a: shadow: '101%' is more than everything; write 100% at most"),
        ("shadow: [25%]", "route a: shadow: cannot be a list"),
        ("shadow: {noise: 5%}", "route a: shadow: `share` is missing"),
        ("shadow: {share: 5%, nois: 5%}", "route a: shadow: `nois` is not a key here; did you mean `noise`?"),
        (
            "compare: {ignore: [generatedAt]}",
            (
                "route a: compare.ignore[1]: 'generatedAt' is not a place in an answer; "
                'write /balance, /charges/*/amount, or "" for all of it'
            ),
        ),
        (
            "compare: {tolerance: {/a: [1]}}",
            "route a: compare.tolerance./a: must be text here, not a list or mapping",
        ),
        (
            "compare: {tolerance: {a: 1}}",
            (
                "route a: compare.tolerance: `a` is not a place in an answer; "
                'write /balance, /charges/*/amount, or "" for all of it'
            ),
        ),
        (
            "compare: {show: [/a, /b], redact: [/b]}",
            "route a: compare.show[2]: '/b' is under `redact`, too, so nothing of it is kept; write it in one of them",
        ),
        ("ramp: {stages: []}", "route a: ramp.stages: must not be empty"),
        (
            "ramp: {stages: [1%, 5%, 5%]}",
            "route a: ramp.stages[3]: '5%' does not come after 5%; stages rise",
        ),
        (
            "ramp: {approve_at: [20%]}",
            "route a: ramp.approve_at[1]: '20%' is not one of the stages; they are 1%, 5%, 25%, 50%, 100%",
        ),
        (
            "ramp: {guards: {latency_p50: 1.2x, latency: off}}",
            "route a: ramp.guards: `latency_p50` is there, too; one of them is looked at, keep that",
        ),
        (
            "ramp: {guards: {latency: 1.2x}}",
            "route a: ramp.guards.latency: '1.2x' needs a percentile; write `latency_p95: 1.2x`, or `latency: off`",
        ),
        ("ramp: {guards: {parity: }}", "route a: ramp.guards.parity: has no value; give it one, or leave the key out"),
        (
            "ramp: {on_breach: stop}",
            "route a: ramp.on_breach: 'stop' is not possible here; write 'roll_back' or 'pause'",
        ),
        (
            "ramp: {only: {timezone: Europe/Londonn}}",
            "route a: ramp.only.timezone: 'Europe/Londonn' is no time zone that is known here; write Europe/London",
        ),
        ('replay: {daily: "02:30"}', "route a: replay: `from` is missing"),
        ('replay: {form: x, daily: "02:30"}', "route a: replay: `form` is not a key here; did you mean `from`?"),
    ],
)
def test_problems_are_told_in_the_words_of_the_file(tmp_path: Path, fields: str, message: str) -> None:
    """A person reads which key, what is wrong with it, and what to write."""
    assert message in route_problems(tmp_path, f"{BOTH}, {fields}")


def test_a_broken_shadow_is_not_also_missing(tmp_path: Path) -> None:
    """What evidence needs of a key that is only misspelt is not complained about as well."""
    assert route_problems(tmp_path, f"{BOTH}, serve: ramp, shadow: 25") == [
        "route a: shadow: '25' is not a share; write 25%, or 0.25% (two decimals at most)"
    ]
    assert route_problems(tmp_path, f"name: a, match: GET /a, serve: retired, shadow: 25, path: {'{}'}") == [
        "route a: shadow: '25' is not a share; write 25%, or 0.25% (two decimals at most)",
        "route a: path: cannot be a mapping",
    ]
