"""What a benchmark says at the end: findings, beside what the project requires of them, as a table and as JSON.

A benchmark fails (exit 1) when a finding misses its requirement, or when something made the measurement worthless.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import comb, isinf
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One figure; without `at_most` and `at_least` it is told for information only."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def ok(self) -> bool:
        too_much = self.at_most is not None and self.value > self.at_most
        too_little = self.at_least is not None and self.value < self.at_least
        return not too_much and not too_little

    @property
    def required(self) -> str:
        most = f"at most {figure(self.at_most)}" if self.at_most is not None else ""
        least = f"at least {figure(self.at_least)}" if self.at_least is not None else ""
        return ", ".join(each for each in (most, least) if each) or "-"


def finish(
    name: str,
    findings: Sequence[Finding],
    problems: Sequence[str],
    *,
    settings: Mapping[str, Any],
    out: Path | None = None,
    samples: object = None,
) -> int:
    """Print the findings, write them to `out` as JSON, and give the exit code."""
    header = ("what", "measured", "required", "", "note")
    rows = [
        (each.name, f"{figure(each.value)} {each.unit}".strip(), each.required, _mark(each), each.note)
        for each in findings
    ]
    print(f"\n{name}\n{table(header, rows)}")
    for problem in problems:
        print(f"invalid: {problem}")
    if out is not None:
        document = {
            "benchmark": name,
            "date": datetime.now(UTC).date().isoformat(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "settings": {key: value if _is_plain(value) else str(value) for key, value in settings.items()},
            "findings": [_plain(each) for each in findings],
            "problems": list(problems),
            "samples": samples,
        }
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(document, indent=1) + "\n")
    return 0 if all(each.ok for each in findings) and not problems else 1


def _plain(finding: Finding) -> dict[str, object]:
    """A finding for JSON, which knows no infinity: what never came is null."""
    value = None if isinf(finding.value) else finding.value
    return finding._asdict() | {"value": value, "ok": finding.ok}


def _mark(finding: Finding) -> str:
    if finding.at_most is None and finding.at_least is None:
        return ""
    return "ok" if finding.ok else "MISSED"


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def say(text: str) -> None:
    """A line about how it goes, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def figure(value: float) -> str:
    """A number as people write it: three digits that count, whole numbers whole, thousands apart."""
    if isinf(value):
        return "never"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, as wide as they need to be."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    ruled = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in ruled
    )


# ------------------------------------------------------------------------------------------------ ratios


class Ratio(NamedTuple):
    """A figure of several rounds: its median, its range, and a 95 % interval of the median."""

    median: float
    low: float
    high: float
    interval: tuple[float, float]

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f}) [{self.interval[0]:.2f}-{self.interval[1]:.2f}]"


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio | None:
    """One figure over another, round by round; None without a round that has both."""
    values = [a / b for a, b in zip(above, below, strict=False) if b]
    return spread(values) if values else None


def spread(values: Sequence[float]) -> Ratio:
    """The interval comes from the order of the values: so many lie on either side of the median with 95 % certainty.

    Below six values nothing narrower than their whole range is certain.
    """
    ordered = sorted(values)
    count = len(ordered)
    sure = [cut for cut in range(count // 2) if 40 * sum(comb(count, i) for i in range(cut + 1)) <= 2**count]
    cut = max(sure, default=0)
    return Ratio(median(ordered), ordered[0], ordered[-1], (ordered[cut], ordered[count - 1 - cut]))
