"""What personal data looks like in text: what is kept, logged or shown is masked by these patterns first.

They are made for the United Kingdom's public sector. In doubt they mask: a date written 26-11-22 could be a sort code.
Spaces, dashes and `%40` of URLs are seen through.
"""

import re
from functools import lru_cache

from gateway.core.secrecy import MASK

_GAP = r"(?:[ \t.\-+]|%20|%2D)?"
_BEGINS, _ENDS = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_MORE_DIGITS = rf"(?:{_GAP}\d)"
_CARD = re.compile(rf"\d{_MORE_DIGITS}{{12,}}+", re.ASCII)
_CARD_LENGTHS = (13, 14, 15, 16, 17, 18, 19)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


PATTERNS: dict[str, re.Pattern[str]] = {
    "e-mail": re.compile(r"(?<![\w.+'-])[\w.+'-]++(?:@|%40)[\w-]+(?:\.[\w-]+)*", re.IGNORECASE),
    "IBAN": _pattern(rf"{_BEGINS}GB\d\d{_GAP}[A-Z]{{4}}{_MORE_DIGITS}{{14}}"),
    "National Insurance number": _pattern(rf"{_BEGINS}[A-Z]{{2}}(?:{_GAP}\d\d){{3}}{_GAP}[A-D]?{_ENDS}"),
    "phone number": _pattern(
        rf"(?<!\d)(?:(?:\+|%2B|00)44{_GAP}(?:\(0\){_GAP})?|\(?0)\d(?:{_GAP}\)?{_GAP}\d){{8,9}}(?!\d)"
    ),
    "sort code, and account": _pattern(
        r"(?<!\d)(?:\d\d[ \-]\d\d[ \-]\d\d|\d{6}(?=[ /\-]\d{7,8}(?!\d)))(?:[ /\-]?\d{7,8})?(?!\d)"
    ),
    "account number": _pattern(r"(?<!\d)\d{8}(?!\d)"),
    "postcode": _pattern(rf"{_BEGINS}(?:[A-Z]{{1,2}}\d[A-Z\d]?|GIR){_GAP}\d[A-Z]{{2}}{_ENDS}"),
}
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_MANY_DIGITS = 4
_LONG_NAME = 64


def masked(text: str) -> str:
    """A text in which whatever looks like personal data is `***`."""
    text = _CARD.sub(lambda found: MASK if _has_card(found[0]) else found[0], text)
    for pattern in PATTERNS.values():
        text = pattern.sub(MASK, text)
    return text


def _has_card(text: str) -> bool:
    """Whether there is a card number among digits, which may have others before and behind it."""
    digits = [int(each) for each in re.sub(r"%20|%2D|\D", "", text, flags=re.IGNORECASE)]
    begins = range(len(digits) - _CARD_LENGTHS[0] + 1)
    return any(_is_luhn(digits[begin : begin + length]) for begin in begins for length in _CARD_LENGTHS)


def _is_luhn(digits: list[int]) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


@lru_cache(maxsize=4_096)
def looks_like_data(name: str) -> bool:
    """Whether a member's name seems to be data itself, as in a map by account number: then it is not a field.

    One with a space in it may be a person's.
    """
    if len(name) > _LONG_NAME or " " in name or sum(map(str.isdigit, name)) >= _MANY_DIGITS:
        return True
    return _UUID.search(name) is not None or masked(name) != name
