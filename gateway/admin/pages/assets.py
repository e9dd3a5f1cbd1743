"""Style sheets and scripts, as they lie in the package. Their addresses carry a digest, so that they may be kept."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

from gateway.access.refusals import Refusal

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES = ("banyan.css", "banyan.js", "icon.svg")
_VENDORED = ("govuk.css", "htmx.min.js", "uplot.min.js", "uplot.min.css")
FOR_A_YEAR = "public, max-age=31536000, immutable"


@cache
def content(name: str) -> bytes:
    """What is in one of them. Raises Refusal."""
    folder = files("gateway.admin") / "static"
    if name in _NAMES:
        return (folder / name).read_bytes()
    if name in _VENDORED:
        return (folder / "vendor" / name).read_bytes()
    raise Refusal(404, f"There is no file {name!r}.")


@cache
def address(name: str) -> str:
    """Where a browser finds it."""
    return f"/static/{name}?{sha256(content(name)).hexdigest()[:12]}"


async def asset(request: web.Request) -> web.Response:
    name = request.match_info["file"]
    return web.Response(
        body=content(name),
        content_type=_TYPES[name.rpartition(".")[2]],
        charset="utf-8",
        headers={"Cache-Control": FOR_A_YEAR},
    )
