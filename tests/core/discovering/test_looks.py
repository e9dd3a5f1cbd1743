"""What a segment looks like, alone."""

import pytest

from gateway.core.discovering.looks import is_asset, is_odd, look


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ("7 100042 T100042 REP-2024-00017 HB1691775 case-1017 24-01234-FUL QQ123456C AB12CDE E05-12", "id"),
        ("9780141036144 200001234567 10.0.0.1 letter-000123.pdf local-plan-2024", "id"),
        ("2fd4e1c67a2d28fced849ee1bb76e7391b93eb12 507f1f77bcf86cd799439011 a3f9c2d1 dQw4w9WgXcQ", "id"),
        ("pzhUORhgnYHFeVZJqzs9qvtJ4_oo YWxhZGRpbjpvcGVuc2VzYW1l== Qxls8pm6chvsWLR_ecBtIT", "id"),
        ("O'Brien São {id} undefined null NaN A " + "x" * 65, "id"),
        ("2026-11-28 20261128 28-11-2026 2026-11-28T10:15:00Z 2026-11-28T10:15:00.123+01:00", "date"),
        ("2026-11 1999-01", "month"),
        ("2026 2025-26 2025-2026", "year"),
        ("c814368a-aabd-4fdb-94e4-138204c1be69 C814368A-AABD-4FDB-94E4-138204C1BE69", "uuid"),
        ("nia.roberts@example.org nia+bins@post.example", "email"),
        ("SW1A1AA sw1a-1aa M11AE B33+8TH", "postcode"),
        ("repairs council-tax Smith McDonald mill-lane 12-high-street St.Johns a ab", "word"),
        ("v1 V2 v2.1 1.0 2.0.1", "word"),
        ("s106 p45 oauth2 covid-19 b2b Rents.asmx index.php $metadata .well-known", "word"),
        ("getOAuth2Token exportTenancyAgreementToPDF RightToBuyApplicationFormV2 GetTenantByIDAndDOB", "word"),
        ("20261328 2026-13-01", "id"),
    ],
)
def test_looks(segments: str, expected: str) -> None:
    """A value is what nobody would choose for an address; what somebody might have chosen is a word."""
    assert {segment: look(segment) for segment in segments.split()} == dict.fromkeys(segments.split(), expected)


def test_what_was_written_with_blanks_is_a_value() -> None:
    """Postcodes as people write them, and anything else."""
    assert (look("SW1A 1AA"), look("John Smith"), look("")) == ("postcode", "id", "word")


def test_odd_words() -> None:
    """Figures, many hyphens and short runs of letters are unusual in names that somebody chose."""
    assert [word for word in ("s106", "the-red-lion", "nokbhtAyWpb", "repairs", "tai-chi", "NHS") if is_odd(word)] == [
        "s106",
        "the-red-lion",
        "nokbhtAyWpb",
    ]


def test_files_of_a_site() -> None:
    """Style sheets and the like are not endpoints; below a value they are what somebody has uploaded."""
    assert is_asset([b"static", b"app.4f2a91bc.js"])
    assert is_asset([b"favicon.ICO"])
    assert is_asset([b"robots.txt"])
    assert not is_asset([b"repairs", b"T100042", b"photo.jpg"])
    assert not is_asset([b"reports", b"arrears.csv"])
    assert not is_asset([b"files", b"css"])
