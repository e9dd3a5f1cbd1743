"""What a segment of a path looks like when it stands alone: a value of some kind, or a word.

A value is what nobody would choose for an address: a number, a UUID, a date, what is half digits. Whatever somebody
might have chosen is a word, and whether it is a value after all is told by its company (`company`), not by its looks.
"""

import re
from collections.abc import Sequence
from typing import Literal

Look = Literal["word", "date", "month", "year", "uuid", "email", "postcode", "id"]
WORD: Look = "word"

_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_TIME = r"(?:T[\d:.]{4,15}(?:Z|[+-][\d:]{2,5})?)?"
_LOOKS = re.compile(
    rf"(?P<version>v\d{{1,3}}(?:\.\d+)*|\d{{1,3}}(?:\.\d{{1,3}}){{1,2}})"
    rf"|(?P<uuid>\{{?[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\}}?)"
    rf"|(?P<date>{_YEAR}-{_MONTH}-{_DAY}{_TIME}|{_YEAR}{_MONTH}{_DAY}{_TIME}|{_DAY}-{_MONTH}-{_YEAR})"
    rf"|(?P<month>{_YEAR}-{_MONTH})"
    rf"|(?P<year>{_YEAR}(?:-(?:{_YEAR}|\d\d))?)"
    r"|(?P<email>[^@]+@[^@]+\.[^@]+)"
    r"|(?P<postcode>[a-z]{1,2}\d[a-z\d]?[ +-]?\d[a-z]{2})"
    r"|(?P<id>\d+"
    r"|(?:[^\d]*\d){4}.*"  # four digits: a number, whatever stands around it
    r"|(?=.*\d)(?=.*[a-f])[0-9a-f]{8,}"
    r"|.{65,}"
    r"|.*[^\w.~$!-].*)",  # a blank, a comma, an apostrophe: somebody's own words
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_MISSING = frozenset({"undefined", "null", "NaN", "None"})
"""What a program writes that has no value at hand."""
_CODE = re.compile(r"(?=(?:[^\d]*\d){2})[A-Z\d]{4,}(?:[-._][A-Z\d]+)*|[A-Z\d]+(?:[-._][A-Z\d]*\d[A-Z\d]*)+|[A-Z]")
"""Capitals and figures, as on number plates: AB12CDE, QQ12-B. And a single capital, such as a band."""
_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_DRAWN = ((5, 2.2), (8, 2.4), (10, 2.9))
"""So many runs of letters and figures or more, and the longest they are on average, where a word was drawn by chance.
Words that somebody chose change less often, even in camelCase."""
LONGEST = 200


def look(segment: str) -> Look:
    """What a segment, percent-decoded, looks like."""
    if segment in _MISSING:
        return "id"
    if segment.islower() and segment.isalpha() and segment.isascii() and len(segment) < 32:
        return WORD
    found = _LOOKS.fullmatch(segment[:LONGEST])
    kind = found.lastgroup if found is not None else None
    match kind:
        case "date" | "month" | "year" | "uuid" | "email" | "postcode" | "id":
            return kind
        case None if _CODE.fullmatch(segment) or _is_drawn(segment):
            return "id"
    return WORD


def _is_drawn(word: str) -> bool:
    """Whether letters and figures seem to be drawn by chance, as in base64: dQw4w9WgXcQ."""
    if word.islower() or word.isupper():
        return False
    runs = _RUNS.findall(word)
    length = sum(map(len, runs))
    return any(len(runs) >= least and length <= run * len(runs) for least, run in _DRAWN)


def is_odd(word: str) -> bool:
    """Whether a word would be an unusual choice for an address: enough to take it for a value where values stand."""
    if any(map(str.isdigit, word)) or word.count("-") > 1:
        return True
    runs = _RUNS.findall(word)
    return len(runs) > 2 and not word.isupper() and min(map(len, runs)) < 3


ENDINGS = frozenset(
    b"css js mjs map png jpg jpeg gif svg ico webp avif bmp woff woff2 ttf otf eot mp3 mp4 webm wasm".split()
)
FILES = frozenset((b"robots.txt", b"sitemap.xml", b"humans.txt", b"security.txt", b"manifest.json", b"ads.txt"))


def is_asset(segments: Sequence[bytes]) -> bool:
    """Whether a path ends in a file of a web site, which nobody moves by itself; below a value it is somebody's."""
    last = segments[-1].lower()
    return b"." in last and (
        last in FILES
        or (last.rpartition(b".")[2] in ENDINGS and all(look(each.decode("latin-1")) == WORD for each in segments[:-1]))
    )
