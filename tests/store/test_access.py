"""Tokens and sessions are kept as they are, and what people did is one chain, which nobody changes unseen."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gateway.access.auditor import verified
from gateway.core.access import Role
from gateway.core.auditing import BEGINNING, Head, Record, act_of, digest_of, following
from gateway.store import access
from gateway.store.repository import Store
from tests.support.acts import ACT, SESSION, TOKEN, act
from tests.support.databases import Place, meddled

UNTOLD = [act(number) for number in range(1, 6)]


# ------------------------------------------------------------------------------------------------ tokens


async def test_a_token_comes_back_as_it_was_made(store: Store) -> None:
    """Every field of it, those that were made first first."""
    tokens = [TOKEN, TOKEN._replace(id="other", name="Zoë \0\ud800", role=Role.VIEWER, made=101.25, ended=200.5)]
    for token in tokens[::-1]:
        await store.add_token(token)
    found = await store.tokens()
    assert found == [TOKEN, tokens[1]._replace(name="Zoë \ufffd?")]
    assert [type(each.role) for each in found] == [Role, Role]


async def test_a_token_is_revoked_once(store: Store) -> None:
    """And what was begun with it is over; others' sessions are not."""
    for token in (TOKEN, TOKEN._replace(id="other")):
        await store.add_token(token)
    begun = [SESSION._replace(id=each, token=token) for each, token in zip("abc", (TOKEN.id, "other", ""), strict=True)]
    for session in begun:
        await store.add_session(session)
    ended = [await store.end_token(token, at) for token, at in ((TOKEN.id, 150.5), (TOKEN.id, 160.0), ("nobody", 1.0))]
    assert ended == [True, False, False]
    assert [(each.id, each.ended) for each in await store.tokens()] == [(TOKEN.id, 150.5), ("other", None)]
    assert [each.id for each in await store.sessions(0)] == ["b", "c"]


async def test_of_many_one_revokes(place: Place) -> None:
    """However many gateways do it at once: one of them is told that it did."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(3)]
    await stores[0].add_token(TOKEN)
    ended = await asyncio.gather(*(store.end_token(TOKEN.id, at) for at, store in enumerate(stores, 1)))
    assert sorted(ended) == [False, False, True]
    assert [each.ended for each in await stores[0].tokens()] == [1.0 + ended.index(True)]
    for store in stores:
        await store.close()


# ------------------------------------------------------------------------------------------------ sessions


async def test_a_session_comes_back_as_it_was_begun(store: Store) -> None:
    """Every field of it, until its time is over; told twice, it is there once, as it was told first."""
    await store.add_session(SESSION)
    await store.add_session(SESSION._replace(name="Eve", role=Role.APPROVER, until=1e12))
    assert await store.sessions(SESSION.until - 0.25) == [SESSION]
    assert [type(each.role) for each in await store.sessions(0)] == [Role]
    assert await store.sessions(SESSION.until) == []


async def test_a_session_s_use_is_noted_if_it_is_there(store: Store) -> None:
    """The latest use counts, in whatever order gateways tell of them; what is not there does not begin by it."""
    await store.add_session(SESSION)
    for at in (200.0, 180.0):
        await store.use_session(SESSION.id, at)
    await store.use_session("nobody", 300.0)
    assert await store.sessions(0) == [SESSION._replace(seen=200.0)]


async def test_a_session_is_ended_and_others_whose_time_is_over_go(store: Store) -> None:
    """So the table does not grow."""
    for name, until in (("a", 500.0), ("b", 500.0), ("c", 100.0)):
        await store.add_session(SESSION._replace(id=name, until=until))
    await store.end_session("a", 100.0)
    assert [each.id for each in await store.sessions(0)] == ["b"]
    await store.end_session("nobody", 499.0)
    assert [each.id for each in await store.sessions(0)] == ["b"]


# ------------------------------------------------------------------------------------------------ the audit


async def test_an_act_comes_back_as_it_was_told(store: Store) -> None:
    """In the order in which they were told, each chained to the one before it."""
    head = await store.add_acts(UNTOLD[:2])
    last = await store.add_acts(UNTOLD[2:])
    records = await store.audit(None, 10)
    assert [act_of(each.text) for each in records] == UNTOLD
    assert [(each.number, each.id, each.subject) for each in records] == [(at, f"a{at}", "list") for at in range(1, 6)]
    assert (head, last) == tuple(Head(each.number, each.digest) for each in (records[1], records[4]))
    assert records[2].digest == digest_of(records[1].digest, 3, UNTOLD[2].text())
    assert await store.audit(3, 10) == records[3:]
    assert await store.audit(0, 2) == records[:2]
    assert await verified(store, last) == {
        "whole": True,
        "problem": "",
        "records": 5,
        "digest": last.digest,
        "seen": 5,
    }


async def test_nothing_was_done_yet(store: Store) -> None:
    """An empty chain ends where it begins, and is whole."""
    assert await store.add_acts([]) == BEGINNING
    assert (await verified(store, BEGINNING))["whole"] is True


async def test_an_act_told_twice_is_there_once(store: Store) -> None:
    """In one call, in another one, after others, and by another gateway; and the chain does not begin anew."""
    first = await store.add_acts([act(1), act(1), act(2), act(1)])
    assert await store.add_acts([act(2), act(1)]) == first
    last = await store.add_acts([act(1), act(3), act(2)])
    assert [each.id for each in await store.audit(None, 10)] == ["a1", "a2", "a3"]
    assert (last.number, (await verified(store, last))["whole"]) == (3, True)


async def test_many_at_once_make_one_chain(place: Place) -> None:
    """Several gateways, each on connections of its own, some of whom tell the same: nobody's act is lost or doubled."""
    stores = [await Store.open(*place, upgrade=True) for _ in range(4)]
    told = [[act(10 * round_ + at) for at in range(5)] for round_ in range(8)]
    calls = [store.add_acts(acts) for acts in told for store in stores[:2]]
    calls += [store.add_acts([act(1_000 + at)]) for at in range(20) for store in stores[2:]]
    heads = await asyncio.gather(*calls)
    records = await stores[0].audit(None, 1_000)
    expected = {each.id for acts in told for each in acts} | {f"a{1_000 + at}" for at in range(20)}
    assert sorted(each.id for each in records) == sorted(expected)
    assert max(heads) == Head(60, records[-1].digest)
    assert set(heads) <= {Head(each.number, each.digest) for each in records}
    for acts in told:
        numbers = [each.number for each in records if each.id in {one.id for one in acts}]
        assert numbers == [*range(numbers[0], numbers[0] + 5)]
    assert (await verified(stores[0], max(heads)))["problem"] == ""
    for store in stores:
        await store.close()


