"""What of recorded traffic may be kept, with a small stand-in for the real patterns."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.masking import address_parts, masked_address, masked_fields, masked_target, masked_text, masked_value

_PERSONAL = re.compile(r"[A-Z]{2} ?\d{6} ?[A-D]|[\w.]+@[\w.]+")


def mask(text: str) -> str:
    """National Insurance numbers and e-mail addresses, roughly."""
    return _PERSONAL.sub("***", text)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/rents/1234/balance?date=2026-01-01", "/rents/1234/balance?date=2026-01-01"),
        ("/people/AB123456C/rents", "/people/***/rents"),
        ("/people/AB%20123456%20C", "/people/***"),
        ("/people/x-AB123456C-y", "/people/***"),
        ("/people?nino=AB123456C&page=2", "/people?nino=***&page=2"),
        ("/people?mail=a%40b.example", "/people?mail=***"),
        ("/people?mail=a%2540b.example", "/people?mail=***"),
        ("/people?nino=AB+123456+C", "/people?nino=***"),
        ("/people?a%40b.example=1", "/people?***=1"),
        ("/people?a&amp;nino=1", "/people?a&amp;nino=1"),
        ("/people?note=me&#64;", "/people?note=me&#64;"),
        ("/login?access_token=abc&flag&page=", "/login?access_token=***&flag&page="),
        ("/login?%74oken=abc&token=", "/login?%74oken=***&token="),
        ('/find?where={"session":"1"}', "/find?where=***"),
        ("/shop;jsessionid=1234/basket", "/***/basket"),
        ("/shop;v=2/basket", "/shop;v=2/basket"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_addresses_of_requests(target: str, expected: str) -> None:
    """Whole segments and values are masked, however they are escaped, and by their names; the rest stays as it was."""
    assert masked_target(target, mask) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://me:pw@services.example:8443/rents?page=2#x", "https://services.example:8443/rents?page=2#***"),
        ("//services.example", "//services.example"),
        ("/people/AB123456C", "/people/***"),
        ("repairs/7", "repairs/7"),
        ("mailto:a@b.example", "***"),
        ("", ""),
    ],
)
def test_addresses_in_answers(address: str, expected: str) -> None:
    """User information and fragments, where tokens are passed on, go for good."""
    assert masked_address(address, mask) == expected


def test_parts_of_an_address() -> None:
    """An address comes apart without reading more into it than it says."""
    assert address_parts("HTTPS://u@h:1/p?q=a//b#f") == ("HTTPS:", "h:1", "/p?q=a//b", "#")
    assert address_parts("?q") == ("", "", "?q", "")


def test_fields() -> None:
    """Credentials are left out with their names, harmless values are kept, and all others are masked."""
    fields = [
        (b"Authorization", b"Bearer abc"),
        (b"Cookie", b"a=b"),
        (b"Set-Cookie", b"a=b"),
        (b"Proxy-Authorization", b"Basic abc"),
        (b"Proxy-Anything", b"x"),
        (b"X-Api-Key", b"abc"),
        (b"X-Client-Secret", b"abc"),
        (b"Accept", b"application/json"),
        (b"User-Agent", b"mine (a@b.example)"),
        (b"Location", b"/people/AB123456C"),
        (b"X-Tenant", b"42"),
    ]
    assert masked_fields(fields, mask) == [
        ("Accept", "application/json"),
        ("User-Agent", "***"),
        ("Location", "/people/***"),
        ("X-Tenant", "***"),
    ]
    assert masked_value("content-type", "text/xml; charset=utf-8", mask) == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "x"}',
        '{"password" : "x"}',
        '{"nino": "AB123456C"}',
        r'{"nino": "\u0041B123456C"}',
        r'{"\u0070assword": "x"}',
        "user=me&pass%77ord=x",
        "pin[secret]=x",
        '<wsse:Password Type="text">x</wsse:Password>',
        "<a>me&#64;b.example</a>",
    ],
)
def test_bodies_that_are_masked(text: str) -> None:
    """A secret's name or somebody's number masks all of a body, in JSON, forms and XML, however it is escaped."""
    assert masked_text(text, mask) == "***"


@pytest.mark.parametrize("text", ['{"key facts": 1}', '{"account": "1"}', "a=b&c=d", "<a>b &amp; c</a>", "a key", ""])
def test_bodies_that_are_kept(text: str) -> None:
    """A body without any is kept to the letter; a word in running text is no name."""
    assert masked_text(text, mask) == text


@given(st.text(), st.text())
def test_nothing_personal_is_left(before: str, after: str) -> None:
    """Wherever it stands in an address, nothing of it remains."""
    number = "AB123456C"
    assert number not in masked_target(f"/a/{before}{number}{after}?b={after}{number}{before}", mask)


def test_a_long_word_is_read_once() -> None:
    """A body that is one long word costs no more than any other of its size."""
    begun = time.process_time()
    word = "a" * 1_000_000
    assert masked_text(word, str) == word
    assert time.process_time() - begun < 2
