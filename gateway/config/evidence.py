"""What a route says about evidence: `shadow`, `compare`, `ramp` and `replay`, and the core's values made of them.

What evidence needs of the rest of the route, and of other routes, is looked at in `needs`.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from gateway.config import measures, words
from gateway.config.files import recorded
from gateway.config.kinds import Count, Duration, FieldName, FilePath, Maybe, Spec, text
from gateway.config.problems import Problem
from gateway.config.wording import Entry
from gateway.core.policies import Compare, Guards, Hours, Pointer, Ramp, Replay, Shadow, Stage

Problems = list[Problem]

_A_SHARE = text("A share: 25%, 0.5% or 100%.", pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?%$")
Share = Annotated[int, PlainValidator(words.share), _A_SHARE]
SomeShare = Annotated[int, PlainValidator(measures.some_share), _A_SHARE]
_A_PLACE = text("A JSON pointer (RFC 6901); * is any member or item: /charges/*/amount", examples=["/balance"])
Place = Annotated[Pointer, PlainValidator(measures.pointer), _A_PLACE]
PartOf = Annotated[Pointer, PlainValidator(measures.part_of), _A_PLACE]
Tolerance = Annotated[
    str, PlainValidator(measures.tolerance), WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})
]
Scalar = Annotated[
    str, PlainValidator(measures.scalar), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
]
Times = Annotated[float, PlainValidator(measures.times), text("So many times as long: 1.2x.")]


class ShadowSpec(Spec):
    """A share of the requests is copied to the side that does not serve; its answer is compared and dropped."""

    share: SomeShare
    """How many requests are copied."""
    noise: Maybe[Share] = None
    """After how many of the copies the serving side is asked again, to learn which fields differ anyway. Default 5%."""
    sandbox: bool = Shadow(0).sandbox
    """Whether the copies may write: then unsafe requests are copied, too."""
    timeout: Maybe[Duration] = None
    """All the time that a copy may take. Default 10s."""


class CompareSpec(Spec):
    """How two answers are compared. Places are JSON pointers, in which * is any member or item."""

    ignore: list[PartOf] = Field(default=[])
    """Places that are not compared."""
    unordered: Annotated[
        Annotated[list[Place], Tag("<list>")]
        | Annotated[dict[Place, Annotated[str, Field(min_length=1)] | None], Tag("<mapping>")],
        Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<list>"),
    ] = Field(default=[])
    """Lists whose order means nothing: places, or places with the member that tells the items apart (null: none)."""
    tolerance: dict[Place, Tolerance] = Field(default={})
    """Numbers, each with the largest difference that does not count."""
    same_instant: list[Place] = Field(default=[])
    """Dates and times that may be written in different ways."""
    case: list[Place] = Field(default=[])
    """Texts in which upper and lower case are the same."""
    absent_is_null: list[Place] = Field(default=[])
    """Members that may be left out where the other side says null."""
    map: dict[Place, dict[str, Scalar]] = Field(default={})
    """Values of legacy, each with what the new side says instead."""
    headers: Maybe[list[FieldName]] = None
    """The headers that are compared. Default: content-type and location."""
    show: list[Place] = Field(default=[])
    """Places whose values may be kept and shown. Default: none, only what kind of value it was."""
    redact: list[Place] = Field(default=[])
    """Places of which nothing is kept."""


class HoursSpec(Spec):
    """When a ramp may go on. Back it goes at any time."""

    days: Maybe[
        Annotated[
            tuple[int, ...],
            PlainValidator(measures.days),
            WithJsonSchema(
                {
                    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
                    "description": "Mon-Fri, Sat, or a list of such.",
                }
            ),
        ]
    ] = None
    """Default: Mon-Fri."""
    hours: Maybe[Annotated[tuple[int, int], PlainValidator(measures.hours), text("09:00-17:00")]] = None
    """Default: the whole day."""
    timezone: Maybe[Annotated[str, PlainValidator(words.time_zone), text("Europe/London")]] = None
    """Default: UTC."""


class GuardsSpec(Spec):
    """What must hold for a ramp to go on, and what turns it back."""

    parity: Annotated[float | None, PlainValidator(measures.parity), text("99.5% or off.")] = Guards().parity
    """The part of compared answers that must be right; off: it does not count. Default 99.5%."""
    errors: Annotated[float | None, PlainValidator(measures.more_errors), text("+0.5% or off.")] = Guards().errors
    """How many more of the new side's requests may fail than of legacy's; off: it does not count. Default +0.5%."""
    latency_p50: Maybe[Times] = None
    """How many times as long as legacy's the new side's median may be."""
    latency_p90: Maybe[Times] = None
    """The same for the time that nine of ten requests stay within."""
    latency_p95: Maybe[Times] = None
    """The same for 95 of 100. This one is the default: 1.2x."""
    latency_p99: Maybe[Times] = None
    """The same for 99 of 100."""
    latency: Maybe[Annotated[str, PlainValidator(measures.off), WithJsonSchema({"const": "off", "type": "string"})]] = (
        None
    )
    """off: the time that answers take does not count."""
    samples: Count = Guards().samples
    """How many answers must be judged in each stage. Default 1000."""


class RampSpec(Spec):
    """The stages in which `serve: ramp` moves the reads to the new side, and the evidence that each needs."""

    stages: Maybe[Annotated[list[SomeShare], Field(min_length=1)]] = None
    """The shares, rising; the last may be less than 100%. Default: 1%, 5%, 25%, 50%, 100%."""
    every: Maybe[Duration] = None
    """How long each stage lasts at least. Default 30m."""
    only: Maybe[HoursSpec] = None
    """When it may go on. Default: at any time."""
    approve_at: list[SomeShare] = Field(default=[])
    """The stages that begin only when a person has approved."""
    guards: GuardsSpec = GuardsSpec.model_construct()
    on_breach: Literal["roll_back", "pause"] = Ramp().on_breach
    """What happens when a guard does not hold: roll_back (the default) to legacy at once, or pause where it is."""


class ReplaySpec(Spec):
    """Recorded requests that are sent to both sides every day, and the answers compared."""

    source: FilePath = Field(alias="from")
    """The file of recorded requests: a HAR, such as `banyan capture` writes."""
    daily: Annotated[int, PlainValidator(measures.time_of_day), text("A time of day, in UTC: 02:30")]
    """When they are sent: a time of day, in UTC."""


ShadowShape = Annotated[
    Annotated[SomeShare, Tag("<share>")] | Annotated[ShadowSpec, Tag("<mapping>")],
    Discriminator(lambda value: "<mapping>" if isinstance(value, dict) else "<share>"),
]

# ------------------------------------------------------------------------------------------------ the core's values


def shadow_of(spec: int | ShadowSpec | None) -> Shadow | None:
    if not isinstance(spec, ShadowSpec):
        return None if spec is None else Shadow(spec)
    return Shadow(spec.share, sandbox=spec.sandbox)._replace(**_given(spec, "noise", "timeout"))


def compare_of(spec: CompareSpec | None, entry: Entry, problems: Problems) -> Compare:
    if spec is None:
        return Compare()
    for at, place in enumerate(spec.show):
        if place in spec.redact:
            message = "{written} is under `redact`, too, so nothing of it is kept; write it in one of them"
            problems.append(entry.problem(("compare", "show", at), message))
    unordered = spec.unordered if isinstance(spec.unordered, dict) else dict.fromkeys(spec.unordered)
    return Compare(
        ignore=tuple(spec.ignore),
        unordered=tuple((place, member or "") for place, member in unordered.items()),
        tolerance=tuple(spec.tolerance.items()),
        same_instant=tuple(spec.same_instant),
        case=tuple(spec.case),
        absent_is_null=tuple(spec.absent_is_null),
        map=tuple((place, tuple(values.items())) for place, values in spec.map.items()),
        headers=Compare().headers if spec.headers is None else tuple(spec.headers),
        show=tuple(spec.show),
        redact=tuple(spec.redact),
    )


def ramp_of(spec: RampSpec | None, entry: Entry, problems: Problems) -> Ramp | None:
    if spec is None:
        return None
    shares = tuple(spec.stages or (stage.share for stage in Ramp().stages))
    for at, (share, before) in enumerate(zip(shares[1:], shares, strict=False), 1):
        if share <= before:
            message = f"{{written}} does not come after {before / 100:g}%; stages rise"
            problems.append(entry.problem(("ramp", "stages", at), message))
    for at, share in enumerate(spec.approve_at):
        if share not in shares:
            told = ", ".join(f"{each / 100:g}%" for each in shares)
            message = f"{{written}} is not one of the stages; they are {told}"
            problems.append(entry.problem(("ramp", "approve_at", at), message))
    return Ramp(
        stages=tuple(Stage(share, share in spec.approve_at) for share in shares),
        only=_hours(spec.only),
        guards=_guards(spec.guards, entry, problems),
        on_breach=spec.on_breach,
    )._replace(**_given(spec, "every"))


def _hours(spec: HoursSpec | None) -> Hours | None:
    if spec is None:
        return None
    begin, end = spec.hours or (Hours().begin, Hours().end)
    return Hours(begin=begin, end=end)._replace(**_given(spec, "days", "timezone"))


def _guards(spec: GuardsSpec, entry: Entry, problems: Problems) -> Guards:
    guards = Guards(parity=spec.parity, errors=spec.errors, samples=spec.samples)
    latency = [name for name in GuardsSpec.model_fields if name.startswith("latency") and name in spec.model_fields_set]
    if not latency:
        return guards
    for name in latency[1:]:
        message = f"`{latency[0]}` is there, too; one of them is looked at, keep that"
        problems.append(entry.key_problem(("ramp", "guards", name), message))
    if spec.latency is not None:
        return guards._replace(latency=None)
    return guards._replace(
        latency=getattr(spec, latency[0]), percentile=int(latency[0].removeprefix("latency_p")) / 100
    )


def replay_of(spec: ReplaySpec | None, entry: Entry, problems: Problems) -> Replay | None:
    if spec is None:
        return None
    return Replay(recorded(spec.source, entry, ("replay", "from"), problems), spec.daily)


def _given(spec: Spec, *names: str) -> dict[str, Any]:
    """The settings that were written."""
    return {name: getattr(spec, name) for name in names if name in spec.model_fields_set}
