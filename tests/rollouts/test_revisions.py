"""Every configuration that served is kept with who brought it and why, and an earlier one can be put back."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.config.check import Loaded, load
from gateway.core.auditing import Act, act_of
from gateway.core.model import Estate
from gateway.errors import CommandError, StoreUnavailable
from gateway.rollouts import revisions as module
from gateway.rollouts.revisions import Revisions
from gateway.store.repository import Store
from tests.support.acts import act
from tests.support.databases import without
from tests.support.rents import RENTS

NOW = 1_800_000_000.0
MAIN = """\
# Zo\u00eb keeps this\r
version: 1
backends: {office: {url: "http://127.0.0.1:1"}, repairs: {url: "http://127.0.0.1:2"}}
include: [more/*.yaml]
routes:
  - {name: list, match: GET /repairs, legacy: office, new: repairs, serve: legacy}
  - {name: rest, match: ANY /**, legacy: office}
"""
MORE = "routes:\n  - {name: more, match: GET /more, legacy: office, new: repairs, serve: 10% new}\n"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(module, "time", lambda: NOW)
    with capture_logs():
        yield


class Files:
    """A configuration of two files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.main = folder / "routes.yaml"
        self.more = folder / "more" / "more.yaml"
        self.more.parent.mkdir()
        self.write()

    def write(self, main: str = MAIN, more: str = MORE) -> Loaded:
        """Both, and what they say."""
        for path, text in ((self.main, main), (self.more, more)):
            path.write_bytes(text.encode())
        return self.loaded

    @property
    def loaded(self) -> Loaded:
        return load(self.main, {})

    @property
    def texts(self) -> tuple[str, str]:
        return self.main.read_bytes().decode(), self.more.read_bytes().decode()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def flipped(text: str, word: str) -> str:
    return text.replace("serve: legacy", f"serve: {word}")


def revisions(store: Callable[[], Store | None], settled: list[Act] | None = None) -> Revisions:
    """With whoever keeps acts until they are told."""

    async def settle(act: Act) -> None:
        if settled is not None:
            settled.append(act)

    return Revisions(store, settle)


async def kept(store: Store, *loaded: Loaded) -> Revisions:
    """Revisions after these have served, one after another."""
    found, before = revisions(lambda: store), list[Estate | None]([None])
    for each in loaded:
        found.note(before[-1], each, "Ann", "a test")
        before.append(each.estate)
    await found.tell()
    return found


# ------------------------------------------------------------------------------------------------ keeping


async def test_what_served_is_listed(store: Store, files: Files) -> None:
    """The latest first: when, by whom, why, what is different from before, and how many routes serve what."""
    first, second = files.loaded, files.write(flipped(MAIN, "new"))
    found = revisions(lambda: store)
    found.note(None, first, "the file", "read as the gateway began")
    found.note(first.estate, second, "Ann", "parity is fine")
    await found.tell()
    when = "2027-01-15T08:00:00+00:00"
    assert await found.listed() == {
        "configurations": [
            {
                "number": 2,
                "digest": second.estate.digest,
                "at": when,
                "by": "Ann",
                "why": "parity is fine",
                "changes": [{"name": "list", "field": "serve", "before": "legacy", "after": "new"}],
                "counts": {"new": 1, "legacy": 1, "split": 1},
            },
            {
                "number": 1,
                "digest": first.estate.digest,
                "at": when,
                "by": "the file",
                "why": "read as the gateway began",
                "changes": [],
                "counts": {"legacy": 2, "split": 1},
            },
        ],
        "store": "",
    }
    assert [each["number"] for each in (await found.listed(1))["configurations"]] == [2]


async def test_a_restart_is_no_change(store: Store, files: Files) -> None:
    """The same file is not listed again, whichever gateway reads it."""
    await kept(store, files.loaded)
    found = await kept(store, files.loaded)
    assert [each["number"] for each in (await found.listed())["configurations"]] == [1]


async def test_who_brought_a_file_is_in_the_audit_once(store: Store, files: Files) -> None:
    """With what served before, as the store knows, by whichever gateway it comes; the first of all changes nothing."""
    first, second, settled = files.loaded, files.write(flipped(MAIN, "new")), list[Act]()
    for number, loaded in enumerate((first, second, second)):
        one = revisions(lambda: store, settled)
        one.note(None, loaded, "the file", "began", act(number, before={"x": 1}))
        assert len(settled) == number
        await one.tell()
    assert [each.id for each in settled] == ["a0", "a1", "a2"]
    [told] = [act_of(each.text) for each in await store.audit(None, 10)]
    assert told == act(1, before={"x": 1, "digest": first.estate.digest})


async def test_what_a_lever_brought_is_not_in_the_audit_twice(store: Store, files: Files) -> None:
    """It writes there itself."""
    await kept(store, files.loaded, files.write(flipped(MAIN, "new")))
    assert await store.audit(None, 10) == []


async def test_what_the_store_cannot_take_is_told_later(
    store: Store, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, in its order, with the time at which it served; meanwhile it is said why nothing is listed."""
    monkeypatch.setattr(module, "AGAIN", 0.02)
    there: list[Store] = []
    found = revisions(lambda: there[0] if there else None)
    for word in ("new", "10% new", "legacy"):
        found.note(None, files.write(flipped(MAIN, word)), "Ann", word)
    await found.tell()
    assert await found.listed() == {"configurations": [], "store": "The store has not been opened yet."}
    running = asyncio.ensure_future(found.run())
    async with without(store, "configurations"):
        there.append(store)
        await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailable):
            await found.tell()
        assert "failed" in (await found.listed())["store"]
    async with asyncio.timeout(5):
        while len((await found.listed())["configurations"]) < 3:  # noqa: ASYNC110 - it is told by itself
            await asyncio.sleep(0.02)
    assert [each["why"] for each in (await found.listed())["configurations"]] == ["legacy", "10% new", "new"]
    running.cancel()
    await asyncio.wait({running})


async def test_what_waits_is_bounded(store: Store, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that changes all night while the store is away: the latest are kept, also while one is being told."""
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    found = revisions(lambda: store)
    for number in range(5):
        found.note(None, files.write(MAIN + f"# {number}\n"), "Ann", f"{number}")
    telling = asyncio.ensure_future(found.tell())
    await asyncio.sleep(0)
    for number in range(5, 8):
        found.note(None, files.write(MAIN + f"# {number}\n"), "Ann", f"{number}")
    await telling
    assert [each["why"] for each in (await found.listed())["configurations"]] == ["7", "6", "5", "2"]


async def test_few_of_many_changes_are_kept(store: Store, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was replaced by another one would have thousands."""
    monkeypatch.setattr(module, "MOST", 2)
    other = files.write(MAIN.replace("repairs", "others"), MORE.replace("repairs", "others"))
    found = await kept(store, files.write(), other)
    assert len((await found.listed())["configurations"][0]["changes"]) == 2


# ------------------------------------------------------------------------------------------------ putting back


async def test_an_earlier_one_is_put_back_byte_for_byte(store: Store, files: Files) -> None:
    """All of its files; the digest is the one that it had."""
    first = files.write("\ufeff" + MAIN, MORE.replace("10%", "25%"))
    second = files.write(flipped(MAIN, "new"))
    found = await kept(store, first, second)
    assert await found.put_back(1, files.main, second, {}) == first.estate.digest
    assert files.texts == ("\ufeff" + MAIN, MORE.replace("10%", "25%"))
    assert await found.put_back(2, files.main, first, {}) == second.estate.digest
    assert files.texts == (flipped(MAIN, "new"), MORE)


async def test_the_present_one_may_be_put_back(store: Store, files: Files) -> None:
    """Nothing is written then."""
    found = await kept(store, files.loaded)
    before = files.main.stat()
    written = (before.st_ino, before.st_mtime_ns)
    assert await found.put_back(1, files.main, files.loaded, {}) == files.loaded.estate.digest
    after = files.main.stat()
    assert (after.st_ino, after.st_mtime_ns) == written


async def test_only_what_served_can_be_put_back(store: Store, files: Files) -> None:
    """A number that is none is said to be so, also where there is no store yet."""
    found = await kept(store, files.loaded)
    for each in (found, revisions(lambda: None)):
        with pytest.raises(CommandError, match="There is no configuration 2: /api/v1/configurations lists them"):
            await each.put_back(2, files.main, files.loaded, {})
    async with without(store, "configurations"):
        with pytest.raises(StoreUnavailable):
            await found.put_back(1, files.main, files.loaded, {})


async def test_files_do_not_come_and_go(store: Store, files: Files) -> None:
    """Where it was made of other files than there are now, somebody has to see to that."""
    found = await kept(store, files.loaded)
    other = files.more.with_name("other.yaml")
    files.more.rename(other)
    with pytest.raises(CommandError, match=r"Other files belonged to it .*more\.yaml.*other\.yaml"):
        await found.put_back(1, files.main, files.loaded, {})
    assert other.read_text() == MORE


async def test_what_would_not_be_valid_today_is_not_put_back(store: Store, files: Files) -> None:
    """A word from the environment that is not there any more, say. Nothing is written."""
    files.main.write_text(MAIN.replace("http://127.0.0.1:1", "${OFFICE}"), newline="")
    first = load(files.main, {"OFFICE": "http://127.0.0.1:1"})
    second = files.write()
    found = await kept(store, first, second)
    with pytest.raises(CommandError, match=r"It would not be valid today: .*routes\.yaml.*OFFICE"):
        await found.put_back(1, files.main, second, {})
    assert files.texts == (MAIN, MORE)
    assert await found.put_back(1, files.main, second, {"OFFICE": "http://127.0.0.1:1"}) == first.estate.digest


async def test_what_somebody_is_writing_is_not_overwritten(store: Store, files: Files) -> None:
    """Neither file is changed where one of them is another one than that which serves."""
    first = files.write(flipped(MAIN, "new"), MORE.replace("10%", "25%"))
    second = files.write()
    found = await kept(store, first, second)
    files.more.write_text(MORE + "# mine\n")
    with pytest.raises(CommandError, match="changed by someone else meanwhile"):
        await found.put_back(1, files.main, second, {})
    assert files.texts == (MAIN, MORE + "# mine\n")


async def test_documents_beside_the_files_are_not_put_back(store: Store, files: Files) -> None:
    """They are not kept; whoever wants them back is told, and the digest is that of what serves then."""
    wsdl = files.main.with_name("rents.wsdl")
    wsdl.write_text(RENTS)
    text = MAIN.replace('2"}}', '2"}, rents: {type: soap, wsdl: rents.wsdl, url: "http://127.0.0.1:3"}}')
    first = files.write(text)
    wsdl.write_text(RENTS + "<!-- newer -->")
    second, third = files.write(text), files.write(flipped(text, "new"))
    found = await kept(store, first, second, third)
    with pytest.raises(CommandError, match="Only documents that the files refer to were others then"):
        await found.put_back(1, files.main, files.write(text), {})
    files.write(flipped(text, "new"))
    assert await found.put_back(1, files.main, third, {}) == second.estate.digest != first.estate.digest
    assert files.texts == (text, MORE)
