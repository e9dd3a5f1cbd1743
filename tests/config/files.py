"""Small configurations on disk, and what the loader makes of them."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from gateway.config.check import Loaded, load
from gateway.core.model import Estate, Route
from gateway.errors import ConfigError

FRAME = """\
version: 1
backends:
  office: {url: "http://127.0.0.1:9001"}
  repairs: {url: "http://127.0.0.1:9002"}
routes:
"""
FRAME_LINES = FRAME.count("\n")


def loaded(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    path = folder / "routes.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load(path, environ or {})


def estate(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Estate:
    return loaded(folder, text, environ).estate


def route(folder: Path, fields: str, environ: Mapping[str, str] | None = None) -> Route:
    """The one route with these fields (in flow style, without the braces)."""
    return estate(folder, FRAME + f"  - {{{fields}}}\n", environ).routes[0]


def problems(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with a file, as "line:column: message"; empty when it loads."""
    try:
        loaded(folder, text, environ)
    except ConfigError as error:
        return [str(problem).removeprefix(f"{folder / 'routes.yaml'}:") for problem in error.problems]
    return []


def route_problems(folder: Path, *routes: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with routes (in flow style, without the braces), as messages without their places."""
    text = FRAME + "".join(f"  - {{{fields}}}\n" for fields in routes)
    return [each.split(": ", 1)[1] for each in problems(folder, text, environ)]
