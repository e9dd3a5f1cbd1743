"""Where a store is: a file, or a PostgreSQL server. What is said about it anywhere leaves the password out.

SQLite: `sqlite:///relative/path` or `sqlite:////absolute/path`. PostgreSQL: `postgresql://user:password@host/database`,
with libpq's parameters (https://www.postgresql.org/docs/current/libpq-connect.html, "Connection URIs").
"""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from gateway.errors import CommandError

FILE = "banyan.db"
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql", "postgres")


class Address(NamedTuple):
    """Where a store is: `file` of an SQLite store, otherwise `dsn` of a PostgreSQL one. `name` is for people."""

    name: str
    file: Path | None = None
    dsn: str = ""
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Address({self.name!r})"

    def hushed(self, text: str) -> str:
        """A text of somebody else's without this address' password."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def address_of(url: str | None, data: Path) -> Address:
    """The store that a URL names; without one, the file in the data folder. Raises CommandError."""
    if not url:
        return _file(data / FILE)
    if url.startswith(_SQLITE) and len(url) > len(_SQLITE):
        return _file(Path(unquote(url.removeprefix(_SQLITE))))
    try:
        parts = urlsplit(url)
        known = parts.scheme in _POSTGRESQL and "@" not in parts.path + parts.query + parts.fragment
        place = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        known = False
    if not known:
        raise CommandError(
            "The store's URL cannot be read. Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE, with "
            "%40 for @, %2F for / and %3A for : in a password."
        ) from None
    password = parts.password or ""
    secrets = {password, unquote(password)} - {""}
    return Address(f"PostgreSQL {place}", dsn=url, secrets=tuple(sorted(secrets, key=len, reverse=True)))


def _file(path: Path) -> Address:
    return Address(f"SQLite {path}", file=path)
