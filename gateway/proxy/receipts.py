"""What a client is told that comes back with the receipt of a queued write.

The address of a receipt is its secret: 32 random digits, told to nobody but the client that wrote.
"""

import json
from datetime import UTC, datetime
from typing import Any

from gateway.core.fields import fields_of
from gateway.core.problems import Refusal
from gateway.core.ways import field
from gateway.core.writing import RECEIPT, Given, State
from gateway.errors import ClientError
from gateway.proxy.answers import write_own
from gateway.proxy.durable import Durable
from gateway.wire.exchange import Exchange

PLACE = b"/.banyan/"
"""Below this the gateway answers itself, whatever the routes say."""
RECEIPTS = PLACE + b"receipts/"
_TOLD = (b"content-type", b"location", b"etag")
_NOT_KEPT = ((b"Cache-Control", b"no-store"),)


async def answer_receipt(exchange: Exchange, path: bytes, method: bytes, durable: Durable) -> None:
    """Answer for the gateway's own addresses. Raises ClientError."""
    write_id = path.removeprefix(RECEIPTS)
    if write_id == path or len(write_id) != 32 or not write_id.isalnum():
        raise ClientError(404, "Nothing is served at this address.")
    if method not in (b"GET", b"HEAD"):
        raise ClientError(405, "A receipt can only be read.", headers=((b"Allow", b"GET, HEAD"),))
    answer = await durable.receipt(write_id.decode())
    if answer[0] != "receipt":
        raise ClientError(404, "There is no such receipt, or it is too old.")
    _, state, at, given = answer
    body = json.dumps(document(write_id.decode(), state, at, given)).encode()
    write_own(exchange, Refusal(200, b"application/json", body), _NOT_KEPT)


def document(write_id: str, state: State, at: float, given: Given | None) -> dict[str, Any]:
    """A receipt as plain JSON values; once the record has answered, with its answer."""
    found: dict[str, Any] = {
        "receipt": RECEIPTS.decode() + write_id,
        "state": RECEIPT[state],
        "received": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
    }
    if given is not None and state in (State.DELIVERED, State.REFUSED):
        fields = fields_of(given.lines)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields if name.lower() in _TOLD}
        found["answer"] = {"status": given.status, "headers": headers, "body": _body(given.body, fields)}
    return found


def _body(data: bytes, fields: tuple[tuple[bytes, bytes], ...]) -> Any:
    """JSON as such, everything else as text."""
    if field(fields, b"content-type").partition(b";")[0].strip().lower().endswith((b"/json", b"+json")):
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            pass
    return data.decode(errors="replace")
