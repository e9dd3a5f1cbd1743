"""Large messages are coded in another process, which is started when it is needed, and again when it has died."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from connectors.soap.workshop import Recipe, Unknown, Workshop, work


class Coder:
    """What a recipe makes: it codes, and tells where."""

    def __init__(self, target: str, schema: str) -> None:
        self.made = (target, schema)

    def code(self, data: bytes) -> tuple[tuple[str, str], bytes, int]:
        return self.made, data.upper(), os.getpid()

    def fail(self) -> None:
        raise ValueError("too bad")


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    made = Workshop()
    yield made
    made.close()


RECIPE = Recipe(Coder, "target", "schema")


async def test_it_codes_in_another_process(workshop: Workshop) -> None:
    """Always the same one; what it makes of a recipe it keeps."""
    first, second = [await workshop.code(RECIPE, "code", b"abc") for _ in range(2)]
    assert first == second
    made, data, pid = first
    assert (made, data) == (("target", "schema"), b"ABC")
    assert pid != os.getpid()


async def test_it_raises_what_coding_raises(workshop: Workshop) -> None:
    """An error comes back as it is."""
    with pytest.raises(ValueError, match="too bad"):
        await workshop.code(RECIPE, "fail")


async def test_a_process_that_died_is_replaced(workshop: Workshop) -> None:
    """The message that finds it dead is coded by the next one."""
    _, _, pid = await workshop.code(RECIPE, "code", b"a")
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    _, data, other = await workshop.code(RECIPE, "code", b"b")
    assert (data, other != pid) == (b"B", True)


def test_closing_what_never_began_is_nothing() -> None:
    """A gateway without large messages has no other process."""
    Workshop().close()


def test_a_recipe_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process asks for one that it does not know, and keeps a bounded number."""
    known: dict[bytes, object] = {}
    monkeypatch.setattr("connectors.soap.workshop._made", known)
    monkeypatch.setattr("connectors.soap.workshop._KEPT", 1)
    other = Recipe(Coder, "other", "schema")
    assert work(RECIPE.key, None, "code", (b"a",)) == Unknown()
    for recipe in (RECIPE, other):
        assert work(recipe.key, recipe.text, "code", (b"a",))[1] == b"A"
    assert list(known) == [other.key]
    assert work(other.key, None, "code", (b"a",))[0] == ("other", "schema")
