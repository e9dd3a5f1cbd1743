"""Generated answers with realistic noise, and the faults that are planted in them."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from operator import itemgetter
from random import Random
from typing import Any, NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from gateway.core.policies import Pointer
from tests.core.comparing.answers import pointer

Value = dict[str, Any]
NAMES = ("Zoë Álvarez", "Ada Byrne", "Bea Clark", "Cy Drew", "Di Evans", "Ed Finch")


@cache
def truth(number: int) -> Value:
    """What the back office knows of one account; the same number, the same account."""
    chance = Random(number)
    charges: list[Value] = [
        {
            "ref": f"C{number:05}-{index}",
            "code": chance.choice(("RENT", "WATER", "HEAT", "GARAGE")),
            "amount": chance.randrange(500, 90_000) / 100,
            "due": f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
            "paid": chance.random() < 0.5,
        }
        for index in range(chance.randrange(3, 7))
    ]
    return {
        "account": f"HSG-{number:07}",
        "balance": round(sum(each["amount"] for each in charges), 2) + 1_000,
        "currency": "GBP",
        "status": chance.choice(("open", "held", "closed")),
        "arrears": chance.random() < 0.3,
        "weeks": chance.randrange(2, 60),
        "opened": f"20{chance.randrange(10, 26)}-0{chance.randrange(1, 10)}-1{chance.randrange(0, 10)}T09:30:00+01:00",
        "tenant": {"name": chance.choice(NAMES), "phone": None, "joint": {"name": chance.choice(NAMES), "since": 2019}},
        "address": {"line": f"{chance.randrange(2, 90)} Orchard Close", "town": "Rivertown", "note": ""},
        "charges": charges,
        "tags": ["priority", "garden", "lift"],
        "history": [],
        "notes": [{"id": f"N{number}-{index}", "text": f"called {index} times"} for index in range(4)],
    }


def answered(value: Value, chance: Random) -> Value:
    """The truth as one answer says it: with its own ids and times, and lists in no stable order."""
    said = deepcopy(value)
    said["requestId"] = f"{chance.getrandbits(64):016x}"
    said["generatedAt"] = (
        f"2026-11-28T10:{chance.randrange(60):02}:{chance.randrange(60):02}.{chance.randrange(999):03}Z"
    )
    said["server"] = {"node": chance.choice(("a", "b", "c")), "tookMs": chance.randrange(3, 90)}
    chance.shuffle(said["notes"])
    for each in said["notes"]:
        each["readAt"] = f"{chance.getrandbits(40)}"
    if chance.random() < 0.5:
        said["cached"] = True
    return said


class Fault(NamedTuple):
    """A mistake in what the new side says, and the field and kind that it has to be found by."""

    plant: Callable[[Value], object]
    field: str
    kind: str


def put(*path: str | int, to: Any) -> Callable[[Value], None]:
    """Another value at a place; `to` may be made from what is there."""

    def plant(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to(value[path[-1]]) if callable(to) else to

    return plant


def drop(*path: str | int) -> Callable[[Value], None]:
    def plant(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        del value[path[-1]]

    return plant


def swap_first(name: str) -> Callable[[Value], None]:
    """Two charges that have each other's value of a member."""

    def plant(value: Value) -> None:
        one, other = value["charges"][:2]
        one[name], other[name] = f"{other[name]}x"[:-1], f"{one[name]}x"[:-1]

    return plant


def crossed(value: Value) -> None:
    """The tenant of another account."""
    value["tenant"]["name"], value["tenant"]["joint"]["name"] = "Fay Gould", "Guy Hart"


