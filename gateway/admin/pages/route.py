"""One route: may it go further? What it waits for, its stages, each guard with what is needed and what is seen, both
sides over time, the fields that differ, and how it came to be as it is."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from aiohttp import web

from gateway.access.refusals import Refusal
from gateway.admin.estate import route_document
from gateway.admin.levers import route_standing, tag_of
from gateway.admin.pages import wording
from gateway.admin.pages.figures import FLUSHED, NOTHING, Answered, Parity, Series
from gateway.admin.pages.needs import needs_of, waiting_of
from gateway.admin.pages.rendering import GAUGE, Looking, looking, page
from gateway.admin.pages.routes import Row, row_of
from gateway.core.model import SERVED
from gateway.core.statistics import Interval
from gateway.errors import CommandError

WINDOW = 3 * wording.HOUR
STEPS = 36
EVENTS = 50


class Slot(NamedTuple):
    """Both sides in one step of time; `step` its seconds."""

    at: float
    step: float
    new: Answered
    legacy: Answered
    parity: Parity | None

    def rate(self, side: str) -> float:
        """Requests a minute."""
        answered: Answered = getattr(self, side)
        return answered.requests * 60 / self.step


class Guard(NamedTuple):
    """One guard of a stage: what it needs, what there is, where that lies with 95 % certainty, and the verdict."""

    name: str
    needs: str
    now: Any
    interval: str
    met: bool
    missing: str = ""


class Stage(NamedTuple):
    """One step of a ramp: `state` is done, now, next or later."""

    share: float
    state: str
    approve: bool
    told: str


def found(look: Looking) -> Row:
    """The route that the address names. Raises Refusal."""
    name = look.request.match_info["name"]
    row = row_of(look, name)
    if row is None:
        raise Refusal(404, f"There is no route {name!r}. Perhaps the file that names it is not the one that serves.")
    return row


def ramp_of(look: Looking, name: str) -> dict[str, Any] | None:
    """The ramp that a route is on, if it is on one."""
    return next((each for each in look.ramps if name in each["routes"]), None)


def frame(look: Looking, row: Row, tab: str) -> dict[str, Any]:
    """What all tabs of a route's page show."""
    ramp = ramp_of(look, row.name)
    return {
        "row": row,
        "tab": tab,
        "ramp": ramp,
        "override": next((each for each in look.steering.desk.overrides() if each["route"] == row.name), None),
        "tag": tag_of(route_standing(row.route, look.standings.get(row.name, {}))),
    }


async def now(request: web.Request) -> web.Response:
    """What is true now, and the evidence."""
    look = await looking(request)
    row = found(look)
    context = frame(look, row, "now")
    ramp = context["ramp"]
    end = look.clock.now
    series = await request.app[GAUGE].series(row.name, end - WINDOW, end + wording.DAY)
    report = await shadow_of(look, row.name)
    needs = needs_of(look.status, look.ramps, look.figures, look.clock, [], waiting_of(look.steering))
    return page(
        look,
        "route.html",
        "routes",
        row.name,
        **context,
        need=next((each for each in needs if each.subject in (row.name, ramp["ramp"] if ramp else row.name)), None),
        stages=list(stages_of(ramp, look.clock)) if ramp else [],
        guards=list(guards_of(ramp, look.clock)) if ramp else [],
        slots=slots(series, end, request.app[GAUGE].since),
        why=series.why,
        report=report,
    )


async def disagreements(request: web.Request) -> web.Response:
    """Is new wrong? Field by field, with examples side by side."""
    look = await looking(request)
    row = found(look)
    hours = 24
    report = await shadow_of(look, row.name, hours)
    return page(
        look,
        "disagreements.html",
        "routes",
        f"{row.name}, disagreements",
        **frame(look, row, "disagreements"),
        report=report,
        hours=hours,
    )


