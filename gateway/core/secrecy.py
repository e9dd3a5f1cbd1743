"""What is shown of a value that configuration holds: nothing, when its name says that it may be a secret."""

import re

MASK = "***"
_SECRET = re.compile(r"auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE)


def shown(name: str, value: str) -> str:
    """A value as it may be shown to people who may not know it."""
    return MASK if _SECRET.search(name) else value


_URL = re.compile(r"([a-z][a-z0-9+.-]*://)(.*@)?([^/?#]*)([^?#]*)(.*)", re.DOTALL)


def shown_url(url: str, *, path: bool) -> str:
    """An address without its user, password and query, which may be secrets; `path` tells whether the path is none.

    All that stands before the last `@` counts as user and password, for a password may hold any character.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return MASK if url else ""
    scheme, user, host, where, rest = found.groups()
    hidden = f"?{MASK}" if rest else ""
    if not path:
        where, hidden = "", f"/{MASK}" if where.strip("/") or rest else ""
    return f"{scheme}{MASK + '@' if user else ''}{host}{where}{hidden}"
