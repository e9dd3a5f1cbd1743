"""Whoever looks a metric up finds it."""

import re

from benchmarks.common import ROOT
from tests.support.markdown import rows, section
from tests.support.measured import everything, shapes


def test_every_metric_is_documented_with_its_labels() -> None:
    """And no other is."""
    ticked = re.compile(r"`([^`]+)`")
    documented = {
        name: set(ticked.findall(cells[1]))
        for cells in rows(section(ROOT / "docs" / "operate.md", "Metrics"))
        for name in ticked.findall(cells[0])
    }
    rendered: dict[str, set[str]] = {}
    for name, shape in shapes(everything()).items():
        family = re.sub(r"_(bucket|count|sum)$", "", name) if shape.type == "histogram" else name
        rendered.setdefault(family, set()).update(shape.labels - {"le"})
    assert documented == rendered
