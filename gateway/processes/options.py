"""What `banyan run` was told."""

from pathlib import Path
from typing import NamedTuple

from gateway.processes.supervisor import Address


class RunOptions(NamedTuple):
    """Where things are: the file to serve, the two addresses, the data folder; how much to log; the store's URL.

    `store` None: what the file says, or a file in the data folder.
    """

    config: Path
    listen: Address
    admin: Address
    data: Path
    log_level: str
    store: str | None = None
