"""Two replies are compared by what they mean, as their contract has it, and not by how they are written."""

from typing import Any

import pytest

from connectors.soap.meaning import Meaning, meaning_of
from connectors.soap.plan import Field, Message
from connectors.soap.target import FacadeTarget, SoapTarget
from gateway.core.model import Target
from tests.connectors.soap import accounts
from tests.connectors.soap.samples import DECIMAL, GET_BALANCE, SCHEMA, SPACE
from tests.connectors.soap.test_bridge import V12, envelope
from tests.support.values import route

FACADE = Target("repairs", call=FacadeTarget(GET_BALANCE, SCHEMA))
BRIDGE = Target("accounts", call=accounts.bridge())
REPLY = envelope(f'<GetBalanceResponse xmlns="{SPACE}"><Amount>12.50</Amount></GetBalanceResponse>')
FAULT = envelope("<e:Fault><faultcode>e:Client</faultcode><faultstring>no</faultstring></e:Fault>")


@pytest.fixture(params=["facade", "bridge", "facade as legacy"])
def meaning(request: pytest.FixtureRequest) -> Meaning:
    """The meaning of a SOAP route whose other side passes messages on."""
    sides: dict[str, dict[str, Any]] = {
        "facade": {"new": FACADE},
        "bridge": {"new": BRIDGE},
        "facade as legacy": {"legacy": FACADE, "new": None},
    }
    found = meaning_of(route("SOAP /rents#GetBalance", **sides[request.param]))
    assert found is not None
    return found


def test_a_reply_is_its_operations_result(meaning: Meaning) -> None:
    """As values of JSON, with every array that the contract has."""
    line = "<Line><Code>a</Code><Value>-007.10</Value></Line>"
    assert meaning(REPLY) == {"Amount": "12.5", "Line": []}
    assert meaning(REPLY.replace(b"</Amount>", f"</Amount>{line}".encode())) == {
        "Amount": "12.5",
        "Line": [{"Code": "a", "Value": "-7.1"}],
    }


@pytest.mark.parametrize(
    "same",
    [
        envelope(f'<b:GetBalanceResponse xmlns:b="{SPACE}"><b:Amount>12.50</b:Amount></b:GetBalanceResponse>'),
        envelope(f'<GetBalanceResponse xmlns="{SPACE}">\n  <Amount> 12.50 </Amount>\n</GetBalanceResponse>'),
        envelope(f'<GetBalanceResponse xmlns="{SPACE}"><Amount>12.50</Amount></GetBalanceResponse>', V12),
        envelope(
            f'<GetBalanceResponse xmlns="{SPACE}"><Amount>12.50</Amount></GetBalanceResponse>', headers="<Key>1</Key>"
        ),
    ],
    ids=["prefixes", "space", "version", "headers"],
)
def test_replies_that_mean_the_same_are_equal(meaning: Meaning, same: bytes) -> None:
    """Whatever prefixes, white space, version of SOAP and headers they came with."""
    assert meaning(same) == meaning(REPLY)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("12.50", "12.5", True),
        ("12.50", "+012.500", True),
        ("12", "12.0", True),
        ("0", "-0.00", True),
        (".5", "0.5", True),
        ("100", "1", False),
        ("12.50", "-12.50", False),
        ("12.50", "12.51", False),
        ("12345678901234567890.01", "12345678901234567890.02", False),
    ],
)
def test_decimals_are_equal_by_value(meaning: Meaning, one: str, other: str, equal: bool) -> None:
    """Their type says that zeros before and after them mean nothing; no digit that means something is lost."""
    replies = [REPLY.replace(b"12.50", each.encode()) for each in (one, other)]
    assert (meaning(replies[0]) == meaning(replies[1])) is equal


def test_strings_are_equal_by_their_spelling(meaning: Meaning) -> None:
    """A code that looks like a number is none."""
    line = b"</Amount><Line><Code>%s</Code><Value>1</Value></Line>"
    assert meaning(REPLY.replace(b"</Amount>", line % b"1.0")) != meaning(REPLY.replace(b"</Amount>", line % b"1.00"))


def test_a_form_that_was_chosen_is_kept() -> None:
    """A contract whose decimals are numbers has them so here."""
    number = DECIMAL._replace(form="number")
    output = Message((Field(f"{{{SPACE}}}Amount", "Amount", number),))
    assert Meaning(output, SCHEMA)(envelope(f'<Amount xmlns="{SPACE}">12.50</Amount>')) == 12.5


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (FAULT, "the reply is a fault"),
        (b"<html>", "not well-formed XML"),
        (b"{}", "not well-formed XML"),
        (envelope(f'<Other xmlns="{SPACE}"/>'), "has the element Other, where GetBalanceResponse belongs"),
        (envelope(""), "is empty, where GetBalanceResponse belongs"),
    ],
    ids=["fault", "html", "json", "message", "empty"],
)
def test_what_is_no_reply_is_said_to_be_none(meaning: Meaning, reply: bytes, why: str) -> None:
    """A fault, what is no envelope, and another message: a ValueError that says what is wrong."""
    with pytest.raises(ValueError, match=why) as caught:
        meaning(reply)
    assert type(caught.value) is ValueError


def test_where_no_wsdl_says_what_replies_mean_there_is_no_meaning() -> None:
    """A route that speaks JSON, one whose SOAP only passes, one with JSON outside, and an operation without a reply."""
    one_way = FacadeTarget(GET_BALANCE._replace(output=None), SCHEMA)
    for new in (
        Target("repairs"),
        Target("repairs", call=SoapTarget(GET_BALANCE)),
        Target("repairs", call=one_way),
        None,
    ):
        assert meaning_of(route("POST /rents", new=new)) is None
