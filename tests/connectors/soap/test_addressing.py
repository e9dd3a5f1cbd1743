"""WS-Addressing headers: written for a call and a reply, and read in a request and a reply."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.soap.addressing import (
    UNDERSTOOD,
    WORDS,
    WSA,
    WSA_2004,
    Given,
    Misaddressed,
    Related,
    answers_another,
    call_blocks,
    fault_blocks,
    message_id,
    misaddressed,
    related,
    reply_blocks,
)
from connectors.soap.addressing import given as given_by
from connectors.soap.plan import Addressing
from connectors.soap.xmltext import Element, parse

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
CHANCE = bytes(range(16))
ID = "urn:uuid:00010203-0405-4607-8809-0a0b0c0d0e0f"
ADDRESSING = Addressing("urn:r/Ask", "urn:r/Tell", (("None", "urn:r/None"),), WSA)
BOTH = [WSA, WSA_2004]


def blocks(text: str, space: str = WSA) -> list[Element]:
    """Header blocks of one version, as a message has them."""
    return list(parse(f'<h xmlns="{space}" xmlns:soap="{SOAP}">{text}</h>'.encode(), names=True))


def said(text: str, space: str = WSA) -> dict[str, str]:
    """The blocks that were written, by name."""
    prefix = f"{{{space}}}"
    found = {each.tag: "".join(each.itertext()) for each in blocks(text)}
    assert all(tag.startswith(prefix) for tag in found)
    return {tag.removeprefix(prefix): value for tag, value in found.items()}


# ------------------------------------------------------------------------------------------------ calls


@pytest.mark.parametrize(("space", "anonymous"), [(WSA, f"{WSA}/anonymous"), (WSA_2004, f"{WSA_2004}/role/anonymous")])
def test_a_call_says_what_it_is_and_where_the_answer_goes(space: str, anonymous: str) -> None:
    """Its action, an id of its own, the service's address, and that the answer comes on the connection."""
    text = call_blocks(ADDRESSING._replace(namespace=space), "http://r.test/a?b&c", CHANCE)
    assert said(text, space) == {
        "Action": "urn:r/Ask",
        "MessageID": ID,
        "ReplyTo": anonymous,
        "To": "http://r.test/a?b&c",
    }


def test_a_call_insists_only_where_the_wsdl_does() -> None:
    """A service that knows nothing of such headers answers all the same."""
    insisting = call_blocks(ADDRESSING._replace(required=True), "", CHANCE)
    assert "mustUnderstand" not in call_blocks(ADDRESSING, "", CHANCE)
    assert [each.get(f"{{{SOAP}}}mustUnderstand") for each in blocks(insisting)] == ["1"] * 4


def test_a_call_need_not_be_addressed() -> None:
    """Where nobody asks for it, nothing is written."""
    assert call_blocks(ADDRESSING._replace(namespace=""), "", CHANCE) == ""


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_every_id_is_a_uuid(one: bytes, two: bytes) -> None:
    """A random one (version 4), the same for the same chance."""
    assert UUID(message_id(one)).version == 4
    assert (message_id(one) == message_id(two)) == (UUID(message_id(one)) == UUID(message_id(two)))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_any_text_may_be_an_action_and_an_address(text: str) -> None:
    """What is written is what is read again."""
    found = said(call_blocks(ADDRESSING._replace(input=text), text, CHANCE))
    assert (found["Action"], found["To"]) == (text, text)


# ------------------------------------------------------------------------------------------------ replies


@pytest.mark.parametrize("space", BOTH)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("<RelatesTo>urn:uuid:another</RelatesTo>", True),
        (f"<RelatesTo>\n {ID} </RelatesTo>", False),
        (f"<RelatesTo>{ID}</RelatesTo><RelatesTo>urn:uuid:another</RelatesTo>", True),
        ("<RelatesTo RelationshipType='http://www.w3.org/2005/08/addressing/reply'>urn:x</RelatesTo>", True),
        ("<RelatesTo RelationshipType='wsa:Reply'>urn:x</RelatesTo>", True),
        ("<RelatesTo RelationshipType='urn:follows'>urn:x</RelatesTo>", False),
        ("<MessageID>urn:x</MessageID><other xmlns='urn:o'/>", False),
        ("<RelatesTo xmlns='urn:o'>urn:x</RelatesTo>", False),
    ],
)
def test_a_reply_to_another_message_is_known(space: str, text: str, expected: bool) -> None:
    """Only what says that it is a reply counts; what relates in another way says nothing."""
    assert answers_another(blocks(text, space), CHANCE) == expected


@pytest.mark.parametrize("space", BOTH)
def test_a_fault_may_not_know_what_it_answers(space: str) -> None:
    """A service that could not read the id says so."""
    assert not answers_another(blocks(f"<RelatesTo>{WORDS[space].unspecified}</RelatesTo>", space), CHANCE)


# ------------------------------------------------------------------------------------------------ requests

WHOLE = """<Action> urn:a </Action><MessageID>urn:m</MessageID><To>http://t</To>
<ReplyTo><Address>http://r</Address><ReferenceParameters/></ReplyTo><FaultTo><Metadata/></FaultTo>"""


