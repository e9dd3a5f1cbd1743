import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import words
from gateway.config.told import duration_text, in_one_line, share_text, told
from gateway.core.policies import (
    CachePolicy,
    Compare,
    Crosswalk,
    Guards,
    Health,
    Hours,
    Idempotency,
    Keep,
    Otlp,
    Ramp,
    Replay,
    Shadow,
    Stage,
    StoreSettings,
    Way,
    Webhook,
    Writes,
)


@pytest.mark.parametrize(
    ("value", "document"),
    [
        (Shadow(25), {"share": "0.25%"}),
        (Shadow(2500, 0, True, 1.5), {"share": "25%", "noise": "0%", "sandbox": True, "timeout": "1s500ms"}),
        (Compare(), {}),
        (
            Compare(ignore=(("a/b", "*"),), unordered=((("c",), ""),), headers=(), redact=((),)),
            {"ignore": ["/a~1b/*"], "unordered": ["/c"], "headers": [], "redact": [""]},
        ),
        (
            Compare(
                unordered=((("c",), "id"), (("d",), "")), tolerance=((("e",), "0.5"),), map=((("f",), (("A", "a"),)),)
            ),
            {"unordered": {"/c": "id", "/d": None}, "tolerance": {"/e": "0.5"}, "map": {"/f": {"A": "a"}}},
        ),
        (Ramp(), {"stages": ["1%", "5%", "25%", "50%", "100%"]}),
        (
            Ramp((Stage(50), Stage(100, True)), 60.0, Hours((0, 6), 540, 1440), Guards(None, None, None), "pause"),
            {
                "stages": ["0.5%", "1%"],
                "every": "1m",
                "only": {"days": ["Mon", "Sun"], "hours": "09:00-24:00", "timezone": "UTC"},
                "approve_at": ["1%"],
                "guards": {"parity": "off", "errors": "off", "latency": "off"},
                "on_breach": "pause",
            },
        ),
        (
            Ramp((Stage(100),), guards=Guards(0.9995, 0.01, 2.0, 0.99, 9000)),
            {
                "stages": ["1%"],
                "guards": {"parity": "99.95%", "errors": "+1%", "latency_p99": "2x", "samples": 9000},
            },
        ),
        (Replay("/r.har", 150), {"from": "/r.har", "daily": "02:30"}),
        (Writes("legacy", 5.0), {"record": "legacy", "settle": "5s"}),
        (CachePolicy(60.0, 3_600.0, (b"cookie",)), {"ttl": "1m", "stale_if_error": "1h", "vary": ["cookie"]}),
        (CachePolicy(60.0, key=(b"a", b"b.c")), {"ttl": "1m", "stale_if_error": "0s", "key": ["query.a", "query.b.c"]}),
        (CachePolicy(60.0, key=()), {"ttl": "1m", "stale_if_error": "0s", "key": []}),
        (Health(b"/readyz", 5.0), {"path": "/readyz", "every": "5s"}),
        (Idempotency(3_600.0, True), {"keep": "1h", "required": True}),
        (
            Crosswalk("t", Way("response", ("id",)), Way("response", ("a", "b")), (Way("path", ("id",)),)),
            {"name": "t", "legacy": "response.id", "new": "response.a.b", "at": ["path.id"]},
        ),
        (
            Writes(copy=True, queue=True, key=Way("body", ("a", "b")), give_up=60.0),
            {"copy": True, "when_down": "queue", "key": "body.a.b", "give_up": "1m"},
        ),
        (
            Webhook("https://hooks.example/s3cret", b"s3cret", ("held",)),
            {"url": "https://hooks.example/***", "secret": "***", "events": ["held"]},
        ),
        (
            Otlp("https://otlp.example/s3cret", (("Authorization", "s3cret"),), None, 90.0),
            {
                "endpoint": "https://otlp.example/***",
                "headers": {"Authorization": "***"},
                "traces": "off",
                "metrics": "1m30s",
            },
        ),
        (Otlp("http://c:4318", (), 25, None), {"endpoint": "http://c:4318", "traces": "0.25%", "metrics": "off"}),
        (Keep(events=90.0, examples=0), {"events": "1m30s", "examples": 0}),
        (StoreSettings("postgresql://u:s3cret@h/d", False), {"url": "postgresql://***@h/d", "upgrade": "manual"}),
        (StoreSettings(), {}),
    ],
)
def test_settings_are_told_in_the_words_of_the_file(value: object, document: dict[str, object]) -> None:
    """What differs from the defaults is told, as a person would write it, without secrets."""
    assert told(value) == document


@given(st.integers(1, 365 * 86_400_000))
def test_a_duration_is_told_as_it_is_read(milliseconds: int) -> None:
    """To the last thousandth of a second."""
    assert words.duration(duration_text(milliseconds / 1_000)) == pytest.approx(milliseconds / 1_000)


@given(st.integers(0, 10_000))
def test_a_share_is_told_as_it_is_read(share: int) -> None:
    """To the last of 10,000 buckets."""
    assert words.share(share_text(share)) == share


def test_no_time_at_all_is_told() -> None:
    """A value that nobody can write is still readable."""
    assert duration_text(0.0) == "0s"


def test_values_stand_in_one_line() -> None:
    """As they would in the file, in flow style."""
    value = {"a": [1, 2.5, "x", True, False], "b": {"c": None, "d": ""}}
    assert in_one_line(value) == '{a: [1, 2.5, x, true, false], b: {c: null, d: ""}}'
