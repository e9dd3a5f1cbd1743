"""Putting the admin room on its two sockets: a TCP port, where a token is needed, and a Unix socket for its owner."""

import socket
from typing import Any

from aiohttp import web

from gateway.admin.guards import LOOPBACK_ONLY
from gateway.core.identity import is_loopback
from gateway.errors import CommandError

BACKLOG = 64


async def serve(app: web.Application, listen: tuple[str, int]) -> web.AppRunner:
    """Serve on a host and port (0: any free one, `runner.addresses` tells). Raises CommandError when it is taken."""
    host, port = listen
    app[LOOPBACK_ONLY] = is_loopback(host)
    try:
        listener = _listener(host, port)
    except OSError as error:
        why = error.strerror or error
        raise CommandError(
            f"The admin port cannot listen on {host} port {port}: {why}. Choose another with --admin HOST:PORT."
        ) from error
    return await _serve(app, listener)


async def serve_unix(app: web.Application, listener: socket.socket) -> web.AppRunner:
    """Serve on a Unix socket that listens already."""
    return await _serve(app, listener)


def address_for_browsers(address: tuple[Any, ...]) -> str:
    """What a browser on this machine calls a listening address."""
    host, port = address[:2]
    named = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}"


async def _serve(app: web.Application, listener: socket.socket) -> web.AppRunner:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    return runner


def _listener(host: str, port: int) -> socket.socket:
    """`::` means every address of this machine, of either family."""
    if host == "::":
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        return socket.create_server(("", port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