async def test_any_act_is_taken(store: Store) -> None:
    """One that was not would hold up all those after it: no character, and no length of a subject, is too much."""
    odd = ACT._replace(
        subject="s\0\ud800" + "x" * 9_000, reason="\0\udcff", before={"\ud800\0": "\udcff"}, after={"n": [1, None, 0.5]}
    )
    last = await store.add_acts([odd, act(2)])
    found = (await store.audit(None, 10))[0]
    assert (found.subject[:4], len(found.subject)) == ("s\ufffd?x", 400)
    assert (act_of(found.text).reason, act_of(found.text).after) == ("\ufffd?", {"n": [1, None, 0.5]})
    assert [each.id for each in await store.latest_acts(10, subject=odd.subject)] == ["a1"]
    assert (await verified(store, last))["problem"] == ""


async def test_the_latest_are_read_first(store: Store) -> None:
    """So many, from some number back, about something."""
    await store.add_acts([*UNTOLD, act(6, subject="other"), act(7)])

    async def ids(most: int, **which: Any) -> list[str]:
        return [each.id for each in await store.latest_acts(most, **which)]

    assert await ids(2) == ["a7", "a6"]
    assert await ids(2, before=6) == ["a5", "a4"]
    assert await ids(10, subject="other") == ["a6"]
    assert await ids(2, before=6, subject="list") == ["a5", "a4"]
    assert await ids(10, subject="nothing") == []


# ------------------------------------------------------------------------------------------------ tampering

NUMBERS = range(1, len(UNTOLD) + 1)
Meddling = Callable[[Store, int], Awaitable[None]]


def sql(*statements: str) -> Meddling:
    """Statements, `{n}` the number of the record that they are about."""

    async def meddle(store: Store, number: int) -> None:
        await meddled(store, *(statement.format(n=number) for statement in statements))

    return meddle


def rewriting(**fields: Any) -> Meddling:
    """One field of the act itself, with all that stands beside its text made to fit."""

    async def meddle(store: Store, number: int) -> None:
        [record] = await store.audit(number - 1, 1)
        forged = act_of(record.text)._replace(**fields)
        beside = f"text = '{forged.text()}', id = '{forged.id}', subject = '{forged.subject}'"
        await meddled(store, f"UPDATE audit SET {beside} WHERE number = {number}")

    return meddle


async def insert(store: Store, record: Record) -> None:
    values = ", ".join(f"'{value}'" if isinstance(value, str) else str(value) for value in record)
    await meddled(store, f"INSERT INTO audit ({', '.join(Record._fields)}) VALUES ({values})")


async def swapped(store: Store, number: int) -> None:
    """It and the next one (the last and the first)."""
    other = number % len(NUMBERS) + 1
    moves = ((number, 50), (other, number), (50, other))
    await meddled(store, *(f"UPDATE audit SET number = {to} WHERE number = {at}" for at, to in moves))


async def inserted(store: Store, number: int) -> None:
    """A record that fits what comes before it, with all later ones moved up by one."""
    before = await store.audit(number - 2, 1) if number > 1 else []
    head = Head(before[0].number, before[0].digest) if before else BEGINNING
    await meddled(
        store,
        f"UPDATE audit SET number = number + 100 WHERE number >= {number}",
        f"UPDATE audit SET number = number - 99 WHERE number >= {number}",
    )
    await insert(store, following(head, act(77)))


