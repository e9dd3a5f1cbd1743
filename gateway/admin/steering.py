"""What the admin room needs of the control process: a few questions and one order. `app` hands it in."""

from typing import Any, Protocol

from gateway.config.changes import ReloadResult as ReloadResult
from gateway.config.check import Loaded
from gateway.core.matching import RoutingTable
from gateway.rollouts.capturing import Captures
from gateway.rollouts.replaying import Replays


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
    def captures(self) -> Captures:
        """What is captured of the traffic that passes."""
        ...

    @property
    def replays(self) -> Replays:
        """Recorded requests that are sent again."""
        ...

    async def reload(self, *, accept: bool) -> ReloadResult:
        """Read the file and serve it; `accept` takes one that is held back."""
        ...

    def status(self) -> dict[str, Any]:
        """How the gateway is, as plain JSON values."""
        ...

    def traffic(self) -> dict[str, dict[str, Any]]:
        """Per route: `legacy` and `new`, each with `requests` and `errors`, and `refused`."""
        ...

    def metrics(self) -> bytes:
        """Prometheus' text format."""
        ...

    def order(self, *message: object) -> bool:
        """Send the data process an order that has no answer; False when it cannot be reached."""
        ...
