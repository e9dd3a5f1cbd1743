"""People who look at the pages: somebody signed in with a token, and pages that stay open and ask by themselves."""

import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from http.client import HTTPConnection
from threading import Event
from time import monotonic
from typing import Self
from urllib.parse import urlencode

from benchmarks.common import ROOT, Answer, CannotMeasure, Gateway

EVERY = 5.0
"""Seconds between two askings of a part of a page, as the templates have it; `viewers` reads in them which parts do."""
_POLLED = re.compile(r'hx-get="([^"]+)" hx-trigger="every 5s"')


class Viewer:
    """A browser that is signed in as a viewer, on one connection."""

    def __init__(self, gateway: Gateway, cookie: str = "") -> None:
        self._connection = HTTPConnection("127.0.0.1", gateway.admin, timeout=30)
        self.cookie = cookie

    @classmethod
    def of(cls, gateway: Gateway) -> "Viewer":
        """Somebody with a new token, who signs in with it."""
        command = [sys.executable, "-m", "gateway", "token", "create", "--name", "bench", "--data", str(gateway.data)]
        made = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30, check=False)
        if made.returncode:
            raise CannotMeasure(f"there is no token: {made.stderr}")
        viewer = cls(gateway)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        signed = viewer._good("POST", "/sign-in", urlencode({"token": made.stdout.strip()}), form)
        viewer.cookie = signed.headers.get("set-cookie", "").partition(";")[0]
        if signed.status != 303 or not viewer.cookie:
            raise CannotMeasure(f"signing in: {signed.status} {signed.body!r}")
        return viewer

    def get(self, path: str, *, live: bool = False) -> Answer:
        """A page, whole; `live` where nobody is at the keys."""
        return self._good("GET", path, None, {"X-Banyan-Live": "1"} if live else {})

    def is_known(self) -> bool:
        """Whether the gateway has read who is signed in."""
        return self._asked("GET", "/api/v1/status", None, {}).status == 200

    def timed(self, path: str) -> float:
        """Milliseconds until a page is there, whole."""
        began = monotonic()
        self.get(path)
        return (monotonic() - began) * 1e3

    def _asked(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        self._connection.request(method, path, body, headers | ({"Cookie": self.cookie} if self.cookie else {}))
        answer = self._connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, answer.read())

    def _good(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        """Raises CannotMeasure for what is refused or fails."""
        found = self._asked(method, path, body, headers)
        if found.status >= 400:
            raise CannotMeasure(f"{method} {path}: {found.status} {found.body[:300]!r}")
        return found

    def close(self) -> None:
        self._connection.close()


class OpenPages:
    """Pages that are open while the `with` block runs: each asks for its parts again, as often as its template says."""

    def __init__(self, gateway: Gateway, cookie: str, pages: Sequence[str]) -> None:
        self._gateway = gateway
        self._cookie = cookie
        self._pages = pages
        self._over = Event()
        self._threads = ThreadPoolExecutor(max(1, len(pages)))
        self.asked = 0

    def __enter__(self) -> Self:
        self._open = [self._threads.submit(self._stay, n, page) for n, page in enumerate(self._pages)]
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._threads.shutdown()
        self.asked = sum(each.result() for each in self._open)

    def _stay(self, number: int, page: str) -> int:
        """Open it, at a time of its own, and ask for its parts until it is closed; how often that was."""
        asked, viewer = 0, Viewer(self._gateway, self._cookie)
        self._over.wait(EVERY * number / len(self._pages))
        parts = polled(viewer.get(page))
        while not self._over.wait(EVERY):
            for part in parts:
                parts = polled(viewer.get(part, live=True))
                asked += 1
        viewer.close()
        return asked


def polled(answer: Answer) -> list[str]:
    """What a page asks for by itself. A list of routes says in which order it stands."""
    return [unescape(path) for path in _POLLED.findall(answer.body.decode())]
