from collections.abc import Callable
from typing import Any

import pytest

from gateway.config import addresses
from gateway.config.addresses import Address
from gateway.config.problems import Unreadable


def refusal(read: Callable[[object], Any], value: object) -> str:
    with pytest.raises(Unreadable) as caught:
        read(value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (addresses.network, "10.0.0.0/8", "10.0.0.0/8"),
        (addresses.network, "::1", "::1/128"),
        (addresses.public_url, "https://api.example.org/", "https://api.example.org"),
        (addresses.link, "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
    ],
)
def test_addresses_are_read_as_the_core_wants_them(
    read: Callable[[object], Any], value: object, expected: object
) -> None:
    """A network has its length, and the public address no path."""
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (addresses.network, "10.0.0.1/8"),
        (addresses.network, "ten"),
        (addresses.public_url, "https://api.example.org/v1"),
        (addresses.public_url, "api.example.org"),
        (addresses.link, "example.org"),
        (addresses.link, "https://example.org/a b"),
        (addresses.link, 'https://example.org/"'),
    ],
)
def test_addresses_that_cannot_be_are_refused(read: Callable[[object], Any], value: object) -> None:
    """What could break a header, or mean two things, is refused where it is written."""
    assert refusal(read, value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://housing:8080", Address("housing", 8080, authority=b"housing:8080")),
        ("http://housing", Address("housing", 80, authority=b"housing")),
        ("https://Housing/", Address("housing", 443, True, authority=b"housing")),
        ("https://housing:8443/api/v1/", Address("housing", 8443, True, base=b"/api/v1", authority=b"housing:8443")),
        ("http://[::1]:9000", Address("::1", 9000, authority=b"[::1]:9000")),
        ("https://[::1]:443", Address("::1", 443, True, authority=b"[::1]")),
        ("unix:/run/housing.sock", Address("localhost", 0, unix="/run/housing.sock")),
        ("unix:///run/housing.sock", Address("localhost", 0, unix="/run/housing.sock")),
    ],
)
def test_a_url_says_where_a_backend_listens(url: str, address: Address) -> None:
    """Host, port, base path and the Host header come from one URL."""
    assert addresses.address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "housing:8080",
        "ftp://housing",
        "http://",
        "http://user:pw@housing",
        "http://housing?x",
        "http://housing/#f",
        "http://housing:99999",
        "http://housing:0",
        "http://housing:x",
        "http://[::1",
        "http://hou sing",
        "unix:",
        "unix:/" + "x" * 107,
        "http://housing/../x",
        "http://housing/%2e%2e/x",
        "http://häusing",
        8080,
    ],
)
def test_other_urls_are_refused(url: object) -> None:
    """A URL that holds more or less than an address is refused, and a password in it is not repeated."""
    message = refusal(addresses.address, url)
    assert "pw" not in message


def test_addresses_that_may_hold_secrets_are_never_repeated() -> None:
    """Webhooks and databases: what is wrong with one is said without it."""
    assert addresses.webhook_url("https://hooks.example:8443/banyan?x=1") == "https://hooks.example:8443/banyan?x=1"
    assert addresses.database("postgresql://u:p@h:5432/d") == "postgresql://u:p@h:5432/d"
    for read, wrong in (
        (addresses.webhook_url, "https://user:hunter2@hooks.example"),
        (addresses.webhook_url, "ftp://hooks.example"),
        (addresses.webhook_url, "https:///x"),
        (addresses.database, "mysql://u:hunter2@h/d"),
        (addresses.database, "postgresql://"),
    ):
        assert "{written}" not in refusal(read, wrong)
