"""Whatever is done to the audit afterwards, the walk along its chain finds it."""

import json
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core.auditing import BEGINNING, Act, Audit, Head, Record, act_of, digest_of, following
from tests.support.acts import ACT

any_text = st.text(st.characters(codec=None, categories=None), max_size=20)
words = st.text(max_size=8)
documents = st.dictionaries(words, st.none() | st.booleans() | st.integers() | words | st.lists(words), max_size=3)
acts = st.builds(Act, *[words] * 9, documents, documents, words)
chains = st.lists(acts, min_size=1, max_size=7).map(lambda told: chained(*told))
fields = st.sampled_from(Record._fields)


def chained(*told: Act, head: Head = BEGINNING) -> list[Record]:
    """These acts as a chain, from a head on."""
    first = Record(head.number, "", "", "", head.digest)
    return [*accumulate(told, lambda last, act: following(head_of([last]), act), initial=first)][1:]


def head_of(records: list[Record]) -> Head:
    return Head(records[-1].number, records[-1].digest) if records else BEGINNING


def found(records: list[Record], seen: Head = BEGINNING) -> str:
    """What a walk over all of them says is wrong; it is the same in however many pieces they come."""
    audit, whole = Audit(seen), Audit(seen)
    for record in records:
        audit.walk([record])
    whole.walk(records)
    assert audit.end() == whole.end()
    return audit.end()


def numbered(records: list[Record]) -> list[Record]:
    """With numbers that go up by one, as whoever tampers would leave them."""
    return [record._replace(number=number) for number, record in enumerate(records, 1)]


# ------------------------------------------------------------------------------------------------ acts


def test_an_act_is_a_text_that_is_always_the_same() -> None:
    """JSON with its names in order, and letters as they are: what is hashed can be written down anew, and read."""
    text = ACT._replace(who="Zoë").text()
    assert list(json.loads(text)) == sorted(Act._fields)
    assert '"who":"Zoë"' in text
    assert act_of(text) == ACT._replace(who="Zoë")


@given(acts)
def test_an_act_comes_back_as_it_was_told(act: Act) -> None:
    """Every field of it."""
    assert act_of(act.text()) == act


@given(any_text, any_text)
def test_any_act_can_be_written_down(reason: str, word: str) -> None:
    """One that could not be stored would hold up all that come after it; PostgreSQL refuses U+0000."""
    act = ACT._replace(reason=reason, after={"order": {word: [word]}})
    text = act.text()
    assert "\0" not in text
    assert act_of(text.encode().decode()).reason == reason.encode("utf-8", "replace").decode()


ODD = [json.dumps({**ACT._asdict(), name: None}) for name in ("id", "before", "after")]


@pytest.mark.parametrize("text", ["", "{", "1", "[]", "{}", '{"id": "a1"}', "[" * 100_000, ACT.text()[:-1], *ODD])
def test_what_is_no_act_is_told_as_such(text: str) -> None:
    """One error, whatever stands there."""
    with pytest.raises(ValueError, match=r"^This is no act\.$"):
        act_of(text)


# ------------------------------------------------------------------------------------------------ the chain


def test_a_record_carries_a_digest_of_everything_before_it() -> None:
    """SHA-256 over the digest before, the number and the text: anybody can check it with other tools."""
    first, second = chained(ACT, ACT._replace(id="a2"))
    assert first == Record(1, "a1", "list", ACT.text(), digest_of("0" * 64, 1, ACT.text()))
    assert second.digest == digest_of(first.digest, 2, second.text)
    assert digest_of("0" * 64, 1, "{}") == "857ee6299d26533d1f5f46c02209ae8bc34dc4898a8a9545493946b4ea59d6f3"


@given(chains, st.data())
def test_a_chain_that_nobody_touched_is_whole(records: list[Record], data: st.DataObject) -> None:
    """Whatever end of it somebody has seen; and the walk ends where the chain does."""
    seen = data.draw(st.sampled_from([BEGINNING, *(Head(each.number, each.digest) for each in records)]))
    audit = Audit(seen)
    audit.walk(records)
    assert (audit.end(), audit.head) == ("", head_of(records))


def test_nothing_is_a_whole_chain() -> None:
    """A gateway in which nobody has done anything yet."""
    assert found([]) == ""


@given(chains, fields, st.data())
def test_a_changed_field_is_found(records: list[Record], field: str, data: st.DataObject) -> None:
    """Each field of each record, whatever it is changed to."""
    at = data.draw(st.integers(0, len(records) - 1))
    value: Any = data.draw(st.integers() if field == "number" else st.text(max_size=70))
    assume(value != getattr(records[at], field))
    changed = [*records]
    changed[at] = records[at]._replace(**{field: value})
    assert f"Record {at + 1} " in found(changed, head_of(records))


