"""What the admin room needs of the control process: questions and orders. `app` hands it in."""

from collections.abc import Sequence
from typing import Any, Protocol

from gateway.access.auditor import Auditor
from gateway.access.eyes import FourEyes
from gateway.access.keyring import Keyring
from gateway.config.changes import ReloadResult as ReloadResult
from gateway.config.check import Loaded
from gateway.core.matching import RoutingTable
from gateway.rollouts.capturing import Captures
from gateway.rollouts.replaying import Replays
from gateway.store.repository import Store

Document = dict[str, Any]


class Desk(Protocol):
    """Ramps, overrides, comparisons and events, as plain JSON values (`rollouts.desk` says which).

    What names no route or journey, or cannot be done, is a CommandError. An order's answer has a `message` for people,
    and `holds`: whether the traffic goes by it on this replica.
    """

    def routes(self) -> dict[str, Document]:
        """Per route: `share`, the new side's per cent of reads that holds now, and `standing` in words."""
        ...

    def ramps(self) -> list[Document]:
        """Every ramp."""
        ...

    def ramp(self, name: str) -> Document:
        """The ramp of a route or journey."""
        ...

    def overrides(self) -> list[Document]:
        """Every live override."""
        ...

    async def act(self, name: str, action: str, by: str, reason: str) -> Document:
        """Pause, resume, approve, promote, rollback or restart."""
        ...

    async def override(
        self, name: str, serve: str, seconds: float | None, *, writes: bool, by: str, reason: str
    ) -> Document:
        """Have a route serve something else than the file says; `seconds` None is without an end."""
        ...

    async def clear_override(self, name: str, by: str, reason: str) -> Document:
        """End an override."""
        ...

    async def shadow(self, name: str, hours: float) -> Document:
        """What comparing a route's answers has shown."""
        ...

    async def events(self, limit: int, before: str | None, route: str | None, journey: str | None) -> Document:
        """What happened, the latest first."""
        ...


class WritesDesk(Protocol):
    """Writes that are owed, as plain JSON values (`writes.desk` says which). What cannot be done is a CommandError."""

    async def listed(self, states: Sequence[str], route: str | None, limit: int, after: int) -> Document:
        """Those in these states, the oldest first, and how many there are of each."""
        ...

    async def one(self, write_id: str) -> Document:
        """One of them."""
        ...

    async def steer(self, write_id: str, word: str, by: str, reason: str) -> Document:
        """Retry or drop one."""
        ...


class Reconciling(Protocol):
    """Both sides are read key by key (`writes.reconciling`)."""

    async def keys(self, name: str) -> Document:
        """What there is to be looked at of a route's journey."""
        ...

    async def run(self, name: str, keys: Sequence[str], repair: bool, fields: Sequence[str], by: str) -> Document:
        """A result for each key."""
        ...


class Steering(Protocol):
    """A control process, as far as the admin room sees it."""

    @property
    def loaded(self) -> Loaded:
        """The accepted configuration."""
        ...

    @property
    def table(self) -> RoutingTable:
        """Control's own copy of the table that serves."""
        ...

    @property
    def desk(self) -> Desk:
        """Whom to ask about ramps, overrides and comparisons."""
        ...

    @property
    def writes(self) -> WritesDesk:
        """Whom to ask about writes that are owed."""
        ...

    @property
    def reconciling(self) -> Reconciling:
        """Who reads both sides."""
        ...

    @property
    def captures(self) -> Captures:
        """What is captured of the traffic that passes."""
        ...

    @property
    def replays(self) -> Replays:
        """Recorded requests that are sent again."""
        ...

    @property
    def admin_url(self) -> str:
        """Where the admin port is found by a browser: http://127.0.0.1:8081"""
        ...

    @property
    def store_now(self) -> Store | None:
        """The store, where it has been opened: for figures."""
        ...

    @property
    def keyring(self) -> Keyring:
        """Who may come in."""
        ...

    @property
    def four_eyes(self) -> FourEyes:
        """What waits for a second person."""
        ...

    @property
    def auditor(self) -> Auditor:
        """Who writes down what people do."""
        ...

    async def reload(self, *, accept: bool, by: str = "", why: str = "") -> ReloadResult:
        """Read the file and serve it; `accept` takes one that is held back."""
        ...

    async def try_sides(self, method: str, url: str, headers: Sequence[str], body: bytes, side: str) -> Document:
        """Ask legacy, new or both the same, with nobody waiting for it; what they say. Raises CommandError."""
        ...

    async def flip(self, name: str, serve: str, by: str, why: str) -> Document:
        """Change in the file what serves a route, and serve that. Raises CommandError."""
        ...

    async def revert(self, number: int, by: str, why: str) -> Document:
        """Put an earlier configuration in the place of the present one. Raises CommandError."""
        ...

    async def discovered(self) -> Document:
        """What catch-all routes are asked for, and routes to paste for it."""
        ...

    async def configurations(self) -> Document:
        """What served, the latest first, and why the store does not tell where it does not."""
        ...

    def status(self) -> dict[str, Any]:
        """How the gateway is, as plain JSON values."""
        ...

    def traffic(self) -> dict[str, dict[str, Any]]:
        """Per route: `legacy` and `new`, each with `requests` and `errors`, and `refused`."""
        ...

    async def metrics(self) -> bytes:
        """Prometheus' text format."""
        ...

    def order(self, *message: object) -> bool:
        """Send the data process an order that has no answer; False when it cannot be reached."""
        ...
