"""Ports for servers that are about to be started: nobody may take one between its choice and its use.

The kernel gives connections and listeners that name no port one of its own range, any time. So these are below it
(32768 on Linux, ip(7)), each is handed out once in a long while, and processes that run side by side begin elsewhere.
"""

import os
import socket
from itertools import count

_FIRST, _SIZE = 12_000, 20_000
_next = count(os.getpid() * 7_639)  # neighbours are thousands apart


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nobody listens just now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in _next:
        port = _FIRST + number % _SIZE
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError("There is always a next one.")
