"""What is shown of a value that configuration holds: nothing, when its name says that it may be a secret."""

import re

MASK = "***"
_SECRET = re.compile(r"auth|cookie|credential|key|pass|secret|session|signature|token", re.IGNORECASE)


def shown(name: str, value: str) -> str:
    """A value as it may be shown to people who may not know it."""
    return MASK if _SECRET.search(name) else value
