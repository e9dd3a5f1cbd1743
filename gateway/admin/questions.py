"""What may be asked on the admin port, and by whom: one table, from which addresses, roles and their document come."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import web

from gateway.core.access import Role

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Question(NamedTuple):
    """An address that changes nothing. `role` None: anybody. `query` tells what its parameters are."""

    path: str
    role: Role | None
    about: str
    handler: Handler
    query: Mapping[str, str] = {}
    method: str = "GET"
    answers: str = "application/json"
