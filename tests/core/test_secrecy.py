"""Values whose names say that they are secret are not shown."""

import pytest

from gateway.core.secrecy import MASK, shown


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
