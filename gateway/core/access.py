"""Who may do what on the admin port, as values: roles that contain one another, and whoever has proved to have one.

A viewer sees, an operator also flips, pauses and rolls back, an approver also lets stages begin. The owner is whoever
may open the control socket: the gateway's own user, who could change everything anyway.
"""

from enum import StrEnum
from typing import Literal, NamedTuple


class Role(StrEnum):
    """What somebody may do, from the least to the most."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    OWNER = "owner"

    def allows(self, needed: "Role") -> bool:
        """Whether what needs that role may be done with this one."""
        return RANKS[self] >= RANKS[needed]


RANKS = {role: rank for rank, role in enumerate(Role)}
GIVEN = (Role.VIEWER, Role.OPERATOR, Role.APPROVER)
"""The roles that can be given away; the owner's is had by being there."""

Via = Literal["socket", "token", "session"]


class Principal(NamedTuple):
    """Somebody who has proved who they are. `id` is of the token or session, `csrf` what a session's forms carry."""

    name: str
    role: Role
    via: Via
    id: str = ""
    csrf: str = ""
    proof: str = ""
    """By what they came in: the token, also of a session that was begun with it; "" where only the name tells."""


class Token(NamedTuple):
    """A token as it is kept: by the hash of its secret. Times are Unix seconds; `ended` is when it was revoked."""

    id: str
    secret: str
    name: str
    role: Role
    by: str
    made: float
    expires: float
    ended: float | None = None

    def problem(self, now: float) -> str:
        """Why it is no good any more; "" where it is."""
        if self.ended is not None:
            return "This token was revoked."
        return "This token has expired." if now >= self.expires else ""


class Session(NamedTuple):
    """A browser's sign-in, kept by the hash of its cookie. `token` is the one it was begun with, "" for none.

    It ends at `until` at the latest, and when nothing was asked with it for a while; `seen` is when something was.
    """

    id: str
    name: str
    role: Role
    csrf: str
    token: str
    made: float
    seen: float
    until: float

    def is_over(self, now: float, idle: float) -> bool:
        """Whether it has ended by itself; `idle` seconds without a request end it."""
        return now >= self.until or now - self.seen >= idle