async def configuration(request: web.Request) -> web.Response:
    """What the file says of a route, secrets masked."""
    look = await looking(request)
    row = found(look)
    return page(
        look,
        "route_configuration.html",
        "routes",
        f"{row.name}, configuration",
        **frame(look, row, "configuration"),
        document=route_document(row.route),
        place=str(row.route.place or ""),
    )


async def history(request: web.Request) -> web.Response:
    """What happened to a route, and what people did to it."""
    look = await looking(request)
    row = found(look)
    told = await look.steering.desk.events(EVENTS, None, row.name, None)
    ramp = ramp_of(look, row.name)
    subjects = {row.name, ramp["ramp"] if ramp else row.name}
    told_acts = [await look.steering.auditor.latest(EVENTS, subject=each) for each in sorted(subjects)]
    acts = sorted((act for each in told_acts for act in each["acts"]), key=lambda act: act["at"], reverse=True)
    events = [each | {"at": wording.unix(each["at"])} for each in told["events"]]
    return page(
        look,
        "history.html",
        "routes",
        f"{row.name}, history",
        **frame(look, row, "history"),
        events=events,
        acts=[each | {"at": wording.unix(each["at"])} for each in acts],
        why=told["store"] or told_acts[0]["store"],
    )


async def shadow_of(look: Looking, name: str, hours: int = 24) -> dict[str, Any] | None:
    """What comparing has shown; None where it cannot be told."""
    try:
        report = await look.steering.desk.shadow(name, hours)
    except CommandError:
        return None
    return dict(report) or None


# ------------------------------------------------------------------------------------------------ charts


