"""The access record: one JSON object per request, written in batches.

It names the route by its template, not the path: paths carry personal data. `access_log: {paths: true}` asks for them.
Most of a line is the same for every request of a route that goes the same way, so that part is made once and kept.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import orjson

from gateway.core.model import SERVED, AccessLog, Observation, Way, way_of
from gateway.errors import CommandError

_KEPT = 10_000
_SAFE_IN_PATHS = "/%:@!$&'()*+,;=~"


class Lines:
    """Makes access records. `patterns` are the routes' matches by name; `paths` also writes the path received."""

    def __init__(self, patterns: Mapping[str, str], *, paths: bool) -> None:
        self._patterns = patterns
        self._paths = paths
        self._same: dict[tuple[object, ...], bytes] = {}
        self._second = 0
        self._timestamp = b""

    def line(self, observation: Observation) -> bytes:
        """One request as it is logged; times in milliseconds, -1 where it did not come so far."""
        way = way_of(observation)
        same = self._same.get(way) or self._remember(Way._make(way))
        bytes_in, bytes_out, connect, first_byte, duration, revision, request_id, trace, path = observation[10:]
        at = observation[0]
        second = int(at)
        if second != self._second:
            self._second = second
            self._timestamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        return _LINE % (
            self._timestamp,
            (at - second) * 1e3,
            same,
            duration * 1e3,
            max(connect * 1e3, -1.0),
            max(first_byte * 1e3, -1.0),
            bytes_in,
            bytes_out,
            revision,
            request_id,
            trace[:32],
            b',"path":%b' % orjson.dumps(quote(path, safe=_SAFE_IN_PATHS)) if self._paths else b"",
        )

    def _remember(self, way: Way) -> bytes:
        fields = {
            "event": "request_served",
            "method": way.method.decode("latin-1"),
            "route": way.route or None,
            "match": self._patterns.get(way.route),
            "side": way.side or None,
            "role": way.role,
            "backend": way.backend or None,
            "status": way.status,
            "outcome": way.outcome,
            "acted": way.acted,
            "error": way.error or None,
        }
        same = orjson.dumps(fields)[1:-1]
        if len(self._same) >= _KEPT:
            self._same.clear()
        self._same[way] = same
        return same


_LINE = (
    b'{"timestamp":"%b.%03dZ",%b,"duration_ms":%.2f,"connect_ms":%.2f,"first_byte_ms":%.2f,'
    b'"bytes_in":%d,"bytes_out":%d,"revision":%d,"request_id":"%b","trace_id":"%b"%b}\n'
)


class AccessWriter:
    """Writes access records to standard output or a file; `settings` may change at a reload."""

    def __init__(self) -> None:
        self._settings = AccessLog("off")
        self._file: BinaryIO | None = None
        self._lines = Lines({}, paths=False)

    def configure(self, settings: AccessLog, patterns: Mapping[str, str]) -> None:
        """Go by new settings; `patterns` are the routes' matches by name. Raises CommandError."""
        self._lines = Lines(patterns, paths=settings.paths)
        if settings.to != self._settings.to:
            self.close()
        self._settings = settings
        if self._file is None and settings.to != "off":
            self._file = _opened(settings.to)

    def write(self, batch: Iterable[Observation]) -> None:
        file = self._file
        if file is None:
            return
        file.write(b"".join([self._lines.line(each) for each in batch if each[3] in SERVED]))
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
