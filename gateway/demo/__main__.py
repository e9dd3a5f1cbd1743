"""`make demo`: the main job on an invented council, in one terminal.

Starts the legacy back office, its replacements and the gateway, each as a process of its own, lets several hundred
tenants ask, and shows who answers while routes.yaml is edited. With `--seconds` it rehearses on a copy of the file,
flips one route half-way, and its exit code says whether all went well.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop
from rich.console import Console

from gateway.config.check import load
from gateway.core.model import Estate
from gateway.demo.board import final
from gateway.demo.company import Company
from gateway.demo.opening import (
    demand_ports,
    flip,
    free_or_another,
    open_gateway,
    open_services,
    page_link,
    rehearsal_copy,
)
from gateway.demo.options import Options, parse
from gateway.demo.show import Setting, Show
from gateway.demo.verdict import objections
from gateway.errors import BanyanError


def main() -> None:
    """Run the demo; the exit code is 0 when the traffic flowed."""
    options = parse(sys.argv[1:])
    try:
        code = uvloop.run(perform(options))
    except BanyanError as error:
        print(f"The demo cannot go on.\n{error}", file=sys.stderr)
        code = 1
    except asyncio.CancelledError:
        print("Stopped before it began.", file=sys.stderr)
        code = 1
    sys.exit(code)


async def perform(options: Options) -> int:
    """Open, show, close, and judge; the exit code."""
    opening = asyncio.current_task()
    assert opening is not None, "perform runs as a task"

    def interrupt() -> None:
        """Once; then what has begun is closed in peace."""
        _on_signals(lambda: None)
        opening.cancel()

    _on_signals(interrupt)
    with tempfile.TemporaryDirectory(prefix="banyan-demo-") as folder:
        return await _perform(options, Path(folder))


async def _perform(options: Options, folder: Path) -> int:
    config, estate = _script(options, folder)
    data = folder / "data"
    listen = free_or_another(options.listen, "the gateway")
    admin = free_or_another(options.admin, "its admin port")
    async with Company(folder) as company:
        await open_services(company, estate)
        gateway = await open_gateway(company, config, listen, admin, data)
        about = Setting(
            address=listen,
            config=config,
            file=str(options.config),
            command=_command(),
            data=data,
            seconds=options.seconds,
            clients=options.clients,
            rate=options.rate,
            page=await page_link(data),
        )
        show = Show(about, estate, Console())
        _on_signals(show.stop)
        await show.run(gateway, partial(flip, config=config, data=data) if options.flip else None)
        scene = show.scene()
    print(final(scene))
    troubles = list(show.troubles)
    if not troubles and gateway.process.returncode:
        troubles.append(gateway.obituary("did not end well"))
    if options.seconds is not None:
        troubles += objections(scene, flipped=options.flip)
    print("\n".join(troubles), end="\n" if troubles else "", file=sys.stderr)
    return 1 if troubles else 0


def _script(options: Options, folder: Path) -> tuple[Path, Estate]:
    """The file to serve, and what it says: the one that people edit, or for a rehearsal a copy."""
    estate = load(options.config, os.environ).estate
    if options.seconds is None:
        demand_ports(estate, str(options.config))
        return options.config, estate
    copy = rehearsal_copy(options.config, estate, folder)
    return copy, load(copy, os.environ).estate


def _command() -> str:
    """How a person calls banyan from here."""
    banyan = Path(sys.executable).with_name("banyan")
    if not banyan.exists():
        return f"{sys.executable} -m gateway"
    return str(banyan.relative_to(Path.cwd())) if banyan.is_relative_to(Path.cwd()) else str(banyan)


def _on_signals(action: Callable[[], object]) -> None:
    """From now on, Ctrl-C, SIGTERM and a closed terminal do this."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, action)


if __name__ == "__main__":
    main()
