"""How panels of a Grafana dashboard are made: plain dictionaries in the shape of its JSON model.

A panel says what it shows and in which colours; where it stands is worked out from the order in which panels come.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

NEW, LEGACY, PERSON, BROKEN, FINE, QUIET = "#003f52", "#a68a5b", "#cf7a00", "#c1272d", "#0b6b3a", "#7d8a90"
"""Colours: of the two sides, and of what needs a person, is broken, is fine, or says nothing."""
SIDES = {"new": NEW, "legacy": LEGACY}
WIDTH = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
Panel = dict[str, Any]
Steps = tuple[tuple[float | None, str], ...]
GOOD: Steps = ((None, FINE),)
BROKEN_FROM_ONE: Steps = ((None, FINE), (1, BROKEN))
PERSON_FROM_ONE: Steps = ((None, FINE), (1, PERSON))


class Query(NamedTuple):
    """A PromQL expression, and what its series are called."""

    expr: str
    legend: str = ""


class Word(NamedTuple):
    """What a value means, and its colour."""

    value: float
    text: str
    colour: str


YES = (Word(0, "no", BROKEN), Word(1, "yes", FINE))


def _targets(queries: Iterable[Query], *, instant: bool = False, table: bool = False) -> list[Panel]:
    kind = {"instant": True, "range": False} if instant else {"instant": False, "range": True}
    form = "table" if table else "time_series"
    return [
        {
            "refId": chr(ord("A") + at),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "format": form,
            **kind,
        }
        for at, query in enumerate(queries)
    ]


def _panel(kind: str, title: str, about: str, width: int, height: int, **more: Any) -> Panel:
    size = {"w": width, "h": height}
    return {"type": kind, "title": title, "description": about, "datasource": DATASOURCE, "gridPos": size, **more}


def _thresholds(steps: Steps) -> Panel:
    return {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}


def _coloured(colours: dict[str, str]) -> list[Panel]:
    """A series of this name has this colour."""
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in colours.items()
    ]


def _mappings(words: Iterable[Word]) -> list[Panel]:
    options = {
        f"{word.value:g}": {"text": word.text, "color": word.colour, "index": at} for at, word in enumerate(words)
    }
    return [{"type": "value", "options": options}] if options else []


# ------------------------------------------------------------------------------------------------ kinds of panels


def row(title: str) -> Panel:
    """A heading over what follows."""
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": WIDTH, "h": 1}}


def stat(
    title: str, about: str, query: Query, *, steps: Steps = GOOD, words: Iterable[Word] = (), unit: str = "none"
) -> Panel:
    """One number (or the word for it), on a ground that says whether it is good."""
    colours = {"color": {"mode": "thresholds"}, "thresholds": _thresholds(steps), "mappings": _mappings(words)}
    return _panel(
        "stat",
        title,
        about,
        3,
        4,
        targets=_targets([query]),
        fieldConfig={"defaults": {"unit": unit, "min": 0, **colours}, "overrides": []},
        options={
            "colorMode": "background_solid",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
    )


def lines(
    title: str,
    about: str,
    *queries: Query,
    unit: str = "none",
    colours: dict[str, str] | None = None,
    stacked: bool = False,
    most: float | None = None,
    width: int = 12,
) -> Panel:
    """Series over time; `stacked` ones are filled, and lie on each other."""
    custom = {
        "drawStyle": "line",
        "lineInterpolation": "linear",
        "lineWidth": 1 if stacked else 2,
        "fillOpacity": 60 if stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
    }
    bounds = {"min": 0} if most is None else {"min": 0, "max": most}
    defaults = {"unit": unit, "color": {"mode": "palette-classic"}, "custom": custom, **bounds}
    return _panel(
        "timeseries",
        title,
        about,
        width,
        8,
        targets=_targets(queries),
        fieldConfig={"defaults": defaults, "overrides": _coloured(colours or {})},
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def states(title: str, about: str, *queries: Query, words: Iterable[Word], width: int = 12) -> Panel:
    """What each series was when, in words and colours."""
    return _panel(
        "state-timeline",
        title,
        about,
        width,
        8,
        targets=_targets(queries),
        fieldConfig={
            "defaults": {
                "color": {"mode": "thresholds"},
                "thresholds": _thresholds(((None, QUIET),)),
                "mappings": _mappings(words),
                "custom": {"fillOpacity": 85, "lineWidth": 0},
            },
            "overrides": [],
        },
        options={
            "mergeValues": True,
            "showValue": "auto",
            "alignValue": "left",
            "rowHeight": 0.9,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    )


def table(title: str, about: str, columns: dict[str, tuple[Query, str]], *, width: int = 24) -> Panel:
    """A line for each set of labels, a column for each query: its heading, the query, and its unit."""
    headings = {f"Value #{chr(ord('A') + at)}": heading for at, heading in enumerate(columns)}
    units = [
        {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "unit", "value": unit}]}
        for heading, (_, unit) in columns.items()
    ]
    return _table(title, about, [query for query, _ in columns.values()], ("Time",), headings, units, width)


def listing(title: str, about: str, query: Query, *, width: int) -> Panel:
    """A line for each set of labels of one query, whose values say nothing."""
    return _table(title, about, [query], ("Time", "Value", "Value #A"), {}, [], width)


def _table(
    title: str,
    about: str,
    queries: list[Query],
    hidden: tuple[str, ...],
    headings: dict[str, str],
    overrides: list[Panel],
    width: int,
) -> Panel:
    organized = {"excludeByName": dict.fromkeys(hidden, True), "renameByName": headings, "indexByName": {}}
    return _panel(
        "table",
        title,
        about,
        width,
        8,
        targets=_targets(queries, instant=True, table=True),
        transformations=[{"id": "merge", "options": {}}, {"id": "organize", "options": organized}],
        fieldConfig={
            "defaults": {"custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}},
            "overrides": overrides,
        },
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False, "reducer": ["sum"], "fields": ""}},
    )


# ------------------------------------------------------------------------------------------------ where they stand


def placed(panels: Iterable[Panel]) -> Iterator[Panel]:
    """Panels in their places, from left to right and down, each with a number."""
    across = down = tallest = 0
    for number, panel in enumerate(panels, 1):
        width, height = panel["gridPos"]["w"], panel["gridPos"]["h"]
        if across + width > WIDTH:
            across, down, tallest = 0, down + tallest, 0
        yield {"id": number, **panel, "gridPos": {"x": across, "y": down, "w": width, "h": height}}
        across, tallest = across + width, max(tallest, height)


# ------------------------------------------------------------------------------------------------ the rest of it


def variable(name: str, label: str, expr: str) -> Panel:
    """A choice of values of a label, all of them unless some are chosen."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": expr, "refId": f"variable-{name}"},
        "definition": expr,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def datasource() -> Panel:
    """The choice of the Prometheus that is asked."""
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0}


def mark(name: str, expr: str, colour: str, title: str) -> Panel:
    """A line through all panels whenever something happens."""
    return {
        "name": name,
        "enable": True,
        "datasource": DATASOURCE,
        "expr": expr,
        "iconColor": colour,
        "titleFormat": title,
        "step": "60s",
    }