@pytest.mark.parametrize("space", BOTH)
def test_a_request_is_read(space: str) -> None:
    """All that a reply depends on; a place without an address is none."""
    assert given_by(blocks(WHOLE, space)) == Given(space, "urn:a", "urn:m", "http://r", "")


def test_a_request_without_such_headers_has_none() -> None:
    """Headers of other kinds, and other words in the namespace, are nothing here."""
    assert given_by(blocks('<x xmlns="urn:o"/><ReferenceParameters/>')) is None


def test_of_two_versions_the_later_counts() -> None:
    """A client that knows both means the later."""
    both = blocks("<Action>urn:old</Action>", WSA_2004) + blocks("<Action>urn:new</Action>")
    assert given_by(both) == Given(WSA, "urn:new")


@pytest.mark.parametrize("space", BOTH)
def test_what_stands_twice_is_refused(space: str) -> None:
    """Nobody can say which of the two is meant; there may be any number of relations."""
    found = given_by(blocks("<RelatesTo/><RelatesTo/><Action>a</Action><MessageID/><Action>b</Action>", space))
    assert found is not None
    problem = misaddressed(found, contradicts=False, one_way=False)
    assert problem == Misaddressed("The request has two wsa:Action headers.", WORDS[space].twice)


@pytest.mark.parametrize("space", BOTH)
def test_an_action_of_another_operation_is_refused(space: str) -> None:
    """With the code that the standard has for it."""
    problem = misaddressed(Given(space, "urn:b"), contradicts=True, one_way=False)
    reason = "The wsa:Action urn:b is not that of the operation in the body."
    assert problem == Misaddressed(reason, ("ActionNotSupported",))


@pytest.mark.parametrize("space", BOTH)
@pytest.mark.parametrize("name", ["ReplyTo", "FaultTo"])
def test_answers_go_nowhere_else(space: str, name: str) -> None:
    """Another address is refused, and the reason says what to write instead."""
    found = given_by(blocks(f"<{name}><Address>http://client</Address></{name}>", space))
    assert found is not None
    problem = misaddressed(found, contradicts=False, one_way=True)
    assert problem is not None
    assert problem.codes == WORDS[space].elsewhere
    assert problem.reason.endswith(f"leave wsa:{name} out, or make it {WORDS[space].anonymous}.")


def test_nowhere_is_a_place_for_the_answer_to_a_one_way_message() -> None:
    """There is none; where there is one, the client would never see it. The old version has no such place."""
    nowhere = Given(WSA, reply_to=f"{WSA}/none", fault_to=f"{WSA}/none")
    assert misaddressed(nowhere, contradicts=False, one_way=True) is None
    assert misaddressed(nowhere, contradicts=False, one_way=False) is not None
    assert misaddressed(nowhere._replace(namespace=WSA_2004), contradicts=False, one_way=True) is not None


@pytest.mark.parametrize("space", BOTH)
def test_the_connection_is_a_place(space: str) -> None:
    """Said, or left out."""
    here = Given(space, reply_to=WORDS[space].anonymous, fault_to=WORDS[space].anonymous)
    assert misaddressed(here, contradicts=False, one_way=False) is None
    assert misaddressed(Given(space), contradicts=False, one_way=False) is None


# ------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize("space", BOTH)
def test_a_reply_says_what_it_answers(space: str) -> None:
    """In the request's own version; a request without an id gets no relation."""
    owed = related(Given(space, message="urn:<1>"), CHANCE)
    assert owed == Related(space, "urn:<1>", ID)
    assert said(reply_blocks(owed, "urn:a"), space) == {"Action": "urn:a", "MessageID": ID, "RelatesTo": "urn:<1>"}
    assert said(reply_blocks(owed._replace(request=""), "urn:a"), space) == {"Action": "urn:a", "MessageID": ID}


@pytest.mark.parametrize(
    ("space", "name", "own", "action"),
    [
        (WSA, "None", False, "urn:r/None"),
        (WSA, "Other", False, f"{WSA}/soap/fault"),
        (WSA, "", True, f"{WSA}/fault"),
        (WSA_2004, "None", False, "urn:r/None"),
        (WSA_2004, "", False, f"{WSA_2004}/fault"),
        (WSA_2004, "", True, f"{WSA_2004}/fault"),
    ],
)
def test_a_fault_has_its_action(space: str, name: str, own: bool, action: str) -> None:
    """A declared one that of the WSDL, others those of the standard."""
    text = fault_blocks(Related(space, "", ID), ADDRESSING, name, own=own)
    assert said(text, space)["Action"] == action


def test_nothing_is_owed_to_a_request_without_such_headers() -> None:
    """Neither in a reply nor in a fault."""
    assert (reply_blocks(None, "urn:a"), fault_blocks(None, ADDRESSING, "None")) == ("", "")


def test_all_headers_of_both_versions_are_understood() -> None:
    """So a peer may insist on any of them."""
    names = {"To", "Action", "MessageID", "RelatesTo", "ReplyTo", "FaultTo", "From", "FaultDetail"}
    assert {f"{{{space}}}{name}" for space in BOTH for name in names} == UNDERSTOOD