FAULTS: dict[str, Fault] = {
    "a member left out": Fault(drop("currency"), "/currency", "missing"),
    "a nested member left out": Fault(drop("tenant", "joint", "since"), "/tenant/joint/since", "missing"),
    "an object left out": Fault(drop("address"), "/address", "missing"),
    "a member of an item left out": Fault(drop("charges", 1, "code"), "/charges/*/code", "missing"),
    "a noisy time left out": Fault(drop("generatedAt"), "/generatedAt", "missing"),
    "a member too many": Fault(lambda v: v.update(internal="x"), "/internal", "extra"),
    "a nested member too many": Fault(lambda v: v["tenant"].update(age=42), "/tenant/age", "extra"),
    "a member of an item too many": Fault(lambda v: v["charges"][0].update(tax=0.2), "/charges/*/tax", "extra"),
    "a number as text": Fault(put("balance", to=lambda v: f"{v:.2f}"), "/balance", "type"),
    "null for a text": Fault(put("currency", to=None), "/currency", "type"),
    "an object for null": Fault(put("tenant", "phone", to={"home": "x"}), "/tenant/phone", "type"),
    "a text for an object": Fault(put("address", to="12 Orchard Close, Rivertown"), "/address", "type"),
    "one item without its list": Fault(put("charges", to=lambda v: v[0]), "/charges", "type"),
    "null for an empty list": Fault(put("history", to=None), "/history", "type"),
    "null for a list": Fault(put("charges", to=None), "/charges", "type"),
    "rounded by a penny": Fault(put("balance", to=lambda v: round(v + 0.01, 2)), "/balance", "value"),
    "cut to whole pounds": Fault(put("balance", to=lambda v: int(v) - 1), "/balance", "value"),
    "pence for pounds": Fault(put("balance", to=lambda v: round(v * 100)), "/balance", "value"),
    "another sign": Fault(put("balance", to=lambda v: -v), "/balance", "value"),
    "one too many": Fault(put("weeks", to=lambda v: v + 1), "/weeks", "value"),
    "a default for a value": Fault(put("weeks", to=0), "/weeks", "value"),
    "an amount rounded in an item": Fault(
        put("charges", 2, "amount", to=lambda v: round(v + 0.01, 2)), "/charges/*/amount", "value"
    ),
    "another flag": Fault(put("arrears", to=lambda v: not v), "/arrears", "value"),
    "another flag in an item": Fault(put("charges", 0, "paid", to=lambda v: not v), "/charges/*/paid", "value"),
    "another word for a status": Fault(put("status", to=lambda v: v + "ed"), "/status", "value"),
    "upper case": Fault(put("status", to=str.upper), "/status", "value"),
    "a space too many": Fault(put("address", "town", to="Rivertown "), "/address/town", "value"),
    "a text cut short": Fault(put("address", "line", to=lambda v: v[:8]), "/address/line", "value"),
    "UTF-8 read as Latin-1": Fault(put("tenant", "name", to="Zoë".encode().decode("latin-1")), "/tenant/name", "value"),
    "a question mark for a letter": Fault(put("tenant", "joint", "name", to="Zo?"), "/tenant/joint/name", "value"),
    "HTML escapes in a text": Fault(put("address", "town", to="River&amp;town"), "/address/town", "value"),
    "an empty text for a text": Fault(put("currency", to=""), "/currency", "value"),
    "a text for an empty one": Fault(put("address", "note", to="none"), "/address/note", "value"),
    "the same instant, another zone": Fault(
        put("opened", to=lambda v: v.replace("09:30:00+01:00", "08:30:00Z")), "/opened", "value"
    ),
    "a local time taken for UTC": Fault(put("opened", to=lambda v: v.replace("+01:00", "Z")), "/opened", "value"),
    "an hour late": Fault(put("opened", to=lambda v: v.replace("T09", "T10")), "/opened", "value"),
    "a time cut to its date": Fault(put("opened", to=lambda v: v[:10]), "/opened", "value"),
    "a day early in an item": Fault(put("charges", 0, "due", to="2025-12-31"), "/charges/*/due", "value"),
    "day and month exchanged": Fault(
        put("charges", 1, "due", to=lambda v: "2026-31-" + v[5:7]), "/charges/*/due", "value"
    ),
    "the last item left out": Fault(drop("charges", -1), "/charges/*", "missing"),
    "the first item left out": Fault(drop("charges", 0), "/charges/*", "missing"),
    "an item in the middle left out": Fault(drop("charges", 1), "/charges/*", "missing"),
    "an item twice": Fault(lambda v: v["tags"].append(v["tags"][0]), "/tags/*", "extra"),
    "an item too many": Fault(lambda v: v["tags"].insert(1, "new"), "/tags/*", "extra"),
    "no items at all": Fault(put("tags", to=[]), "/tags/*", "missing"),
    "an item in an empty list": Fault(lambda v: v["history"].append("moved"), "/history/*", "extra"),
    "a noisy list cut short": Fault(lambda v: v["notes"].pop(), "/notes/*", "missing"),
    "items in reverse order": Fault(lambda v: v["charges"].reverse(), "/charges", "value"),
    "words in another order": Fault(lambda v: v["tags"].reverse(), "/tags", "value"),
    "two items' values exchanged": Fault(swap_first("due"), "/charges/*/due", "value"),
    "another item's identity": Fault(put("charges", 1, "ref", to="C-other"), "/charges/*/ref", "value"),
    "another account's tenant": Fault(crossed, "/tenant/name", "value"),
    "a stale value": Fault(put("charges", 1, "amount", to=1.0), "/charges/*/amount", "value"),
    "a text in a list of words": Fault(put("tags", 1, to="Garden"), "/tags/*", "value"),
    "text changed in a noisy list": Fault(
        lambda v: min(v["notes"], key=itemgetter("id")).update(text="x"), "/notes/*/text", "value"
    ),
}


