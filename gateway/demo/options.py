"""The command line of the demo."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.demo.traffic import Address


class Options(NamedTuple):
    """What was asked for; `seconds` None means: until Ctrl-C, on the file itself."""

    seconds: float | None
    flip: bool
    config: Path
    listen: Address
    admin: Address
    clients: int
    rate: float


def parse(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Options:
    """The options, or a usage message and exit code 2."""
    about = "The gateway in front of an invented council: legacy and new services, and steady traffic."
    parser = argparse.ArgumentParser(prog="python -m gateway.demo", description=about)
    flip = argparse.BooleanOptionalAction
    listen, admin = environ.get("BANYAN_LISTEN", "127.0.0.1:8080"), environ.get("BANYAN_ADMIN", "127.0.0.1:8081")
    parser.add_argument("--seconds", type=_positive, help="rehearse for so long on a copy of the file, then end")
    parser.add_argument("--flip", action=flip, default=True, help="in a rehearsal, flip a route half-way")
    parser.add_argument("--config", type=Path, default=Path("routes.yaml"), help="the file to serve (routes.yaml)")
    parser.add_argument("--listen", type=address, default=listen, help=f"where the gateway listens ({listen})")
    parser.add_argument("--admin", type=address, default=admin, help=f"where its admin port listens ({admin})")
    parser.add_argument("--clients", type=_count, default=300, help="tenants, each with a connection (300)")
    parser.add_argument("--rate", type=_positive, default=400.0, help="requests a second, all together (400)")
    return Options(**vars(parser.parse_args(arguments)))


def address(text: str) -> Address:
    """HOST:PORT, an IPv6 host in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as 127.0.0.1:8080")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not a count from 1 to 10000")
    return int(text)
