"""What people do, and who they are, for tests of those who keep it."""

from typing import Any

from gateway.core.access import Role, Session, Token
from gateway.core.auditing import Act

ACT = Act(
    "a1",
    "2026-11-29T02:40:00.000+00:00",
    "Ann",
    "operator",
    "token",
    "192.0.2.7",
    "override",
    "list",
    "500s",
    {"serve": "new"},
    {"serve": "new", "share": 0.0, "order": {"serve": "legacy", "for": None}},
)
TOKEN = Token("0123456789ab", "e" * 64, "Ann", Role.OPERATOR, "root", 100.5, 7_300.25)
SESSION = Session("f" * 64, "Ann", Role.OPERATOR, "csrf", "", 100.5, 150.0, 7_300.25)


def act(number: int, **fields: Any) -> Act:
    """One of several acts."""
    return ACT._replace(**{"id": f"a{number}", "reason": f"reason {number}", **fields})
