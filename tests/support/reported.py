"""A ramp in its second stage, an override, and what comparing has shown of a route: what reports are made from."""

from gateway.core.comparing.differences import FieldKind
from gateway.core.comparing.noise import FieldCount
from gateway.core.comparing.redaction import ABSENT_KEPT, Example, Kept
from gateway.core.comparing.rules import compiled
from gateway.core.evidence import Attempts, Evidence
from gateway.core.histogram import Histogram
from gateway.core.model import Route, Serve
from gateway.core.policies import Compare, Ramp, Shadow, Stage
from gateway.core.positions import Position, State, settings_of, share_of
from gateway.rollouts.comparisons import Known
from gateway.rollouts.judging import Seen
from gateway.rollouts.standings import RampOf
from gateway.store import values
from gateway.store.values import Override
from tests.support.values import route

NOON = 1_795_867_200.0
"""2026-11-28, 12:00 UTC."""
RAMP = Ramp(stages=(Stage(100), Stage(2_500), Stage(5_000, approve=True), Stage(10_000)))
BALANCE = route(
    "GET /rents/{account}", Serve.RAMP, name="rent-balance", journey="rents", shadow=Shadow(2_500), ramp=RAMP
)
RENTS = RampOf("rents", RAMP, (BALANCE,))
STAMP: FieldKind = (("generatedAt",), "value")
AMOUNT: FieldKind = (("lines", "*", "amount"), "value")
NOTE: FieldKind = (("note",), "extra")


def position(state: State = State.CLIMBING, stage: int = 1, approved: tuple[int, ...] = ()) -> Position:
    """Where the ramp of `rents` stands."""
    share = share_of(RAMP, stage)
    return Position("rents", settings_of(RAMP), state, stage, share, NOON - 600, 3, approved, "nothing is missing")


def attempts(number: int, errors: int, seconds: float) -> Attempts:
    """Attempts that all took as long."""
    latency = Histogram()
    for _ in range(number - errors):
        latency.add(seconds)
    return Attempts(number, errors, latency)


SEEN = Evidence(
    matched=990,
    mismatched=8,
    candidate_error=2,
    skipped=5,
    shapes={"200 empty": 90, "200 many": 900},
    requests=500,
    full=450,
    wrong=4,
    legacy=attempts(300, 3, 0.100),
    new=attempts(100, 2, 0.110),
)
OVERRIDE = Override("rent-balance", 0, "legacy", "500s since 02:40", "ann", NOON - 60, NOON + 7_200, "ramp")


def seen(differs: int, candidate: int, control: int) -> Seen:
    """A field that differed since an hour ago, with the outcome of asking twice."""
    return Seen(FieldCount(differs, candidate, control), NOON - 3_600, NOON)


def example(key: FieldKind, legacy: Kept, new: Kept, remedy: tuple[str, str] = ("ignore", "")) -> values.Example:
    """An example as the store has it."""
    field = "/" + "/".join(key[0])
    kept = Example(field, field.replace("*", "3"), key[1], legacy, new, remedy)
    return values.Example("rent-balance", field, key[1], NOON, kept.plain())


KNOWN = Known(
    verdicts={"matched": 990, "mismatched": 8, "candidate_error": 2, "skipped": 5},
    reasons={("candidate_error", "the candidate answered 500"): 2, ("skipped", "queue_full"): 5},
    compared={int(NOON) - 3_600: 400, int(NOON): 600},
    fields={STAMP: seen(1_000, 20, 30), NOTE: seen(2, 0, 0), AMOUNT: seen(8, 8, 0)},
    states={STAMP: "noise", NOTE: "unsure", AMOUNT: "wrong"},
    examples=[
        example(AMOUNT, Kept("number", 5, "aabbccddeeff0011"), Kept("number", 5, "1100ffeeddccbbaa")),
        example(
            STAMP, Kept("string", 20, "a1", "2026-11-28T12:00:00Z"), Kept("string", 20, "b2", "2026-11-28T12:00:01Z")
        ),
        example(NOTE, ABSENT_KEPT, Kept("object", 3)),
    ],
)


def compared(rules: Compare) -> Route:
    """The route of RENTS with rules of its own, which compile."""
    compiled(rules)
    return BALANCE._replace(compare=rules)
