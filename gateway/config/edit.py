"""Changing one word of routes.yaml: which side serves a route.

The scalar is spliced in the file's own text at its mark, so that comments, quotes, line ends and everything else stay
byte for byte. The result is loaded and checked in memory first; nothing but that route's `serve` may differ.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from gateway.config import words
from gateway.config.check import Loaded, load
from gateway.config.problems import Unreadable
from gateway.config.yamlmarks import Document, Pointer, Spot, read
from gateway.core.model import Route
from gateway.core.policies import Ramp
from gateway.errors import CommandError, ConfigError

_BOM = b"\xef\xbb\xbf"


class Flip(NamedTuple):
    """One word changed, not yet written. `line` is where, `before` and `after` that line; equal when nothing changes.

    `before` is empty when the line is new; `digest` is of all that serves then.
    """

    file: Path
    line: int
    before: str
    after: str
    old_text: bytes
    new_text: bytes
    digest: str = ""


class _Splice(NamedTuple):
    """Text to put in the place of text[start:end]."""

    start: int
    end: int
    text: str


def flip(path: Path, route_name: str, word: str, environ: Mapping[str, str]) -> Flip:
    """The change that makes a route serve `word`: legacy, new, 10%, "10% new", ramp or retired. Writes nothing."""
    wanted = _canonical(word)
    loaded = load(path, environ)
    route = _route(loaded, route_name)
    file, data = _source(loaded, route)
    document = read(data, str(file), environ)
    pointer = _pointer(document, route_name)
    text = data.removeprefix(_BOM).decode()
    splice = _splice(document, pointer, text, wanted)
    changed = text[: splice.start] + splice.text + text[splice.end :]
    new_text = data[: len(_BOM) * data.startswith(_BOM)] + changed.encode()
    digest = _check(path, loaded, route, file, new_text, environ, wanted)
    return _flip(file, text, changed, splice, data, new_text)._replace(digest=digest)


def _canonical(word: str) -> str:
    """A word as the file has it; a bare share gets its ` new`."""
    try:
        serve = words.serve(f"{word} new" if word.endswith("%") else word)
    except Unreadable as error:
        message = str(error).replace("{written}", f"'{word}'")
        raise CommandError(f"{message} (on the command line 10% will do)") from error
    return words.serve_text(*serve)


def _route(loaded: Loaded, name: str) -> Route:
    routes = {route.name: route for route in loaded.estate.routes}
    if name not in routes:
        from difflib import get_close_matches  # only for a message

        nearest = get_close_matches(name, routes, 1)
        hint = f"did you mean {nearest[0]}?" if nearest else "`banyan routes` lists them"
        raise CommandError(f"There is no route {name}; {hint}")
    return routes[name]


def _source(loaded: Loaded, route: Route) -> tuple[Path, bytes]:
    """The file that a route stands in."""
    return next((file, data) for file, data in loaded.files if route.place and route.place.file == str(file))


def _pointer(document: Document, name: str) -> Pointer:
    routes = enumerate(document.value["routes"])
    return next(("routes", at) for at, route in routes if route["name"] == name)


# ------------------------------------------------------------------------------------------------ the splice


def _splice(document: Document, pointer: Pointer, text: str, wanted: str) -> _Splice:
    serve = document.spots.get((*pointer, "serve"))
    if serve is None:
        return _insertion(document, pointer, text, wanted)
    where = document.place((*pointer, "serve"))
    if "${" in serve.written:
        raise CommandError(f"{where}: serve comes from the environment ({serve.written}); change it there")
    if serve.style in ("|", ">"):
        raise CommandError(f"{where}: serve is written as a block; write `serve: {wanted}` in one line by hand")
    return _Splice(serve.start.index, serve.end.index, f"{serve.style}{wanted}{serve.style}")


def _insertion(document: Document, pointer: Pointer, text: str, wanted: str) -> _Splice:
    """A `serve` where there was none: behind the match, in the same style."""
    match = document.spots[*pointer, "match"]
    last = _last(document, (*pointer, "match"))
    if document.spots[pointer].style == "flow":
        return _Splice(last.end.index, last.end.index, f", serve: {wanted}")
    if last.style in ("|", ">"):
        raise CommandError(f"{document.place(pointer)}: add the line `serve: {wanted}` to this route by hand")
    end = text.find("\n", last.end.index)
    newline = "\r\n" if text[max(end - 1, 0) : end] == "\r" or (end < 0 and "\r\n" in text) else "\n"
    line = f"{' ' * match.key.column}serve: {wanted}"
    if end < 0:
        return _Splice(len(text), len(text), newline + line)
    return _Splice(end + 1, end + 1, line + newline)


def _last(document: Document, pointer: Pointer) -> Spot:
    """The spot that ends last within a value: a block's own end is noted only where the next thing begins."""
    size = len(pointer)
    spots = [spot for at, spot in document.spots.items() if at[:size] == pointer and spot.style != "block"]
    return max(spots, key=lambda spot: int(spot.end.index))


