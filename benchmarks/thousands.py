"""A large council's routes.yaml: 2,000 routes in 25 areas, all with two sides, at every stage of the move.

A few hundred of them are busy in every minute; the others are called now and then, or never.
"""

from typing import NamedTuple
from zlib import crc32

from benchmarks import estate
from gateway.store.values import Override

_WORDS = """
housing repairs rents council-tax benefits planning licensing parking waste highways schools libraries leisure
adult-care children elections payments customers addresses documents notices assets fleet payroll suppliers
"""
AREAS = tuple(_WORDS.split())
SYSTEMS = 12
"""Legacy systems, each of which answers for some areas."""
KINDS = ("legacy",) * 16 + ("shadowed",) * 4 + ("new",) * 10 + ("split",) * 9 + ("ramp",)
"""What serves, in turn: of 40 routes one ramps, and four have a part of their requests compared."""
SERVES = {
    "legacy": "serve: legacy",
    "shadowed": "serve: legacy, shadow: 5%",
    "new": "serve: new",
    "split": f"serve: 10% new, sticky: {{cookie: {estate.COOKIE}}}",
    "ramp": f"serve: ramp, sticky: {{cookie: {estate.COOKIE}}}, shadow: 5%, "
    "ramp: {stages: [1%, 5%, 25%, 50%, 100%], every: 1d, approve_at: [5%]}",
}
OVERRIDDEN = 20


class Known(NamedTuple):
    """One route: what serves it, and the minutes between its calls (1: it is busy; 0: nobody calls it)."""

    name: str
    pattern: str
    kind: str
    legacy: str
    new: str
    every: int

    @property
    def serves(self) -> tuple[str, ...]:
        """The sides whose answers its clients get."""
        return {"new": ("new",), "split": ("legacy", "new"), "ramp": ("legacy", "new")}.get(self.kind, ("legacy",))

    @property
    def is_compared(self) -> bool:
        return self.kind in ("shadowed", "ramp")


def routes(count: int) -> list[Known]:
    """So many of them; the same ones each time."""
    return [_route(n) for n in range(count)]


def _route(n: int) -> Known:
    area = n % len(AREAS)
    name = f"{AREAS[area]}-{n // len(AREAS)}"
    drawn = crc32(name.encode())
    every = 1 if drawn % 20 < 3 else 0 if drawn % 20 == 3 else 20 + drawn % 400
    path = f"/{AREAS[area]}/item{n}/" + ("summary" if n % 2 else "{id}")
    kind = KINDS[(n + area) % len(KINDS)]
    return Known(name, f"GET {path}", kind, f"legacy-{area % SYSTEMS}", f"new-{AREAS[area]}", every)


def yaml(known: list[Known], legacy: int, new: int, access_log: str = "off") -> str:
    """The file, whose backends all are one of two origins, given by their ports."""
    backends = {each.legacy: legacy for each in known} | {each.new: new for each in known}
    return "\n".join(
        [
            "version: 1",
            f'gateway: {{access_log: {{to: "{access_log}"}}, served_by: false, admin: {{name: "A year of it"}}}}',
            "backends:",
            *(f'  {name}: {{url: "http://127.0.0.1:{port}"}}' for name, port in backends.items()),
            "routes:",
            *(
                f'  - {{name: {each.name}, match: "{each.pattern}", legacy: {each.legacy}, new: {each.new}, '
                f"{SERVES[each.kind]}}}"
                for each in known
            ),
            "",
        ]
    )


def overrides(known: list[Known], now: float) -> list[Override]:
    """Routes that a person has put back to legacy."""
    moved = [each for each in known if each.kind == "new"][:OVERRIDDEN]
    return [Override(each.name, 0, None, "it was slow", "Ada", now - 3_600, None, "new") for each in moved]


def requests(known: list[Known]) -> list[bytes]:
    """One for each busy route, of as many clients."""
    busy = [each for each in known if each.every == 1]
    return [estate.request(each.pattern[4:].replace("{id}", str(n)), n) for n, each in enumerate(busy)]
