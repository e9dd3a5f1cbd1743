"""Signatures of webhooks, symmetric ones (Standard Webhooks 1.0.0, "Signature scheme").

What is signed is the id, the time of the attempt and the body, so that none of them can be exchanged and an old message
cannot be sent again. Every attempt is signed anew: its time changes, its id does not.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping

TOLERANCE = 300.0
"""Seconds by which a signature's time may differ from the receiver's clock."""


def signed(webhook_id: str, at: float, body: bytes, secret: bytes) -> dict[str, str]:
    """The header fields that prove where a webhook comes from; `at` is the time of the attempt, in Unix seconds.

    Raises ValueError for an id with a full stop, which could be read as another id with another time.
    """
    if "." in webhook_id:
        raise ValueError(f"The id {webhook_id!r} of a webhook has a full stop in it. Use letters, digits, _ and -.")
    timestamp = str(int(at))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": _signature(webhook_id, timestamp, body, secret),
    }


def verified(headers: Mapping[str, str], body: bytes, secret: bytes, *, now: float) -> bool:
    """Whether a webhook was signed with `secret` within TOLERANCE seconds of `now`. Names of `headers` in lower case.

    The signature field may list several, parted by spaces, while secrets are being exchanged: one has to match.
    """
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(int(timestamp) - now) > TOLERANCE:
        return False
    expected = _signature(webhook_id, timestamp, body, secret).encode()
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(expected, each) for each in given)


def _signature(webhook_id: str, timestamp: str, body: bytes, secret: bytes) -> str:
    content = b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)
    return f"v1,{b64encode(hmac.digest(secret, content, 'sha256')).decode()}"
