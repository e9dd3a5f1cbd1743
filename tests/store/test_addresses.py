"""A store's URL is read, or refused, without its password being shown."""

from pathlib import Path

import pytest

from gateway.errors import CommandError
from gateway.store.addresses import address_of

DATA = Path("data")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (None, "data/banyan.db"),
        ("", "data/banyan.db"),
        ("sqlite:///kept/store.db", "kept/store.db"),
        ("sqlite:////var/lib/banyan/a%20b.db", "/var/lib/banyan/a b.db"),
    ],
)
def test_a_file_is_a_store(url: str | None, file: str) -> None:
    """Without a URL the store is a file in the data folder; a URL may name another one."""
    address = address_of(url, DATA)
    assert (address.file, address.name) == (Path(file), f"SQLite {file}")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("postgresql://gateway:s3cret@db.internal/banyan", "PostgreSQL db.internal/banyan"),
        ("postgres://gateway:s3cret@db.internal:6432/banyan?sslmode=require", "PostgreSQL db.internal:6432/banyan"),
        ("postgresql://gateway:s3cret@/banyan?host=/run/postgresql", "PostgreSQL /banyan"),
    ],
)
def test_a_server_is_named_without_its_password(url: str, name: str) -> None:
    """PostgreSQL's URL is kept as it is; what people see of it is the host and the database."""
    address = address_of(url, DATA)
    assert (address.dsn, address.name) == (url, name)
    assert "s3cret" not in f"{address} {address!r} {address.name}"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://gateway:s3cret@db/banyan",
        "sqlite:///",
        "sqlite://banyan.db",
        "banyan.db",
        "postgresql://gateway:s3/cret@db/banyan",
        "postgresql://gateway:s3cret#x@db/banyan",
        "postgresql://gateway:s3cret?x@db/banyan",
        "postgresql://gateway:s3cret@db:port/banyan",
        "postgresql://gateway:s3cret@[db/banyan",
    ],
)
def test_what_is_no_url_is_refused_without_being_shown(url: str) -> None:
    """A password with a bare / or # makes another URL of it: what is said about that must not show a part of it."""
    with pytest.raises(CommandError, match=r"%2F for /") as refused:
        address_of(url, DATA)
    assert "s3" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_password_is_hushed_in_texts_of_others() -> None:
    """The password is taken out of any text, as written in the URL and as meant."""
    address = address_of("postgresql://gateway:p%40ss@db/banyan", DATA)
    assert address.hushed("no p@ss, no p%40ss") == "no ***, no ***"
    assert address_of("postgresql://gateway@db/banyan", DATA).hushed("text") == "text"
