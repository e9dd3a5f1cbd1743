"""Events to be stored."""

from gateway.core.events import Event


def happened(id: str = "evt_1", at: float = 100.5, route: str = "repairs", journey: str = "rents") -> Event:
    return Event(id, at, "rolled_back", route, journey, "ada", "Parity is too low.", {"parity": 0.96, "guards": ["p"]})
