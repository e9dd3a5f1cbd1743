"""Values whose names say that they are secret are not shown."""

import pytest

from gateway.core.secrecy import MASK, shown, shown_url


@pytest.mark.parametrize(
    "name", ["Authorization", "X-Api-Key", "Cookie", "x-access-token", "X-Client-Secret", "db-password", "X-Signature"]
)
def test_a_secret_is_masked(name: str) -> None:
    """Whatever the spelling, a value that may be a secret is replaced."""
    assert shown(name, "opensesame") == MASK


@pytest.mark.parametrize("name", ["Accept", "X-Council", "Content-Type"])
def test_anything_else_is_shown(name: str) -> None:
    """What cannot be a secret is shown as it is."""
    assert shown(name, "plain") == "plain"


@pytest.mark.parametrize(
    ("url", "with_path", "without"),
    [
        ("postgresql://gw:s3cret@db:5432/banyan", "postgresql://***@db:5432/banyan", "postgresql://***@db:5432/***"),
        ("postgresql://gw:s3/c?r#e@t@db/banyan", "postgresql://***@db/banyan", "postgresql://***@db/***"),
        ("postgresql://db/banyan?password=s3cret", "postgresql://db/banyan?***", "postgresql://db/***"),
        ("https://hooks.example/s3cret", "https://hooks.example/s3cret", "https://hooks.example/***"),
        ("https://hooks.example?s3cret", "https://hooks.example?***", "https://hooks.example/***"),
        ("https://hooks.example/", "https://hooks.example/", "https://hooks.example"),
        ("s3cret", MASK, MASK),
        ("", "", ""),
    ],
)
def test_of_an_address_only_what_is_no_secret_is_shown(url: str, with_path: str, without: str) -> None:
    """User, password and query are hidden, whatever a password is made of; so is the path where it may be a secret."""
    assert (shown_url(url, path=True), shown_url(url, path=False)) == (with_path, without)