def soap_text(value: Value) -> str:
    """An answer as the Body of an envelope: null is nil, an empty list is nothing."""
    return f'<r:Balance xmlns:r="urn:rents">{_children(value)}</r:Balance>'


def _children(value: Value) -> str:
    return "".join(
        "".join(_element(name, each) for each in content) if isinstance(content, list) else _element(name, content)
        for name, content in value.items()
    )


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<r:{name} xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    if isinstance(value, dict):
        return f"<r:{name}>{_children(value)}</r:{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<r:{name}>{escape(text)}</r:{name}>"


LISTS = ("charges", "tags", "history", "notes")
NUMBERS = ("balance", "weeks", "amount", "since", "tookMs", "age", "tax")
FLAGS = {"true": True, "false": False}


def decode(data: bytes) -> Value:
    """What a codec makes of such an envelope: the schema says what is a list, a number or a flag."""
    (body,) = ElementTree.fromstring(data)
    (content,) = body
    members: Value = {name: [] for name in LISTS}
    members.update(_decoded(content))
    return members


def _decoded(element: ElementTree.Element) -> Any:
    if any(name.endswith("nil") for name in element.attrib):
        return None
    name, text = element.tag.rpartition("}")[2], element.text or ""
    if not len(element):
        return float(text) if name in NUMBERS else FLAGS.get(text, text)
    members: Value = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in LISTS:
            members.setdefault(name, []).append(_decoded(child))
        else:
            members[name] = _decoded(child)
    return members


def expected(fault: Fault, protocol: str, name: str) -> tuple[Pointer, str] | None:
    """Where and how a planted fault has to be found; None where the protocol does not show it."""
    field, kind = ELSEWHERE[protocol].get(name, (fault.field, fault.kind))
    found = pointer(field)
    return (tuple(each for each in found if protocol != "infoset" or each != "*"), kind) if kind else None


ELSEWHERE: dict[str, dict[str, tuple[str, str]]] = {
    "json": {},
    "codec": {
        "a number as text": ("", ""),
        "one item without its list": ("/charges/*", "missing"),
        "null for an empty list": ("/history/*", "extra"),
        "null for a list": ("", ""),
    },
    "infoset": {
        "a number as text": ("", ""),
        "one item without its list": ("/charges", "missing"),
        "null for an empty list": ("/history", "extra"),
    },
}
"""What differs between protocols: XML has no types, and a schema says what is a list."""
