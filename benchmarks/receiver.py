"""A receiver of webhooks, which takes everything and keeps it."""

import json
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

SECRET = "whsec_" + b64encode(b"benchmarks need no secret").decode()


class Receiver:
    """Listens for as long as the `with` block runs. `got` are the documents by the id of their event."""

    def __init__(self) -> None:
        self.got: dict[str, Any] = {}
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got[self.headers["webhook-id"]] = json.loads(body)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def entry(self) -> str:
        """This receiver, as `webhooks` of routes.yaml names one."""
        return f'{{url: "http://127.0.0.1:{self._server.server_port}/", secret: {SECRET}}}'

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
