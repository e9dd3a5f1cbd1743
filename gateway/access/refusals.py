"""What the admin room answers instead of doing as it was told: a status, and a sentence that says what to do next."""

from collections.abc import Mapping

from gateway.errors import BanyanError


class Refusal(BanyanError):
    """A request that is not carried out. `detail` may be shown to whoever sent it; `headers` go with the answer."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(f"{status}: {detail}")


def unknown(detail: str) -> Refusal:
    """Nobody has proved who they are (RFC 9110, section 15.5.2)."""
    return Refusal(401, detail, {"WWW-Authenticate": "Bearer"})
