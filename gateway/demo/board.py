"""What the demo shows: on a terminal a table that lives, elsewhere a plain line every two seconds.

Everything here turns a `Scene` into text; it decides nothing and asks no clock.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.core.guards import percent
from gateway.core.model import LEGACY, NEW, Estate, Route, Serve, Side
from gateway.demo.changes import Entry, serve_text
from gateway.demo.council import COUNCIL
from gateway.demo.ramps import CLIMBING, FINISHED, ROLLED_BACK, Ramp, Standing, told
from gateway.demo.tally import RETIRED, Figures, Tally

WIDE = 112
"""Columns from which there is room for what a route matches."""

BAR = 16
STYLES = {LEGACY: "yellow", NEW: "green", RETIRED: "bright_black", "": "red"}
FAVOURITE = "repairs-list"
"""The route that a newcomer is asked to flip first."""


class Scene(NamedTuple):
    """All that is shown at one moment: the file as last accepted, the accounts, and what happened so far.

    `command` and `data` are how a person calls banyan and finds this gateway; `seconds` is the length of a rehearsal,
    None when a person is at the helm; `page` signs a browser in.
    """

    now: float
    address: str
    file: str
    command: str
    data: str
    seconds: float | None
    estate: Estate
    tally: Tally
    strays: int
    standing: Standing
    entries: Sequence[Entry]
    page: str = ""


def board(scene: Scene, width: int, height: int) -> RenderableType:
    """The terminal view, in at most so many columns and lines."""
    wide = width >= WIDE
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bright_black")
    table.add_column("route", no_wrap=True)
    if wide:
        table.add_column("match", no_wrap=True, max_width=width - 94)  # the other columns take 94
    table.add_column("serve", no_wrap=True)
    table.add_column("who answers now", no_wrap=True)
    for name in ("req/s", "failed", "median", "95%"):
        table.add_column(name, no_wrap=True, justify="right")
    for route in scene.estate.routes:
        table.add_row(*_row(route, scene, wide=wide))
    title, beside = heading(scene), list(standing(scene.standing, width))
    sums = wrap(summary(scene), width)
    used = title.plain.count("\n") + 1 + 1 + len(scene.estate.routes) + 1 + len(beside) + len(sums)
    told_of = story(scene, max(1, height - used - 1))
    return Group(title, table, Text(), *beside, Text("\n".join(sums), style="bold"), told_of)


def standing(beside: Standing, width: int) -> Iterator[Text]:
    """Where ramps and overrides stand, a line each; what was rolled back says why, in as many lines as that takes."""
    for ramp in beside.ramps:
        if ramp.state == ROLLED_BACK:
            yield from (Text(line, style="red") for line in wrap(told(ramp), width, subsequent_indent="  "))
        else:
            yield Text(climb(ramp), style="green" if ramp.state == FINISHED else "", no_wrap=True, overflow="ellipsis")
    for route, text in beside.overrides.items():
        yield Text(f"{route}: {text}", style="yellow", no_wrap=True, overflow="ellipsis")


def climb(ramp: Ramp) -> str:
    """A ramp that was not rolled back, in a line: the stages that it has reached, its share, and its parity."""
    reached = "▰" * ramp.stage + "▱" * (ramp.stages - ramp.stage)
    state = "" if ramp.state == CLIMBING else f", {ramp.state}"
    parity = f", {percent(ramp.agreed / ramp.compared)} agree" if ramp.compared else ""
    waits = f"; {ramp.waits}" if ramp.waits else ""
    return f"{ramp.name}: {reached} {ramp.share:g} %{state}{parity}{waits}"


def heading(scene: Scene) -> Text:
    """What this is, and what to do."""
    text = Text(f"{COUNCIL} at http://{scene.address}\n", style="bold")
    return text.append("".join(f"{line}\n" for line in hint(scene)), style="not bold")


def hint(scene: Scene) -> list[str]:
    """Where the pages are, and what to edit, in lines."""
    return [*([f"See it, in a browser (good once): {scene.page}"] if scene.page else []), *_edits(scene)]


def _edits(scene: Scene) -> list[str]:
    route = favourite(scene.estate)
    if scene.seconds is not None:
        return [f"A rehearsal of {scene.seconds:g} s on a copy of {scene.file}; half-way, {FAVOURITE} changes sides."]
    if route is None:
        return [f"Edit {scene.file}: change a `serve:` and save."]
    serve, other = serve_text(route), other_side(route)
    return [
        f"Edit {scene.file}: under `{route.name}` change `serve: {serve}` to `serve: {other}`.",
        f"Or, in another terminal:  export BANYAN_DATA={scene.data}",
        f'  {scene.command} flip {route.name} {other} --reason "to see it move"{_named(scene.file)}',
    ]


def _named(file: str) -> str:
    """The option that names a file, where it is not the usual one."""
    return "" if file == "routes.yaml" else f" --config {file}"


def favourite(estate: Estate) -> Route | None:
    """The route that is flipped first, if the file still has it."""
    return next((route for route in estate.routes if route.name == FAVOURITE), None)


def other_side(route: Route) -> Side:
    """The side that a flip of this route leads to."""
    return LEGACY if route.serve is Serve.NEW else NEW


def story(scene: Scene, lines: int) -> Text:
    """The latest of what happened, oldest first."""
    found = [f"{entry.at - scene.tally.started:5.0f} s  {entry.told(scene.tally)}" for entry in scene.entries]
    found += [f"    failed: {failure}" for failure in list(scene.tally.failures)[-2:]]
    return Text("\n".join(found[-lines:]), no_wrap=True, overflow="ellipsis")


def summary(scene: Scene) -> str:
    """The totals, in a line."""
    tally = scene.tally
    loyal = "every client stayed on its side" if not scene.strays else f"{scene.strays} changes of side without an edit"
    off = f", {tally.off:,} a penny off" if tally.off else ""
    return f"{tally.answered - tally.off:,} right answers{off}, {tally.failed:,} failed; {loyal}."


def plain(scene: Scene) -> str:
    """One line for a log: the pace, and the new side's part of each route that has two sides."""
    figures = {route.name: scene.tally.figures(route.name, scene.now) for route in scene.estate.routes}
    two_sided = [route.name for route in scene.estate.routes if route.legacy and route.new]
    shares = ", ".join(f"{name} {figures[name].share(NEW):.0%}" for name in two_sided)
    rate = sum(figure.rate for figure in figures.values())
    elapsed = scene.now - scene.tally.started
    return f"{elapsed:4.0f} s  {rate:4.0f} requests/s, {scene.tally.failed} failed; on new: {shares}"