@given(chains, st.sampled_from(Act._fields), st.data())
def test_a_changed_act_is_found(records: list[Record], field: str, data: st.DataObject) -> None:
    """Who did it, when, from where, to what, why, and what came of it."""
    at = data.draw(st.integers(0, len(records) - 1))
    value: Any = data.draw(documents if field in ("before", "after") else words)
    act = act_of(records[at].text)
    assume(value != getattr(act, field))
    text = act._replace(**{field: value}).text()
    forged = act_of(text)
    changed = [*records]
    changed[at] = records[at]._replace(text=text, id=forged.id, subject=forged.subject)
    assert found(changed) == f"Record {at + 1} is not what it was, or does not belong after the one before it."


@given(chains, st.data(), st.booleans())
def test_a_record_taken_out_is_found(records: list[Record], data: st.DataObject, renumbered: bool) -> None:
    """Also the last ones, by who has seen them; and where those that follow were given its number."""
    first = data.draw(st.integers(0, len(records) - 1))
    last = data.draw(st.integers(first + 1, len(records)))
    rest = records[:first] + records[last:]
    assert found(numbered(rest) if renumbered else rest, head_of(records)) != ""


@given(chains, st.data(), st.booleans())
def test_records_that_changed_places_are_found(records: list[Record], data: st.DataObject, renumbered: bool) -> None:
    """With their numbers, or each with the other's."""
    assume(len(records) > 1)
    order = data.draw(st.permutations(range(len(records))))
    assume(order != sorted(order))
    moved = [records[at] for at in order]
    assert found(numbered(moved) if renumbered else moved) != ""


@given(chains, acts, st.data(), st.booleans())
def test_an_inserted_record_is_found(records: list[Record], act: Act, data: st.DataObject, renumbered: bool) -> None:
    """Though it fits what comes before it: the next one does not."""
    at = data.draw(st.integers(0, len(records) - 1))
    forged = records[:at] + chained(act, head=head_of(records[:at])) + records[at:]
    assert found(numbered(forged) if renumbered else forged) != ""


@given(chains, st.data(), st.booleans())
def test_a_record_that_is_there_twice_is_found(records: list[Record], data: st.DataObject, renumbered: bool) -> None:
    """Wherever its double stands."""
    one, place = data.draw(st.sampled_from(records)), data.draw(st.integers(0, len(records)))
    doubled = [*records[:place], one, *records[place:]]
    assert found(numbered(doubled) if renumbered else doubled) != ""


@given(chains, st.lists(acts, max_size=7), st.data())
def test_a_chain_that_was_written_anew_is_found(records: list[Record], told: list[Act], data: st.DataObject) -> None:
    """From some record on, with right digests: by who has seen a later end, and by nobody who has not."""
    at = data.draw(st.integers(0, len(records) - 1))
    seen = data.draw(st.integers(at + 1, len(records)))
    anew = records[:at] + chained(*told, head=head_of(records[:at]))
    assume(records[:seen] != anew[:seen])
    assert found(anew, head_of(records[:seen])) != ""
    assert found(anew, head_of(records[:at])) == ""


def test_the_first_thing_that_is_wrong_is_told() -> None:
    """With its number, so that one knows from when on nothing can be relied on."""
    records = chained(*(ACT._replace(id=f"a{number}") for number in range(1, 6)))
    head = head_of(records)
    anew = chained(ACT, *(ACT._replace(id=f"b{number}") for number in range(2, 7)))
    unread = Record(6, "", "", "no act", digest_of(head.digest, 6, "no act"))
    assert {
        "gap": found([*records[:2], *records[3:]]),
        "first": found(records[1:]),
        "cut": found(records[:3], head),
        "none": found([], head),
        "anew": found(anew, head),
        "subject": found([*records[:4], records[4]._replace(subject="other")]),
        "id": found([*records[:4], records[4]._replace(id="other")]),
        "unread": found([*records, unread]),
        "two": found([records[0]._replace(digest="x"), *records[2:]]),
    } == {
        "gap": "Record 3 is missing: after 2 comes 4.",
        "first": "Record 1 is missing: after 0 comes 2.",
        "cut": "The last record is number 3, but there were 5: what came after it was removed.",
        "none": "The last record is number 0, but there were 5: what came after it was removed.",
        "anew": "Record 5 is another one than this gateway has seen: the chain was written anew.",
        "subject": "Record 5 is listed under 'other', which is not what it is about.",
        "id": "Record 5 is listed as 'other', which is not its id.",
        "unread": "Record 6 cannot be read.",
        "two": "Record 1 is not what it was, or does not belong after the one before it.",
    }


def test_the_walk_says_how_far_all_was_well() -> None:
    """The head is the last record of which nothing is wrong."""
    records = chained(*(ACT._replace(id=f"a{number}") for number in range(1, 6)))
    audit = Audit()
    audit.walk([*records[:3], records[3]._replace(text="{}"), records[4]])
    assert audit.head == Head(3, records[2].digest)
