"""The dashboard for Grafana: `python deploy/grafana/dashboard.py > deploy/grafana/banyan.json`.

From top to bottom it answers what an operator asks: is anything wrong, who serves, does the new side do as well, do the
ramps get on, do the backends bear it, is anything owed, and how is the gateway itself. Change it here, not in the JSON.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from panels import (
    BROKEN,
    BROKEN_FROM_ONE,
    FINE,
    NEW,
    PERSON,
    PERSON_FROM_ONE,
    QUIET,
    SIDES,
    YES,
    Panel,
    Query,
    Word,
    datasource,
    lines,
    listing,
    mark,
    placed,
    row,
    stat,
    states,
    table,
    variable,
)
from queries import (
    BACKEND,
    HERE,
    JOURNEY,
    LIVE,
    RAMP_STATES,
    RATE,
    ROUTE,
    SERVED,
    VERDICTS,
    failed,
    part,
    per_second,
    percentile,
    ramp_code,
    side_failed,
    steps,
)

# ------------------------------------------------------------------------------------------------ rows


def at_a_glance() -> Iterator[Panel]:
    """Whether somebody has to get up."""
    yield row("At a glance")
    serving = Query(f"min(banyan_data_process_up{{{HERE}}})")
    yield stat("Serving", "No: a data process does not serve.", serving, words=YES)
    store = Query(f"min(banyan_store_up{{{HERE}}})")
    yield stat("Store", "No: a gateway cannot reach its store. Nothing is promoted meanwhile.", store, words=YES)
    taken = Query(f"min(banyan_config_last_reload_successful{{{HERE}}})")
    yield stat("File taken", "No: a gateway refuses or holds its file.", taken, words=YES)
    opened = Query(f"sum(banyan_breaker_open{{{HERE}}} > bool 0) or vector(0)")
    yield stat("Breakers open", "Backends that are left alone since they fail.", opened, steps=BROKEN_FROM_ONE)
    stuck = f'max by (route, kind, state) (banyan_writes_owed{{state=~"unresolved|dead", {HERE}}})'
    told = "Writes that are unresolved or dead: banyan outbox."
    yield stat("Writes for a person", told, Query(f"sum({stuck}) or vector(0)"), steps=PERSON_FROM_ONE)
    waiting = f'max by (journey) (banyan_ramp_state{{state=~"awaiting_approval|paused|rolled_back", {HERE}}})'
    told = "Ramps that wait for approval, are paused or were rolled back: banyan ramp."
    yield stat("Ramps for a person", told, Query(f"sum({waiting}) or vector(0)"), steps=PERSON_FROM_ONE)
    overrides = Query(f"count(count by (route) (banyan_override_since_timestamp_seconds{{{HERE}}})) or vector(0)")
    yield stat("Overrides", "Routes that serve something else than the file says.", overrides, steps=PERSON_FROM_ONE)
    asked = Query(f"sum(rate(banyan_requests_total{{{SERVED}}}{RATE}))")
    yield stat("Requests", "A second, from clients, of the chosen routes.", asked, unit="reqps", steps=((None, NEW),))


def split() -> Iterator[Panel]:
    """Who serves."""
    yield row("Who serves")
    rate = Query(per_second("banyan_requests_total", "side", SERVED), "{{side}}")
    yield lines("Requests by side", "What clients were given.", rate, unit="reqps", colours=SIDES, stacked=True)
    share = Query(f'max by (route) (banyan_route_share{{side="new", {ROUTE}}})', "{{route}}")
    told = "The part of reads that new takes, by the file, the ramp or an override."
    yield lines("Share of new", told, share, unit="percentunit", most=1)
    yield table(
        "Routes",
        "As they stand now. Errors are 5xx, the gateway's own among them; what the other side rescued counts.",
        {
            "new's share": (Query(f'max by (route) (banyan_route_share{{side="new", {ROUTE}}})'), "percentunit"),
            "new": (Query(per_second("banyan_requests_total", "route", f'side="new", {SERVED}')), "reqps"),
            "legacy": (Query(per_second("banyan_requests_total", "route", f'side="legacy", {SERVED}')), "reqps"),
            "new's errors": (Query(side_failed("new")), "percentunit"),
            "legacy's errors": (Query(side_failed("legacy")), "percentunit"),
            "new's p95": (Query(percentile(0.95, "route", f'side="new", {LIVE}')), "s"),
            "legacy's p95": (Query(percentile(0.95, "route", f'side="legacy", {LIVE}')), "s"),
        },
    )


def quality() -> Iterator[Panel]:
    """Whether new does as well."""
    yield row("Errors and latency")
    told = "The part of what each side was asked first that ended in 5xx, the gateway's own included."
    yield lines("Errors by side", told, Query(failed("side"), "{{side}}"), unit="percentunit", colours=SIDES)
    told = "Within which 95 % of the answers were there, to their end."
    yield lines("95 % latency by side", told, Query(percentile(0.95, "side"), "{{side}}"), unit="s", colours=SIDES)
    kinds = Query(per_second("banyan_errors_total", "side, error_type", LIVE), "{{side}} {{error_type}}")
    yield lines("Failures by kind", "What they mean: docs/operate.md#the-access-record.", kinds, unit="reqps")
    refused = f'side="", code_class=~"4xx|5xx", role="live", {HERE}'
    own = Query(per_second("banyan_requests_total", "code_class", refused), "{{code_class}}")
    yield lines(
        "Refused by the gateway itself", "No route, not allowed, too much to do, not stored.", own, unit="reqps"
    )


def comparing() -> Iterator[Panel]:
    """Whether new says the same."""
    yield row("Comparing")
    verdicts = Query(per_second("banyan_verdicts_total", "verdict", ROUTE), "{{verdict}}")
    told = "What comparing both sides' answers said."
    yield lines("Verdicts", told, verdicts, unit="reqps", colours=VERDICTS, stacked=True, width=8)
    judged = f'verdict=~"matched|mismatched|candidate_error", {ROUTE}'
    parity = Query(part("banyan_verdicts_total", "route", f'verdict="matched", {ROUTE}', judged), "{{route}}")
    told = "The part of the answers that could be judged which matched. A ramp goes by stricter figures: banyan ramp."
    yield lines("Agreement", told, parity, unit="percentunit", most=1, width=8)
    skipped = Query(per_second("banyan_shadow_skipped_total", "reason", ROUTE), "{{reason}}")
    told = "Why requests were not compared: docs/operate.md#metrics."
    yield lines("Not compared", told, skipped, unit="reqps", stacked=True, width=8)


def ramps() -> Iterator[Panel]:
    """How far the ramps are."""
    yield row("Ramps")
    yield states(
        "What ramps do", "A rolled back one waits for a person.", Query(ramp_code(), "{{journey}}"), words=RAMP_STATES
    )
    labels = f"max by (journey) (banyan_ramp_stage{{{JOURNEY}}})"
    stages = f"max by (journey) (banyan_ramp_stages{{{JOURNEY}}})"
    since = f"time() - min by (journey) (banyan_ramp_stage_since_timestamp_seconds{{{JOURNEY}}})"
    yield table(
        "Stages",
        "Where each ramp stands, and for how long.",
        {"stage": (Query(labels), "none"), "of": (Query(stages), "none"), "for": (Query(since), "s")},
        width=6,
    )
    waits = Query(f"max by (journey, guard) (banyan_ramp_waits{{{JOURNEY}}})")
    told = "What the next stage waits for, by guard. In full: banyan ramp NAME."
    yield listing("Waits for", told, waits, width=6)


def backends() -> Iterator[Panel]:
    """Whether the backends bear it."""
    yield row("Backends")
    breaker = Query(f"max by (backend) (banyan_breaker_open{{{BACKEND}}})", "{{backend}}")
    words = (Word(0, "closed", FINE), Word(0.5, "tried", PERSON), Word(1, "open", BROKEN))
    yield states("Breakers", "Open: the backend fails, and is left alone.", breaker, words=words, width=8)
    away = Query(f"max by (backend) (banyan_backend_closed{{{BACKEND}}})", "{{backend}}")
    words = (Word(0, "open", FINE), Word(1, "maintenance", PERSON))
    yield states("Maintenance", "Backends that are closed by the file.", away, words=words, width=8)
    address = Query(f"min by (backend, address) (banyan_backend_address_up{{{BACKEND}}})", "{{backend}} {{address}}")
    words = (Word(0, "left out", BROKEN), Word(1, "asked", FINE))
    yield states("Addresses", "Those of several that fail are left out.", address, words=words, width=8)
    here = f'state="under_way", {BACKEND}'
    used = f"max by (backend) (banyan_backend_requests{{{here}}} / banyan_backend_requests_max{{{here}}})"
    slots = Query(used, "{{backend}}")
    yield lines("Slots in use", "Of those that clients' requests have.", slots, unit="percentunit", width=8)
    queue = f'sum by (backend) (banyan_backend_requests{{state="waiting", {BACKEND}}})'
    waiting = Query(queue, "{{backend}}")
    copies = Query(f"sum by (backend) (banyan_backend_copies{{{BACKEND}}})", "{{backend}} copies")
    yield lines("Queues and copies", "Clients' requests that wait, and copies at hand.", waiting, copies, width=8)
    pools = Query(f"sum by (backend, state) (banyan_backend_connections{{{BACKEND}}})", "{{backend}} {{state}}")
    yield lines("Connections", "To backends.", pools, width=8)


def owed() -> Iterator[Panel]:
    """Whether anything is owed."""
    yield row("Writes that are owed")
    colours = {"pending": QUIET, "ready": NEW, "delivering": NEW, "unresolved": PERSON, "dead": BROKEN}
    depth = f"sum by (state) (max by (route, kind, state) (banyan_writes_owed{{{ROUTE}}}))"
    told = "Of the whole store, which all gateways see alike. A gap: the store does not tell."
    yield lines("Owed", told, Query(depth, "{{state}}"), colours=colours, stacked=True, width=8)
    age = f"max by (state) (banyan_writes_owed_oldest_seconds{{{ROUTE}}})"
    yield lines("The oldest", "How long it has been owed.", Query(age, "{{state}}"), unit="s", colours=colours, width=8)
    tries = Query(per_second("banyan_deliveries_total", "outcome", ROUTE), "{{outcome}}")
    colours = {"delivered": FINE, "again": PERSON, "refused": BROKEN, "gave_up": BROKEN, "unknown": BROKEN}
    yield lines("Deliveries", "What came of each try.", tries, unit="reqps", colours=colours, stacked=True, width=8)


def configuration() -> Iterator[Panel]:
    """What serves, and who hears of what happens."""
    yield row("Configuration and events")
    info = Query(f"max by (instance, hash) (banyan_config_info{{{HERE}}})")
    told = "Different hashes: gateways serve different files."
    yield listing("Files", told, info, width=8)
    taken = Query(f"time() - banyan_config_last_reload_success_timestamp_seconds{{{HERE}}}", "{{instance}}")
    yield lines("Age of what serves", "Since the file that serves was read.", taken, unit="s", width=8)
    came = Query(
        f"sum by (receiver, outcome) (increase(banyan_webhooks_total{{{HERE}}}[1h]))", "{{receiver}} {{outcome}}"
    )
    waits = Query(f"sum by (receiver) (banyan_webhooks_waiting{{{HERE}}})", "{{receiver}} waiting")
    told = "Events that were delivered or given up in the last hour, and tries that failed."
    yield lines("Webhooks", told, came, waits, width=8)


def processes() -> Iterator[Panel]:
    """How the gateways are."""
    yield row("Processes")
    late = Query(f"banyan_loop_late_seconds{{{HERE}}}", "{{instance}}")
    told = "How long requests wait for their turn. Beyond 0.1 s routes of low priority are refused."
    yield lines("Late", told, late, unit="s", width=8)
    cpu = (
        Query(f"rate(banyan_{each}_process_cpu_seconds_total{{{HERE}}}{RATE})", f"{{{{instance}}}} {each}")
        for each in ("data", "control")
    )
    yield lines("Processors", "A data process can use one.", *cpu, width=8)
    memory = (
        Query(f"banyan_{each}_process_resident_memory_bytes{{{HERE}}}", f"{{{{instance}}}} {each}")
        for each in ("data", "control")
    )
    yield lines("Memory", "What is resident.", *memory, unit="bytes", width=8)
    files = f"banyan_data_process_open_fds{{{HERE}}} / banyan_data_process_max_fds{{{HERE}}}"
    yield lines(
        "Files", "Of those that the data process may open.", Query(files, "{{instance}}"), unit="percentunit", width=8
    )
    yield lines("What went wrong", "In the last hour.", *_wrong(), width=12)


def _wrong() -> Iterator[Query]:
    for name, words in (
        ("banyan_data_process_restarts_total", "data process started again"),
        ("banyan_loop_stalls_total", "stalls of 0.1 s and more"),
        ("banyan_observations_dropped_total", "observations lost"),
        ("banyan_breaker_opened_total", "breakers opened"),
    ):
        yield Query(f"sum(increase({name}{{{HERE}}}[1h]))", words)


# ------------------------------------------------------------------------------------------------ all of it


def dashboard() -> dict[str, Any]:
    """The JSON model, to be imported as it is."""
    rows = (at_a_glance, split, quality, comparing, ramps, backends, owed, configuration, processes)
    return {
        "uid": "banyan",
        "title": "Banyan",
        "description": "Traffic on its way from legacy to new: who serves, how well, and what needs a person.",
        "tags": ["banyan"],
        "schemaVersion": 41,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                datasource(),
                variable("instance", "Gateway", "label_values(banyan_data_process_up, instance)"),
                variable("route", "Route", "label_values(banyan_route_share, route)"),
                variable("journey", "Ramp", "label_values(banyan_ramp_stage, journey)"),
                variable("backend", "Backend", "label_values(banyan_backend_connections, backend)"),
            ]
        },
        "annotations": {
            "list": [
                mark("Roll backs", steps("rolled_back"), BROKEN, "{{journey}} rolled back by {{by}}"),
                mark("Promotions", steps("promoted"), NEW, "{{journey}} promoted by {{by}}"),
            ]
        },
        "links": [],
        "panels": list(placed(panel for panels in rows for panel in panels())),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(dashboard(), indent=1) + "\n")
