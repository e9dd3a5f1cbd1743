"""Small estates for tests, without a file."""

from gateway.core.model import Backend, Estate, Gateway, Match, Route, Segment, Serve, Sticky, Target

COOKIE = Sticky("cookie", b"tenancy")


def route(
    name: str,
    serve: Serve = Serve.LEGACY,
    share: int = 0,
    *,
    method: bytes = b"GET",
    journey: str = "",
    sticky: Sticky | None = COOKIE,
    safe: bool | None = None,
) -> Route:
    """A route with both sides at /NAME."""
    match = Match((method,) if method else (), (Segment("literal", name.encode()),))
    return Route(
        name=name,
        id=name,
        match=match,
        pattern=f"{(method or b'ANY').decode()} /{name}",
        serve=serve,
        share=share,
        legacy=Target("housing-legacy"),
        new=Target("housing-new"),
        journey=journey or name,
        sticky=sticky,
        safe=safe,
    )


def estate(*routes: Route, ports: tuple[int, int] = (1, 2)) -> Estate:
    """These routes, on the demo's two housing services."""
    names = ("housing-legacy", "housing-new", "somebody-else")
    backends = tuple(Backend(name, "127.0.0.1", port) for name, port in zip(names, (*ports, 3), strict=True))
    return Estate(Gateway(), backends, routes, "digest")
