"""What the dashboard asks: PromQL by its parts, for the gateways, routes, ramps and backends that are chosen."""

from panels import BROKEN, FINE, LEGACY, NEW, PERSON, QUIET, Word

HERE = 'instance=~"$instance"'
ROUTE = f'route=~"$route", {HERE}'
BACKEND = f'backend=~"$backend", {HERE}'
JOURNEY = f'journey=~"$journey", {HERE}'
SERVED = f'role=~"live|tester|fallback|cached", side!="", {ROUTE}'
"""What clients were given by a side, and not copies."""
LIVE = f'role="live", side!="", {ROUTE}'
"""What a side was asked first: an error that the other side rescued is still one."""
RATE = "[$__rate_interval]"
VERDICTS = {
    "matched": FINE,
    "mismatched": BROKEN,
    "candidate_error": BROKEN,
    "unsure": PERSON,
    "control_error": LEGACY,
    "incomparable": QUIET,
    "skipped": QUIET,
}
RAMP_STATES = (
    Word(0, "not begun", QUIET),
    Word(1, "climbing", NEW),
    Word(2, "awaiting approval", PERSON),
    Word(3, "paused", PERSON),
    Word(4, "rolled back", BROKEN),
    Word(5, "finished", FINE),
)


def per_second(metric: str, by: str, matchers: str) -> str:
    """So many a second, added up by these labels."""
    return f"sum by ({by}) (rate({metric}{{{matchers}}}{RATE}))"


def part(metric: str, by: str, some: str, of: str) -> str:
    """The part that some are of all."""
    return f"{per_second(metric, by, some)} / {per_second(metric, by, of)}"


def failed(by: str) -> str:
    """The part of what a side was asked that it failed at."""
    failures = per_second("banyan_requests_total", by, f'code_class="5xx", {LIVE}')
    asked = per_second("banyan_requests_total", by, LIVE)
    return f"({failures} or 0 * {asked}) / {asked}"


def percentile(rank: float, by: str, matchers: str = LIVE) -> str:
    """The time within which so many of the answers were there."""
    buckets = per_second("banyan_request_duration_seconds_bucket", f"le, {by}", matchers)
    return f"histogram_quantile({rank:g}, {buckets})"


def ramp_code() -> str:
    """The number of the state that each ramp is in (see RAMP_STATES)."""
    terms = (
        f'{word.value:g} * sum by (instance, journey) (banyan_ramp_state{{state="{_label(word)}", {JOURNEY}}})'
        for word in RAMP_STATES[1:]
    )
    return f"max by (journey) ({' + '.join(terms)})"


def _label(word: Word) -> str:
    return word.text.replace(" ", "_")


def steps(step: str) -> str:
    """When ramps took such a step."""
    return f'sum by (journey, by) (increase(banyan_ramp_steps_total{{step="{step}", {JOURNEY}}}[2m])) > 0'


def side_failed(side: str) -> str:
    """The part of what one side was asked that it failed at, by route."""
    some = f'code_class="5xx", side="{side}", {LIVE}'
    return part("banyan_requests_total", "route", some, f'side="{side}", {LIVE}')
