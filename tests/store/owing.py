"""Writes for tests of those who keep and deliver them, written short."""

from typing import Any

from gateway.core.writing import Intent, Kept, lane_of

KEPT = Kept(b"PUT", b"/a/1", b"/a/1", b"", b"api.example", b"X-A: \xe9\r\n", b"X-Request-ID: 1\r\n", b"http", b"\0body")


def intent(write_id: str, key: str = "1", **more: Any) -> Intent:
    """A write of legacy that new gets, too, unless it is said otherwise."""
    usual: dict[str, Any] = {"record": "legacy", "copy": True, "queue": "", "repeatable": False}
    usual |= {"at": 100.0, "until": 1_000.0, "kept": KEPT, "route": "a", "lane": lane_of(b"a", key), "key": key}
    return Intent(write_id, **(usual | more))