async def rewritten(store: Store, number: int) -> None:
    """From a record on everything is another one, with right digests."""
    records = await store.audit(None, 100)
    await meddled(store, f"DELETE FROM audit WHERE number >= {number}")
    head = Head(records[number - 2].number, records[number - 2].digest) if number > 1 else BEGINNING
    for record in records[number - 1 :]:
        forged = following(head, act_of(record.text)._replace(who="Eve"))
        await insert(store, forged)
        head = Head(forged.number, forged.digest)


MEDDLINGS: dict[str, Meddling] = {
    "number": sql("UPDATE audit SET number = number + 50 WHERE number = {n}"),
    "below all": sql("UPDATE audit SET number = -number WHERE number = {n}"),
    "id": sql("UPDATE audit SET id = 'b1' WHERE number = {n}"),
    "subject": sql("UPDATE audit SET subject = 'other' WHERE number = {n}"),
    "digest": sql("UPDATE audit SET digest = '{n}' WHERE number = {n}"),
    "no text": sql("UPDATE audit SET text = '' WHERE number = {n}"),
    "text": sql("UPDATE audit SET text = replace(text, 'Ann', 'Eve') WHERE number = {n}"),
    "space": sql("UPDATE audit SET text = text || ' ' WHERE number = {n}"),
    "deleted": sql("DELETE FROM audit WHERE number = {n}"),
    "deleted from there": sql("DELETE FROM audit WHERE number >= {n}"),
    "deleted up to there": sql("DELETE FROM audit WHERE number <= {n}"),
    "deleted and moved up": sql(
        "DELETE FROM audit WHERE number = {n}",
        "UPDATE audit SET number = number + 100 WHERE number > {n}",
        "UPDATE audit SET number = number - 101 WHERE number > {n}",
    ),
    "changed places": swapped,
    "inserted": inserted,
    "written anew": rewritten,
    **{
        f"act's {name}": rewriting(**{name: value})
        for name, value in ACT._replace(
            id="b1",
            at="2026-11-28T00:00:00+00:00",
            who="Eve",
            role="viewer",
            via="socket",
            address="198.51.100.1",
            action="pause",
            subject="other",
            reason="none",
            before={},
            after={},
            outcome="not done",
        )
        ._asdict()
        .items()
    },
}


@pytest.mark.parametrize("what", MEDDLINGS)
async def test_whoever_may_write_to_the_database_changes_nothing_unseen(store: Store, what: str) -> None:
    """Each record, in each of these ways: the walk finds it. And it can be put right by putting it back."""
    seen = await store.add_acts(UNTOLD)
    assert (await verified(store, seen))["whole"] is True
    records = await store.audit(None, 100)
    for number in NUMBERS:
        await MEDDLINGS[what](store, number)
        assert await store.audit(None, 100) != records, number
        found = await verified(store, seen)
        assert (found["whole"], bool(found["problem"])) == (False, True), number
        await meddled(store, "DELETE FROM audit")
        for record in records:
            await insert(store, record)
        assert (await verified(store, seen))["whole"] is True


@pytest.mark.parametrize(("number", "found"), [(0, "Record 1 is missing: after 0 comes 0."), (-3, "after 0 comes -3.")])
async def test_a_record_before_the_first_is_found(store: Store, number: int, found: str) -> None:
    """The list would show it like any other."""
    seen = await store.add_acts(UNTOLD)
    await insert(store, following(BEGINNING, act(99))._replace(number=number))
    assert found in (await verified(store, seen))["problem"]


async def test_a_long_chain_is_walked_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost between them."""
    monkeypatch.setattr("gateway.access.auditor.PAGE", 3)
    seen = await store.add_acts([act(number) for number in range(1, 12)])
    assert (await verified(store, seen))["records"] == 11
    for number in (3, 4, 9, 10, 11):
        await meddled(store, f"UPDATE audit SET subject = 'x' WHERE number = {number}")
        found = await verified(store, seen)
        assert (found["records"], found["problem"].partition(" is listed")[0]) == (number - 1, f"Record {number}")
        await meddled(store, f"UPDATE audit SET subject = 'list' WHERE number = {number}")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(1, 12), max_size=5), max_size=6))
def test_however_often_acts_are_told(in_memory: Callable[[], Connection], told: Sequence[Sequence[int]]) -> None:
    """Each is in the chain once, where it was told first."""
    with in_memory() as connection:
        heads: list[Head] = []
        for numbers in told:
            heads.append(access.add_acts(connection, [act(number) for number in numbers]))
        records = access.read_records(connection, None, 100)
    assert [each.id for each in records] == [f"a{each}" for each in dict.fromkeys(itertools.chain(*told))]
    expected = [BEGINNING, *(Head(each.number, each.digest) for each in records)]
    assert heads == [expected[len({*itertools.chain(*told[:at])})] for at in range(1, len(told) + 1)]
