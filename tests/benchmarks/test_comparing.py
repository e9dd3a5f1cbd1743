"""The comparer beside deepdiff; in a process of its own, because it freezes what there is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.common import ROOT, CannotMeasure
from benchmarks.comparing import cases, measured


def test_it_compares_both_sizes_with_and_without_rules(tmp_path: Path) -> None:
    """Every case is there, with what is required of equal answers, and deepdiff beside it."""
    out = tmp_path / "out.json"
    small = ("--rounds", "2", "--records", "60", "--profile")
    command = [sys.executable, "-m", "benchmarks.comparing", *small, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr == ""
    findings = json.loads(out.read_text())["findings"]
    names = [each["name"] for each in findings]
    assert len([name for name in names if not name.endswith("deepdiff")]) == 8
    assert len([name for name in names if name.endswith("deepdiff")]) == 8
    assert [each["name"] for each in findings if each["at_most"]] == ["31 kB, equal", "1 MB, equal"]
    assert all(each["value"] > 1 for each in findings if each["unit"] == "times")
    assert "differences.py" in done.stdout


def test_figures_of_a_wrong_comparison_are_worth_nothing() -> None:
    """The comparer has to find what was planted."""
    with pytest.raises(CannotMeasure, match="finds 2 differences, and there are 3"):
        measured(cases(60)["shuffled, with two faults"]._replace(differ=3), False, 1, 1)
