"""Running a benchmark small: it must measure all it promises, and find nothing that makes the measurement worthless."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

needs_nginx_and_wrk = pytest.mark.skipif(
    not (shutil.which("wrk") and (shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"))),
    reason="nginx and wrk are not installed",
)
needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")


def measured(main: Callable[[Sequence[str]], int], *arguments: str, out: Path) -> dict[str, Any]:
    """What each finding of a small run measured, by name. Its figures are of no use, so they may miss requirements,
    and a machine that other work disturbs is no fault of the benchmark."""
    code = main([*arguments, "--out", str(out)])
    document = json.loads(out.read_text())
    assert [problem for problem in document["problems"] if not problem.startswith("the machine ")] == []
    assert code == (0 if all(finding["ok"] for finding in document["findings"]) and not document["problems"] else 1)
    return {finding["name"]: finding["value"] for finding in document["findings"]}