def slots(series: Series, end: float, since: float = 0.0) -> list[Slot]:
    """Rows by the minute, put together into at most STEPS of equal length. This gateway serves `since` then."""
    minutes = [row.minute for row in series.traffic] + [row.minute for row in series.verdicts]
    if not minutes:
        return []
    first = min(minutes)
    step = max(1, -int(-(end - first) // (STEPS * wording.MINUTE))) * wording.MINUTE
    answered: dict[int, dict[str, Answered]] = defaultdict(dict)
    for row in series.traffic:
        if row.role in SERVED and row.side:
            sides = answered[row.minute // step * step]
            sides[row.side] = sides.get(row.side, NOTHING).plus(row.requests, row.errors, row.latencies)
    compared: dict[int, Parity] = {}
    for each in series.verdicts:
        at, agrees = each.minute // step * step, each.verdict == "matched"
        if agrees or each.verdict in ("mismatched", "candidate_error"):
            known = compared.get(at, Parity(0, 0))
            compared[at] = Parity(known.agreeing + agrees * each.samples, known.telling + each.samples)
    made = []
    for at in range(first // step * step, int(end), step):
        sides = answered.get(at, {})
        lasted = min(at + step, end // FLUSHED * FLUSHED) - max(at, since)
        if lasted < FLUSHED:  # so little says nothing yet
            continue
        made.append(Slot(at, lasted, sides.get("new", NOTHING), sides.get("legacy", NOTHING), compared.get(at)))
    return made


# ------------------------------------------------------------------------------------------------ a ramp


def stages_of(ramp: dict[str, Any], clock: wording.Clock) -> Iterator[Stage]:
    """The steps of a ramp, with what became of each."""
    present, finished = ramp["stage"], ramp["state"] == "finished"
    for number, each in enumerate(ramp["stages"], 1):
        since = clock.brief(wording.unix(ramp["since"]) or clock.now)
        if finished or number < present:
            yield Stage(each["share"], "done", each["approve"], "done")
        elif number == present:
            yield Stage(
                each["share"],
                "back" if ramp["state"] == "rolled back" else "now",
                each["approve"],
                f"now, since {since}" if ramp["state"] != "rolled back" else f"until {since}",
            )
        elif each["approve"] and number not in ramp["approved"]:
            yield Stage(each["share"], "approval", True, "needs approval")
        else:
            yield Stage(each["share"], "later", each["approve"], "by itself, when all guards hold")


def guards_of(ramp: dict[str, Any], clock: wording.Clock) -> Iterator[Guard]:
    """Everything that the next stage waits for, and whether it is there."""
    seen, missing = ramp["evidence"], {each["guard"]: each["sentence"] for each in ramp["missing"]}
    yield from _guards_of_answers(seen, missing)
    yield from _guards_of_number(seen, missing)
    since = wording.unix(ramp["since"])
    if since is not None:
        lasted = wording.lasting(clock.now - since)
        yield _guard(missing, ("every", "only", "state"), "Time", "as long as the stage lasts at least", lasted)
    if "approval" in missing:
        yield _guard(missing, ("approval",), "Approval", "an approver", "none")


def _guard(
    missing: dict[str, str], guards: tuple[str, ...], name: str, needs: str, now: Any, interval: str = ""
) -> Guard:
    """A line of the table for one or more guards of a ramp: it is met where none of them is missing."""
    lacking = [missing[guard] for guard in guards if guard in missing]
    return Guard(name, needs, now, interval, not lacking, "; ".join(lacking))


def _guards_of_answers(seen: dict[str, Any], missing: dict[str, str]) -> Iterator[Guard]:
    """What the new side's answers must be like, as far as the route asks for it."""
    parity, wrong, latency = seen["parity"], seen["errors"], seen["latency"]
    if parity["needed"] is not None:
        needs, now = f"at least {wording.percent(parity['needed'])}", wording.percent(parity["rate"])
        differ = f"{wording.count(parity['of'] - parity['count'])} of {wording.count(parity['of'])} differ"
        interval = f"{_interval(Interval(parity['low'], parity['high']), wording.percent)}, {differ}"
        yield _guard(missing, ("parity",), "Parity", needs, now, interval)
    if wrong["allowed"] is not None:
        needs = f"legacy +{wrong['allowed'] * 100:g} points at most"
        yield _guard(missing, ("errors",), "Errors", needs, _points(seen), _between(wrong, 100, " points"))
    if latency["allowed"] is not None:
        name = f"{latency['percentile'].removeprefix('p')}% answered within"
        needs = f"{latency['allowed']:g} times legacy at most"
        now = wording.NOT_MEASURED if latency["ratio"] is None else f"{latency['ratio']:.2f}×"
        yield _guard(missing, ("latency",), name, needs, now, _between(latency, 1, "×"))


def _guards_of_number(seen: dict[str, Any], missing: dict[str, str]) -> Iterator[Guard]:
    """How many answers there must be, and how different."""
    needs = f"at least {wording.count(seen['samples']['needed'])}"
    yield _guard(missing, ("samples",), "Samples", needs, wording.count(seen["parity"]["of"]))
    shapes = ", ".join(f"{number:,} × {shape}" for shape, number in list(seen["shapes"].items())[:5])
    needs, now = "answers with content, to different requests", wording.count(len(seen["shapes"]))
    yield _guard(missing, ("coverage", "variety", "passed_over"), "Coverage", needs, now, shapes)


def _points(seen: dict[str, Any]) -> Any:
    new, legacy = seen["new"], seen["legacy"]
    if not new["attempts"] or not legacy["attempts"]:
        return wording.NOT_MEASURED
    points = (new["errors"] / new["attempts"] - legacy["errors"] / legacy["attempts"]) * 100
    return f"{points:+.2f} points".replace("-", "−")


def _interval(interval: Interval, told: Any) -> str:
    return f"{told(interval.low)} to {told(interval.high)}"


def _between(bounds: dict[str, Any], times: float, unit: str) -> str:
    """An interval of which either end may be open."""
    if bounds["low"] is None and bounds["high"] is None:
        return ""
    if bounds["high"] is None:
        return f"at least {bounds['low'] * times:.2f}{unit}".replace("-", "−")
    low, high = (
        "–" if end is None else f"{end * times:+.2f}" if unit == " points" else f"{end:.2f}"
        for end in (bounds["low"], bounds["high"])
    )
    return f"{low} to {high}{unit}".replace("-", "−")
