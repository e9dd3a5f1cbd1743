"""What `banyan run` was told."""

from pathlib import Path
from typing import NamedTuple

from gateway.processes.supervisor import Address


class RunOptions(NamedTuple):
    """Where things are: the file to serve, the two addresses, the data folder; and how much to log."""

    config: Path
    listen: Address
    admin: Address
    data: Path
    log_level: str
