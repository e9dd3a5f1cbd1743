# ruff: noqa: ASYNC240 - a test may block its own loop for a moment
import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gateway.config import live
from gateway.config.check import load
from gateway.config.live import settled_changes

FILE = "version: 1\n"
SETTLE = 0.05
PATIENCE = 8.0


class Watch:
    """Counts what settled_changes yields, in a task of its own."""

    def __init__(self, changes: AsyncGenerator[None, None]) -> None:
        self.changes = changes
        self.queue: asyncio.Queue[None] = asyncio.Queue()

    async def run(self) -> None:
        async for _ in self.changes:
            self.queue.put_nowait(None)

    async def next(self) -> None:
        await asyncio.wait_for(self.queue.get(), PATIENCE)

    async def quiet(self, seconds: float = 0.6) -> bool:
        await asyncio.sleep(seconds)
        return self.queue.empty()


@asynccontextmanager
async def watching(path: Path, **options: object) -> AsyncIterator[Watch]:
    watch = Watch(settled_changes(path, settle=SETTLE, **options))  # type: ignore[arg-type]
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0.2)
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(FILE)
    return path


async def test_a_file_written_in_place_is_noticed(path: Path) -> None:
    """Saving with any editor is enough."""
    async with watching(path) as watch:
        path.write_text(FILE + "# more\n")
        await watch.next()
        assert await watch.quiet()


async def test_a_file_put_in_the_place_of_the_old_is_noticed_every_time(path: Path) -> None:
    """A rename does not lose the watch."""
    async with watching(path) as watch:
        for number in range(3):
            other = path.with_suffix(".tmp")
            other.write_text(f"{FILE}# {number}\n")
            other.rename(path)
            await watch.next()


async def test_files_that_the_configuration_refers_to_count_as_well(path: Path) -> None:
    """A WSDL in a folder of its own is watched, and one that is referred to from now on is, too."""
    (path.parent / "wsdl").mkdir()
    first, second = (path.parent / "wsdl" / name for name in ("first.wsdl", "second.wsdl"))
    first.write_text("<one/>")
    second.write_text("<two/>")
    beside = [first]
    async with watching(path, known=((path, FILE.encode()), (first, b"<one/>")), beside=lambda: beside) as watch:
        second.write_text("<two>not referred to</two>")
        assert await watch.quiet()
        first.write_text("<one>changed</one>")
        await watch.next()
        beside.append(second)
        path.write_text(FILE + "# now it is\n")
        await watch.next()
        second.write_text("<two>changed</two>")
        await watch.next()


async def test_a_change_is_reported_once_it_has_come_to_rest(path: Path) -> None:
    """A file written in pieces is read when the last piece is there."""
    async with watching(path) as watch:
        with path.open("a") as file:
            for _ in range(10):
                file.write("# more\n")
                file.flush()
                await asyncio.sleep(SETTLE / 4)
        await watch.next()
        assert path.read_text().count("# more") == 10
        assert await watch.quiet()


async def test_other_files_and_the_same_bytes_are_no_change(path: Path) -> None:
    """A log beside the configuration, or a save without a change, wakes nobody."""
    async with watching(path) as watch:
        for number in range(20):
            (path.parent / "noise.log").write_text(str(number))
            path.write_text(FILE)
            await asyncio.sleep(0.02)
        assert await watch.quiet()


async def test_a_mounted_configuration_is_noticed(tmp_path: Path) -> None:
    """Kubernetes swaps a link to a folder; the file's own name never changes."""
    for version in ("one", "two", "three"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "routes.yaml").write_text(f"{FILE}# {version}\n")
    (tmp_path / "..data").symlink_to("..one")
    path = tmp_path / "routes.yaml"
    path.symlink_to("..data/routes.yaml")
    async with watching(path) as watch:
        for version in ("two", "three"):
            (tmp_path / "..tmp").symlink_to(f"..{version}")
            (tmp_path / "..tmp").rename(tmp_path / "..data")
            await watch.next()


async def test_included_files_are_watched_and_so_is_the_folder_they_may_come_to(path: Path) -> None:
    """A new file in a folder that did not exist is noticed, and so is its change and its end."""
    path.write_text("version: 1\ninclude: routes.d/*.yaml\n")
    async with watching(path) as watch:
        folder = path.parent / "routes.d"
        folder.mkdir()
        (folder / "a.yaml").write_text("routes: []\n")
        await watch.next()
        (folder / "a.yaml").write_text("routes: []  # same\n")
        await watch.next()
        (folder / "a.yaml").unlink()
        await watch.next()


async def test_a_broken_main_file_keeps_its_includes_in_sight(path: Path) -> None:
    """While the main file is half an edit, its included files are not forgotten."""
    (path.parent / "more.yaml").write_text("routes: []\n")
    path.write_text("version: 1\ninclude: more.yaml\n")
    async with watching(path) as watch:
        path.write_text("version: 1\ninclude: [more.yaml\n")
        await watch.next()
        (path.parent / "more.yaml").write_text("routes: []  # same\n")
        await watch.next()


async def test_what_changed_before_the_watch_began_is_reported(path: Path) -> None:
    """Between reading the file at the start and watching it nothing is lost."""
    known = load(path, {}).files
    path.write_text(FILE + "# more\n")
    async with watching(path, known=known) as watch:
        await watch.next()
        assert await watch.quiet()


async def test_a_missing_file_is_waited_for(path: Path) -> None:
    """A file that goes away and comes back is noticed both times."""
    async with watching(path) as watch:
        path.unlink()
        await watch.next()
        path.write_text(FILE)
        await watch.next()


async def test_without_a_watch_the_content_is_still_looked_at(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system grants no watch, changes are found a little later."""

    def no_watch(*_: object, **__: object) -> AsyncGenerator[None, None]:
        raise OSError("no watches left")

    monkeypatch.setattr(live, "awatch", no_watch)
    monkeypatch.setattr(live, "LOOK_AGAIN", 0.05)
    async with watching(path) as watch:
        path.write_text(FILE + "# more\n")
        await watch.next()
