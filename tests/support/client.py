"""A client that says exactly the bytes it is told to, and hears exactly what comes back."""

import socket
import ssl
from types import TracebackType
from typing import Self

from tests.support.messages import Incomplete, Message, Reader

HOST = "front.example"


class Client:
    """One connection to a gateway. Every wait is bounded by `timeout` seconds."""

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        tls: ssl.SSLContext | None = None,
        name: str = "localhost",
        timeout: float = 6.0,
        receive_buffer: int = 0,
        source: str = "",
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout)
        try:
            if source:
                sock.bind((source, 0))
            sock.connect((host, port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = tls.wrap_socket(sock, server_hostname=name) if tls is not None else sock
        except BaseException:
            sock.close()
            raise
        self.reader = Reader(self.sock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    # -------------------------------------------------------------------------------------------- saying

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def say(self, method: str, target: str, *fields: str, body: bytes | None = None) -> None:
        """Send a request; with a body it gets a Content-Length."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))

    def ask(self, method: str, target: str, *fields: str, body: bytes | None = None) -> Message:
        """Send a request and wait for its whole answer."""
        self.say(method, target, *fields, body=body)
        return self.hear(head_only=method == "HEAD")

    def get(self, target: str, *fields: str) -> Message:
        return self.ask("GET", target, *fields)

    def post(self, target: str, body: bytes, *fields: str) -> Message:
        return self.ask("POST", target, *fields, body=body)

    # -------------------------------------------------------------------------------------------- hearing

    def hear_head(self) -> Message:
        try:
            return self.reader.head()
        except (EOFError, ConnectionError) as error:
            raise Incomplete from error

    def hear(self, *, head_only: bool = False) -> Message:
        """The next answer, whole (1xx answers count). Raises Incomplete when the connection ends before its end."""
        try:
            return self.reader.with_body(self.hear_head(), head_only=head_only)
        except ConnectionError as error:
            raise Incomplete from error

    def has_ended(self) -> bool:
        """Whether the gateway closes the connection now, and sends nothing more before it does."""
        try:
            return self.reader.some() == b""
        except ConnectionError:
            return True

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing at all comes for a while."""
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        try:
            self.reader.some()
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(before)
        return False


def call(port: int, method: str, target: str, *fields: str, body: bytes | None = None) -> Message:
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.ask(method, target, *fields, body=body)
