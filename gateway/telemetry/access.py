"""The access record: one JSON object per request, written in batches.

It names the route by its template, not the path: paths carry personal data. `access_log: {paths: true}` asks for them.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import orjson

from gateway.core.model import AccessLog, Observation
from gateway.errors import CommandError


def record(observation: Observation, pattern: str, *, path: bool) -> dict[str, object]:
    """One request as it is logged; times in milliseconds, absent where they were not reached."""
    entry: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(observation.at, UTC).isoformat(timespec="milliseconds"),
        "event": "request_served",
        "method": observation.method.decode("latin-1"),
        "route": observation.route or None,
        "match": pattern or None,
        "side": observation.side or None,
        "backend": observation.backend or None,
        "role": observation.role,
        "status": observation.status,
        "outcome": observation.outcome,
        "acted": observation.acted,
        "duration_ms": round(observation.duration * 1e3, 2),
        "bytes_in": observation.bytes_in,
        "bytes_out": observation.bytes_out,
        "request_id": observation.request_id.decode("latin-1"),
        "trace_id": observation.trace_id.decode("latin-1") or None,
        "revision": observation.revision,
    }
    if observation.connect >= 0:
        entry["connect_ms"] = round(observation.connect * 1e3, 2)
    if observation.first_byte >= 0:
        entry["first_byte_ms"] = round(observation.first_byte * 1e3, 2)
    if observation.error:
        entry["error"] = observation.error
    if path:
        entry["path"] = quote(observation.path, safe="/%:@!$&'()*+,;=~")
    return entry


class AccessWriter:
    """Writes access records to standard output or a file; `settings` may change at a reload."""

    def __init__(self) -> None:
        self._settings = AccessLog("off")
        self._file: BinaryIO | None = None
        self._patterns: Mapping[str, str] = {}

    def configure(self, settings: AccessLog, patterns: Mapping[str, str]) -> None:
        """Go by new settings; `patterns` are the routes' matches by name. Raises CommandError."""
        self._patterns = patterns
        if settings.to != self._settings.to:
            self.close()
        self._settings = settings
        if self._file is None and settings.to != "off":
            self._file = _opened(settings.to)

    def write(self, batch: Iterable[Observation]) -> None:
        file = self._file
        if file is None:
            return
        get, paths = self._patterns.get, self._settings.paths
        lines = [orjson.dumps(record(each, get(each.route, ""), path=paths)) for each in batch]
        lines.append(b"")
        file.write(b"\n".join(lines))
        file.flush()

    def reopen(self) -> None:
        """Open the file anew, after a log rotation has moved it away."""
        if self._settings.to not in ("off", "stdout"):
            self.close()
            self._file = _opened(self._settings.to)

    def close(self) -> None:
        if self._file is not None and self._file is not sys.stdout.buffer:
            self._file.close()
        self._file = None


def _opened(to: str) -> BinaryIO:
    if to == "stdout":
        return sys.stdout.buffer
    try:
        return Path(to).open("ab")
    except OSError as error:
        raise CommandError(f"Cannot write the access log {to}: {error.strerror}. See gateway.access_log.to.") from error