def final(scene: Scene) -> str:
    """The account of the whole run: what happened, route by route, and in all."""
    width = max((len(route.name) for route in scene.estate.routes), default=0)
    rows = [f"  {route.name:<{width}}  {_totals(scene, route.name)}" for route in scene.estate.routes]
    entries = [entry.told(scene.tally) for entry in scene.entries]
    return "\n".join(["", *rows, "", *entries, summary(scene)])


def bar(figures: Figures, width: int) -> Text:
    """The sides as a bar, and the leading word."""
    text = Text()
    sides = [side for side in STYLES if figures.sides.get(side)]
    for place, side in enumerate(sides):
        last = place == len(sides) - 1
        text.append("█" * (width - len(text) if last else max(1, round(figures.share(side) * width))), STYLES[side])
    text.append(" " * (width - len(text)))
    return text.append(f" {_word(figures)}")


def _word(figures: Figures) -> str:
    if not figures.sides:
        return "-"
    if figures.sides.get(LEGACY) and figures.sides.get(NEW):
        return f"{figures.share(NEW):.0%} new"
    return max(figures.sides, key=lambda side: figures.sides[side]) or "unknown"


def _row(route: Route, scene: Scene, *, wide: bool) -> list[RenderableType]:
    figures = scene.tally.figures(route.name, scene.now)
    failed = scene.tally.routes[route.name].failed
    return [
        route.name,
        *([Text(route.pattern, style="bright_black")] if wide else []),
        serve_text(route),
        bar(figures, BAR if wide else BAR // 2),
        f"{figures.rate:.0f}",
        Text(str(failed), style="bold red" if failed else ""),
        f"{figures.median * 1000:.1f} ms",
        f"{figures.p95 * 1000:.1f} ms",
    ]


def _totals(scene: Scene, name: str) -> str:
    account = scene.tally.routes[name]
    sides = ", ".join(f"{count:,} {side or 'unknown'}" for side, count in sorted(account.sides.items()))
    off = f"; {account.off} a penny off" if account.off else ""
    return f"{sides or 'no answers'}; {account.failed} failed{off}"
