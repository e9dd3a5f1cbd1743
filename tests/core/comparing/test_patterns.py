"""Personal data is masked wherever it stands in a text, and ordinary text is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.comparing.patterns import looks_like_data, masked

SECRETS = [
    "QQ123456C",
    "qq 12 34 56 c",
    "AB-12-34-56-D",
    "QQ%2012%2034%2056%20C",
    "AB123456",
    "12-34-56 12345678",
    "12-34-56",
    "12 34 56 1234567",
    "123456 12345678",
    "123456/12345678",
    "12345678",
    "GB29NWBK60161331926819",
    "GB29 NWBK 6016 1331 9268 19",
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111 1111 1111 1111 12",
    "378282246310005",
    "6304000000000000018",
    "jane.o'neill+x@example.co.uk",
    "jane%40example.com",
    "SW1A 1AA",
    "sw1a1aa",
    "M1+1AE",
    "GIR 0AA",
    "020 7946 0958",
    "(020) 7946 0958",
    "07700 900123",
    "+44 7700 900123",
    "+44 (0)20 7946 0958",
    "0044 7700900123",
    "%2B447700900123",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("text", ["{}", "Ref {}, paid", "/find?q={}&page=2", '{{"x":"{}"}}', "x:{}\n"])
def test_personal_data_is_masked(secret: str, text: str) -> None:
    """National Insurance numbers, bank details, cards, e-mail, postcodes and phones, in texts and in URLs."""
    assert masked(text.format(secret)) == text.format("***") or _only_rests(masked(text.format(secret)), secret)


def _only_rests(shown: str, secret: str) -> bool:
    """Where a number stands beside others, nothing of four digits or more of it is left."""
    return "***" in shown and not any(secret[at : at + 4] in shown for at in range(len(secret) - 3))


@pytest.mark.parametrize(
    "text",
    [
        "HSG-0001234",
        "2026-11-22T10:15:30Z",
        "2026-11-22",
        "£1,234.56",
        "1234567890123",
        "Rent for week 12 of 52, paid 3 times",
        "/housing/repairs/12345?page=3",
        "0123",
        "ABC123",
        "",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """Dates, amounts, references, and digits whose check digit is wrong."""
    assert masked(text) == text


@given(st.sampled_from(SECRETS), *[st.text(alphabet="0123456789 -.abAB%+", max_size=30)] * 2)
def test_what_stands_around_hides_nothing(secret: str, before: str, after: str) -> None:
    """Other digits and letters beside a secret do not keep it from being found."""
    assert secret not in masked(f"{before}, {secret}, {after}")


def test_long_texts_are_masked_in_time() -> None:
    """No pattern goes back over what it has read again and again."""
    for text in ("a" * 100_000, "1 " * 5_000, "a@" * 20_000, "0" * 5_000):
        assert len(masked(text)) <= 3 * len(text)


@pytest.mark.parametrize(
    "name",
    [
        "12345678",
        "HSG-0001234",
        "jane@example.com",
        "9b2fdc3e-aaaa-bbbb-cccc-dddddddddddd",
        "abcdefab-aaaa-bbbb-cccc-dddddddddddd",
        "2026-11-22",
        "SW1A 1AA",
        "Jane Doe",
        "x" * 65,
    ],
)
def test_names_that_are_data_are_known(name: str) -> None:
    """Account numbers, identifiers, dates, and what is too long for a name."""
    assert looks_like_data(name)


@pytest.mark.parametrize(
    "name", ["id", "address1", "line_2", "@type", "#text", "x" * 64, "AmountGBP", "iso8601"[:4], ""]
)
def test_ordinary_names_are_not(name: str) -> None:
    """A few digits make no data."""
    assert not looks_like_data(name)
