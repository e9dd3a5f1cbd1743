"""How long anything may take: the shapes of `timeout` on a backend, on a route and on the gateway."""

from gateway.config.kinds import Duration, DurationOrZero, Maybe, Spec


class BackendTimeoutSpec(Spec):
    """How long a backend may take."""

    connect: Maybe[Duration] = None
    """For a connection to be made. Default 3s."""
    response: Maybe[Duration] = None
    """From the request's last byte to the answer's head. Default 60s."""
    answer_idle: Maybe[Duration] = None
    """Between bytes of the answer, on either side. Default 60s."""
    total: Maybe[DurationOrZero] = None
    """For the whole exchange; 0s, the default, means no bound."""


class RouteTimeoutSpec(BackendTimeoutSpec):
    """How long an exchange on this route may take."""

    body_idle: Maybe[Duration] = None
    """Between bytes of the request's body. Default 30s."""


class TimeoutSpec(RouteTimeoutSpec):
    """How long anything may take, unless a backend or route says otherwise."""

    head: Maybe[Duration] = None
    """For a request's head, from its first byte. Default 10s."""
