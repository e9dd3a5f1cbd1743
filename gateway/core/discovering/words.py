"""What the words of an address tell by themselves: the only part of learning that knows a language.

It is little: plurals, verbs, and words that say what is done with a collection. Without them an address in another
language is still learned, only a little later.
"""

import re

NEVER = frozenset(
    b"search find filter query lookup match new create add edit update delete remove count counts total totals summary "
    b"stats statistics export import upload download bulk batch validate check preview latest current recent next "
    b"previous upcoming today all list index mine me self status health ping version info help docs metadata schema "
    b"config settings login logout details detail view show page pages home menu metrics".split()
)
"""What is done with a collection, or which part of it is meant. They are no values, whatever else stands there."""
VERBS = frozenset(
    b"accept add apply approve ask assign book calculate can cancel change check close create delete do edit execute "
    b"export fetch find generate get has import insert is join list load make notify open order pay print process "
    b"query register reject remove renew report request run save search select send set show start stop submit sync "
    b"tell track update upload validate verify view".split()
)
GENERAL = frozenset(b"api apis app external internal odata public rest service services svc v web ws".split())
"""Words after which there is no collection yet."""
PROGRAMS = frozenset(b"action ashx asmx asp aspx cfm cgi dll do exe jsp jspx php pl svc".split())
_FIRST = re.compile(rb"[A-Za-z][a-z]*")
_VERSION = re.compile(rb"v\d+(\.\d+)*", re.IGNORECASE)
_BY = (b"by-", b"by_", b"for-", b"for_")


def is_fixed(word: bytes) -> bool:
    """Whether a word is none of many values, whatever its company."""
    return not word or word.lower() in NEVER or is_program(word) or _VERSION.fullmatch(word) is not None


def is_general(word: bytes) -> bool:
    """Whether a word tells nothing of what follows it: none at all, a version, `api`."""
    return not word or word.lower() in GENERAL or _VERSION.fullmatch(word) is not None


def is_by(word: bytes) -> bool:
    """Whether a word announces a value: `by-surname`."""
    return word.lower().startswith(_BY)


def is_program(word: bytes) -> bool:
    """Whether a word names a program, as addresses of old servers do: `Rents.asmx`."""
    return b"." in word and word.rpartition(b".")[2].lower() in PROGRAMS


def is_plural(word: bytes) -> bool:
    return (word[-1:] == b"s" and word[-2:] not in (b"ss", b"us", b"is")) or word in (b"people", b"children")


def is_deed(word: bytes) -> bool:
    """Whether a word says what shall be done: `GetTenant`, `pay-rent`."""
    first = _FIRST.match(word)
    return first is not None and first[0].lower() in VERBS