def _flip(file: Path, text: str, changed: str, splice: _Splice, old: bytes, new: bytes) -> Flip:
    lines, new_lines = text.replace("\r\n", "\n").split("\n"), changed.replace("\r\n", "\n").split("\n")
    pairs = enumerate(zip(lines, new_lines, strict=False))
    if text == changed:
        at = text.count("\n", 0, splice.start)
    else:
        at = next((at for at, (line, new_line) in pairs if line != new_line), len(lines))
    before = lines[at] if len(lines) == len(new_lines) else ""
    return Flip(file, at + 1, before, new_lines[at], old, new)


def _check(
    path: Path, loaded: Loaded, route: Route, file: Path, new_text: bytes, environ: Mapping[str, str], wanted: str
) -> str:
    """The digest of what the changed file says: it must load, and say the same of everything but this one word."""
    try:
        changed = load(path, environ, {file: new_text}).estate
    except ConfigError as error:
        reasons = "\n".join(str(problem) for problem in error.problems)
        raise CommandError(f"{route.name} cannot serve {wanted}; nothing was changed:\n{reasons}") from error
    serve = words.serve(wanted)
    expected = [
        each._replace(serve=serve.serve, share=serve.share) if each.name == route.name else each
        for each in loaded.estate.routes
    ]
    same_around = (changed.gateway, changed.backends) == (loaded.estate.gateway, loaded.estate.backends)
    if not same_around or _said(changed.routes) != _said(expected):
        raise CommandError(f"Changing {route.place} would change more than its serve; change it by hand")
    return changed.digest


def _said(routes: Iterable[Route]) -> list[Route]:
    """What routes say, wherever they stand: a ramp that only has the defaults may as well be left out."""
    return [each._replace(place=None, ramp=None if each.ramp == Ramp() else each.ramp) for each in routes]


# ------------------------------------------------------------------------------------------------ writing


def write(flip: Flip) -> None:
    """Put a flip on disk, all at once: readers see the old file or the new one. Links are followed."""
    target = Path(os.path.realpath(flip.file))
    with _explained(target):
        status = target.stat()
        for place, mode in ((target, status.st_mode), (target.parent, target.parent.stat().st_mode)):
            if not mode & 0o222 or not os.access(place, os.W_OK):
                raise CommandError(f"{place} is read-only; change the file where it is kept, such as its repository")
        if target.read_bytes() != flip.old_text:
            raise CommandError(f"{flip.file} was changed by someone else meanwhile; look at it and flip again")
        if flip.new_text != flip.old_text:
            _replace(target, flip.new_text, status)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = "change the file where it is kept, such as its repository"
        raise CommandError(f"{target} cannot be written ({error.strerror}); {advice}") from error


def _replace(target: Path, data: bytes, status: os.stat_result) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), status.st_mode & 0o7777)
            with suppress(PermissionError):  # only root gives files away; the file is ours then, with the same mode
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            os.fsync(file.fileno())
        os.replace(name, target)
    except OSError:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def starter() -> str:
    """The commented file that `banyan init` writes."""
    return files("gateway.config").joinpath("starter.yaml").read_text(encoding="utf-8")
