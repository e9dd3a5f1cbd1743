"""Notices when the configuration on disk has changed and come to rest.

Folders are watched, not files: editors and Kubernetes put a new file in the old one's place, and a watch on the file
would go on looking at the old. What counts is content: a change is reported once the same bytes were read twice, and
only when they differ from those reported before.
"""

import asyncio
import glob
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

from watchfiles import awatch

from gateway.config.changes import RouteChange as RouteChange
from gateway.config.changes import describe_changes as describe_changes
from gateway.config.changes import reason_to_hold as reason_to_hold
from gateway.config.check import Files, include_patterns, included_files
from gateway.config.yamlmarks import read

LOOK_AGAIN = 2.0
"""Seconds until the content is looked at without being told: network file systems tell nothing."""

Fingerprint = dict[Path, bytes | None]
"""Each file and the hash of its content; None while it cannot be read."""


def _nothing() -> Iterable[Path]:
    return ()


async def settled_changes(
    path: Path,
    *,
    settle: float = 0.1,
    known: Files | None = None,
    beside: Callable[[], Iterable[Path]] = _nothing,
    doubt: asyncio.Event | None = None,
) -> AsyncGenerator[None, None]:
    """Yields when the files of a configuration hold other bytes than before, the same twice `settle` seconds apart.

    `known` is what the caller has read already (`Loaded.files` and `Loaded.beside`); without it, what is there at the
    start. `beside` says which other files count: those that the configuration refers to now. `doubt` is set when the
    caller has read the files by itself meanwhile: what was reported before then counts no more. A missing file or
    folder is no error: it is waited for.
    """
    reader = _Reader(path, beside)
    seen = await asyncio.to_thread(reader.fingerprint)
    if known is not None:
        seen = {file: _hash(data) for file, data in known}
    while True:
        current = await _at_rest(reader, seen, settle)
        if current != seen:
            seen = current
            yield
        folders = await asyncio.to_thread(reader.folders)
        try:
            async with aclosing(_hints(folders)) as hints:
                async for _ in hints:
                    if doubt is not None and doubt.is_set():
                        doubt.clear()
                        seen = {}
                    current = await _at_rest(reader, seen, settle)
                    if current != seen:
                        seen = current
                        yield
                    if await asyncio.to_thread(reader.folders) != folders:
                        break
        except OSError:  # a folder went away just now, or no watch can be had: look without being told
            await asyncio.sleep(LOOK_AGAIN)


async def _at_rest(reader: "_Reader", seen: Fingerprint, settle: float) -> Fingerprint:
    """The content once it stays the same; at once when it is what was seen before."""
    current = await asyncio.to_thread(reader.fingerprint)
    while current != seen:
        await asyncio.sleep(settle)
        again = await asyncio.to_thread(reader.fingerprint)
        if again == current:
            break
        current = again
    return current


async def _hints(folders: frozenset[Path]) -> AsyncGenerator[None, None]:
    """Something moved in one of the folders, or LOOK_AGAIN has passed."""
    watch = awatch(
        *folders,
        watch_filter=None,
        recursive=False,
        step=200,
        debounce=200,
        rust_timeout=int(LOOK_AGAIN * 1_000),
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    async with aclosing(watch) as events:
        async for _ in events:
            yield


class _Reader:
    """Reads the files of a configuration, and knows in which folders they and their like may appear.

    The includes of the last main file that could be read are kept, so that a broken one does not seem to drop them.
    """

    def __init__(self, main: Path, beside: Callable[[], Iterable[Path]]) -> None:
        self.main = main
        self._beside = beside
        self._data = b""
        self._include: object = None

    def fingerprint(self) -> Fingerprint:
        data = _content(self.main)
        if data is not None and data != self._data:
            self._data = data
            self._include = self._included(data)
        files = [self.main, *included_files(self.main, self._include), *self._beside()]
        return {file: None if (content := _content(file)) is None else _hash(content) for file in files}

    def _included(self, data: bytes) -> object:
        """The part of a main file that names others; reading it all is spared when it names none."""
        if b"include" not in data:
            return None
        value = read(data, str(self.main), os.environ).value
        return {"include": value.get("include")} if isinstance(value, dict) else self._include

    def folders(self) -> frozenset[Path]:
        """Where the files are, where links lead, and where a new file would match an `include`."""
        places = {self.main.parent, Path(os.path.realpath(self.main)).parent}
        for pattern in include_patterns(self._include):
            name = os.path.join(self.main.parent, os.path.dirname(pattern))
            places.update(Path(folder) for folder in (glob.glob(name, recursive=True) or [name]))
        for file in self._beside():
            places.update((file.parent, Path(os.path.realpath(file)).parent))
        return frozenset(_existing(place) for place in places)


def _existing(folder: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path())


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()
