"""WS-Addressing: the headers that say what a message is, where it goes, and which other it answers.

The gateway answers and is answered on the connection, so a reply goes nowhere else ("anonymous"). Sources: Core and
SOAP Binding of WS-Addressing 1.0; the submission of 2004/08, which old stacks speak, has other words for the same.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from connectors.soap.envelope import ENVELOPE
from connectors.soap.plan import Addressing
from connectors.soap.xmltext import Element, escape, local, namespace, quoted
from gateway.core.soap import last_name

WSA = "http://www.w3.org/2005/08/addressing"
WSA_2004 = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ID = 16
"""Bytes of chance in a message's id."""
PREFIX = "wsa"
_ONCE = ("To", "Action", "MessageID", "ReplyTo", "FaultTo", "From")
_NAMES = (*_ONCE, "RelatesTo", "FaultDetail")
UNDERSTOOD = frozenset(f"{{{space}}}{name}" for space in (WSA, WSA_2004) for name in _NAMES)
"""The names of all headers of both versions."""


class Words(NamedTuple):
    """What one version calls things."""

    anonymous: str
    nowhere: str
    unspecified: str
    fault: str
    soap_fault: str
    twice: tuple[str, ...]
    elsewhere: tuple[str, ...]


WORDS = {
    WSA: Words(
        anonymous=f"{WSA}/anonymous",
        nowhere=f"{WSA}/none",
        unspecified=f"{WSA}/unspecified",
        fault=f"{WSA}/fault",
        soap_fault=f"{WSA}/soap/fault",
        twice=("InvalidAddressingHeader", "InvalidCardinality"),
        elsewhere=("InvalidAddressingHeader", "OnlyAnonymousAddressSupported"),
    ),
    WSA_2004: Words(
        anonymous=f"{WSA_2004}/role/anonymous",
        nowhere="",
        unspecified=f"{WSA_2004}/id/unspecified",
        fault=f"{WSA_2004}/fault",
        soap_fault=f"{WSA_2004}/fault",
        twice=("InvalidMessageInformationHeader",),
        elsewhere=("InvalidMessageInformationHeader",),
    ),
}
_REPLY = frozenset({"", "reply", "Reply"})
_NOT_SUPPORTED = ("ActionNotSupported",)


class Related(NamedTuple):
    """What a reply owes a request that had such headers: their namespace, the request's id ("": none), and its own."""

    namespace: str
    request: str
    own: str


class Given(NamedTuple):
    """The headers of a request: their namespace, and what they say; "" for what is not there.

    `twice` is one that came twice and may not.
    """

    namespace: str
    action: str = ""
    message: str = ""
    reply_to: str = ""
    fault_to: str = ""
    twice: str = ""


class Misaddressed(NamedTuple):
    """Why a request's headers cannot be obeyed: in words, and as codes of their version, outermost first."""

    reason: str
    codes: tuple[str, ...]


def message_id(chance: bytes) -> str:
    """The id of a message, out of random bytes (RFC 9562, version 4)."""
    return UUID(bytes=chance[:ID], version=4).urn


# ------------------------------------------------------------------------------------------------ calls


def call_blocks(addressing: Addressing, to: str, chance: bytes) -> str:
    """The header blocks of a call, as XML text; none where they are not asked for."""
    space = addressing.namespace
    if not space:
        return ""
    insists = f' {ENVELOPE}:mustUnderstand="1"' if addressing.required else ""
    anonymous = f"<{PREFIX}:Address>{WORDS[space].anonymous}</{PREFIX}:Address>"
    blocks = (
        ("Action", escape(addressing.input)),
        ("MessageID", message_id(chance)),
        ("ReplyTo", anonymous),
        ("To", escape(to)),
    )
    return "".join(_block(space, name, content, insists) for name, content in blocks)


def answers_another(blocks: Iterable[Element], chance: bytes) -> bool:
    """Whether a reply says that it answers another message than the one made with this chance."""
    for block in blocks:
        words = WORDS.get(namespace(block.tag))
        if words is None or local(block.tag) != "RelatesTo":
            continue
        relation = last_name(block.get("RelationshipType", "").strip())  # a URI, or of old a QName
        if relation in _REPLY and _text(block) not in (message_id(chance), words.unspecified):
            return True
    return False


# ------------------------------------------------------------------------------------------------ the facade


def given(blocks: Iterable[Element]) -> Given | None:
    """What the blocks of a request say; None when none of them is about addressing.

    Where a message has headers of both versions, those of 1.0 count.
    """
    blocks = tuple(blocks)
    for space in WORDS:
        own = [block for block in blocks if block.tag in UNDERSTOOD and namespace(block.tag) == space]
        if own:
            return _given(space, own)
    return None


def _given(space: str, blocks: list[Element]) -> Given:
    names = [local(block.tag) for block in blocks]
    found = dict(zip(names, blocks, strict=True))
    return Given(
        namespace=space,
        action=_text(found.get("Action")),
        message=_text(found.get("MessageID")),
        reply_to=_address(space, found.get("ReplyTo")),
        fault_to=_address(space, found.get("FaultTo")),
        twice=next((name for name in _ONCE if names.count(name) > 1), ""),
    )


def misaddressed(request: Given, *, contradicts: bool, one_way: bool) -> Misaddressed | None:
    """Why a request cannot be answered as its headers want; `contradicts`: its action is not the body's."""
    words = WORDS[request.namespace]
    if request.twice:
        return Misaddressed(f"The request has two wsa:{request.twice} headers.", words.twice)
    if contradicts:
        reason = f"The wsa:Action {request.action[:200]} is not that of the operation in the body."
        return Misaddressed(reason, _NOT_SUPPORTED)
    here = {"", words.anonymous} | ({words.nowhere} if one_way else set())
    for name, address in (("ReplyTo", request.reply_to), ("FaultTo", request.fault_to)):
        if address not in here:
            reason = f"Answers are given on the connection only: leave wsa:{name} out, or make it {words.anonymous}."
            return Misaddressed(reason, words.elsewhere)
    return None


def related(request: Given, chance: bytes) -> Related:
    """What the reply owes."""
    return Related(request.namespace, request.message, message_id(chance))


def reply_blocks(to: Related | None, action: str) -> str:
    """The header blocks of a reply, as XML text; none where the request had none."""
    if to is None:
        return ""
    blocks = [("Action", escape(action)), ("MessageID", to.own)]
    if to.request:
        blocks.append(("RelatesTo", escape(to.request)))
    return "".join(_block(to.namespace, name, content) for name, content in blocks)


def fault_blocks(to: Related | None, addressing: Addressing, name: str = "", *, own: bool = False) -> str:
    """Those of a fault: a declared one by its name, any other, or one about the headers (`own`)."""
    if to is None:
        return ""
    words = WORDS[to.namespace]
    action = words.fault if own else dict(addressing.faults).get(name, words.soap_fault)
    return reply_blocks(to, action)


# ------------------------------------------------------------------------------------------------ small things


def _block(space: str, name: str, content: str, more: str = "") -> str:
    return f"<{PREFIX}:{name} xmlns:{PREFIX}={quoted(space)}{more}>{content}</{PREFIX}:{name}>"


def _address(space: str, block: Element | None) -> str:
    """The address in an endpoint reference; one without any is taken for anonymous."""
    if block is None:
        return ""
    return next((_text(each) for each in block if each.tag == f"{{{space}}}Address"), "")


def _text(block: Element | None) -> str:
    return "" if block is None else (block.text or "").strip()
