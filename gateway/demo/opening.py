"""What must stand before traffic can flow: ports, the services that routes.yaml names, and the gateway."""

import asyncio
import os
import re
import sys
from pathlib import Path

from gateway.core.model import Backend, Estate, Route
from gateway.demo import legacy, replacements
from gateway.demo.board import other_side
from gateway.demo.company import Company, Member, free_port, is_free, listening, ready
from gateway.demo.traffic import Address
from gateway.errors import CommandError

SERVICES = {**legacy.SERVICES, **replacements.SERVICES}
FLIP_PATIENCE = 15.0


def played(estate: Estate) -> list[Backend]:
    """The backends that the demo itself brings to life."""
    return [backend for backend in estate.backends if backend.name in SERVICES]


def free_or_another(wanted: Address, what: str) -> Address:
    """The wanted address, or, when it is taken, another port on the same host; says so."""
    if is_free(wanted):
        return wanted
    other = Address(wanted.host, free_port(wanted.host))
    print(f"{wanted} is taken, so {what} is {other}.", flush=True)
    return other


def demand_ports(estate: Estate, file: str) -> None:
    """Every service must find the port that the file gives it."""
    taken = [backend for backend in played(estate) if not is_free(_address(backend))]
    if taken:
        places = ", ".join(f"{_address(backend)} ({backend.name})" for backend in taken)
        raise CommandError(
            f"Something else listens on {places}, where {file} puts services of the demo. "
            f"End it (perhaps another demo), or write other ports into {file}."
        )


def rehearsal_copy(config: Path, estate: Estate, folder: Path) -> Path:
    """A copy of the file to flip in; where one of its ports is taken, the copy names a free one.

    Files that it names stay where they are.
    """
    text = config.read_bytes()
    for backend in played(estate):
        here = _address(backend)
        text = text.replace(f"//{here}".encode(), f"//{free_or_another(here, backend.name)}".encode())
    text = re.sub(rb"(?m)^( *wsdl: )(?!/)", rb"\1" + os.fsencode(config.resolve().parent) + b"/", text)
    copy = folder / config.name
    copy.write_bytes(text)
    return copy


async def open_services(company: Company, estate: Estate) -> None:
    """Start every service and wait until each takes connections."""
    started = []
    for backend in played(estate):
        here = _address(backend)
        command = [sys.executable, "-m", "gateway.demo.serving", backend.name, here.host, str(here.port)]
        started.append((await company.start(backend.name, command, os.environ), here))
    for member, here in started:
        await listening(member, here)


async def open_gateway(company: Company, config: Path, listen: Address, admin: Address, data: Path) -> Member:
    """Start the gateway and wait until it is ready."""
    places = ["--listen", str(listen), "--admin", str(admin), "--data", str(data)]
    command = [sys.executable, "-m", "gateway", "run", "--config", str(config), *places]
    gateway = await company.start("gateway", command, os.environ)
    await ready(gateway, admin)
    return gateway


async def page_link(data: Path) -> str:
    """An address that signs a browser in to the pages, once; "" where there is none to be had."""
    command = [sys.executable, "-m", "gateway", "link", "--for", "1h", "--data", str(data)]
    code, printed = await _run(command)
    return "" if code else printed


async def flip(route: Route, config: Path, data: Path) -> str:
    """Send a route to its other side as a person would, with the command; what went wrong, or nothing."""
    command = [sys.executable, "-m", "gateway", "flip", route.name, other_side(route)]
    command += ["--reason", "half-way through the rehearsal", "--config", str(config), "--data", str(data)]
    try:
        code, printed = await _run(command)
    except TimeoutError:
        return f"The flip did not end within {FLIP_PATIENCE:g} s."
    return f"The flip failed, exit code {code}: {printed}" if code else ""


async def _run(command: list[str]) -> tuple[int, str]:
    """A command's exit code and what it printed. Raises TimeoutError."""
    quiet, pipe, both = asyncio.subprocess.DEVNULL, asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=pipe, stderr=both)
    try:
        async with asyncio.timeout(FLIP_PATIENCE):
            printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, printed.decode().strip()


def _address(backend: Backend) -> Address:
    return Address(backend.host, backend.port)
