from datetime import date
from pathlib import Path

import pytest

from gateway.config.told import told
from gateway.core.policies import Closed, Maintenance
from tests.config.files import estate, problems

FILE = """version: 1
backends:
  office: {{url: "http://o", maintenance: {}}}
routes:
  - {{name: a, match: ANY /a, legacy: office}}
"""


def written(folder: Path, text: str) -> Maintenance | None:
    return estate(folder, FILE.format(text)).backends[0].maintenance


@pytest.mark.parametrize(
    ("text", "windows"),
    [
        ('{daily: "01:00-03:00"}', (Closed(60, 180),)),
        ('{daily: ["23:00-01:00", "12:00-12:30"]}', (Closed(1_380, 60), Closed(720, 750))),
        ('{weekly: "Sun 02:00-06:00"}', (Closed(120, 360, (6,)),)),
        ('{weekly: ["Mon-Fri 22:00-24:00", Sat]}', (Closed(1_320, 1_440, (0, 1, 2, 3, 4)), Closed(0, 1_440, (5,)))),
        ("{dates: 2028-02-29}", (Closed(0, 1_440, (), date(2028, 2, 29), date(2028, 2, 29)),)),
        (
            "{dates: [2026-12-24 18:00 to 2026-12-27 08:00, 2026-12-31 to 2027-01-01]}",
            (
                Closed(1_080, 480, (), date(2026, 12, 24), date(2026, 12, 27)),
                Closed(0, 1_440, (), date(2026, 12, 31), date(2027, 1, 1)),
            ),
        ),
    ],
)
def test_windows_are_read_as_they_are_written(tmp_path: Path, text: str, windows: tuple[Closed, ...]) -> None:
    """One or several of a kind, and by whose clock."""
    assert written(tmp_path, text) == Maintenance(windows)
    zoned = text.replace("}", ", timezone: Europe/London}")
    assert written(tmp_path, zoned) == Maintenance(windows, "Europe/London")


def test_windows_are_told_as_they_are_written(tmp_path: Path) -> None:
    """For people, and for estates to be compared."""
    found = written(
        tmp_path,
        '{daily: "01:00-03:00", weekly: Sat-Sun 02:00-06:00, dates: 2026-12-25, timezone: Europe/London}',
    )
    assert told(found) == {
        "daily": ["01:00-03:00"],
        "weekly": ["Sat,Sun 02:00-06:00"],
        "dates": ["2026-12-25 00:00 to 2026-12-25 24:00"],
        "timezone": "Europe/London",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", 'backend office: `maintenance` closes nothing; write `daily: "01:00-03:00"`, `weekly`, or `dates`'),
        ('{daily: "1-3"}', "backend office: maintenance.daily: '1-3' are not hours; write 09:00-17:00"),
        ('{weekly: "Son 02:00-06:00"}', "backend office: maintenance.weekly: 'Son 02:00-06:00' are not days"),
        ("{dates: 2026-02-29}", "backend office: maintenance.dates: '2026-02-29' are not dates; write 2026-12-25"),
        ("{dates: tomorrow}", "backend office: maintenance.dates: 'tomorrow' are not dates; write 2026-12-25"),
        (
            "{dates: 2026-12-27 to 2026-12-24}",
            "backend office: maintenance.dates: '2026-12-27 to 2026-12-24' ends befor",
        ),
        (
            '{daily: "01:00-03:00", timezone: London}',
            "backend office: maintenance.timezone: 'London' is no time zone",
        ),
    ],
)
def test_what_is_no_window_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """With what to write instead."""
    [found] = problems(tmp_path, FILE.format(text))
    assert problem in found
