"""The error tree.

    BanyanError
    ├── ConfigError            routes.yaml cannot be used; carries every problem found
    ├── CommandError           a command cannot do what was asked; the message says what to do next
    ├── StoreUnavailable       the store did not do what was asked; it may be asked again
    ├── ClientError            the client's request cannot be served; carries the answer's status
    │   └── ClientGone         the client went away; nobody is left to answer
    └── BackendError           one attempt on a backend failed
        ├── ConnectFailed      no connection: nothing was sent
        ├── NotAcquired        no connection was free in time: nothing was sent
        ├── NotAdmitted        what protects the backend does not let the request through: nothing was sent
        │   └── Closed         the backend is closed for maintenance
        ├── NotLoggedOn        the gateway's own log-on was refused: the call was not sent, or not let in
        ├── StaleConnection    a kept-alive connection was closed before one byte of answer
        ├── AnswerTimeout      the deadline passed while waiting for the answer
        ├── AnswerInvalid      the answer breaks HTTP
        └── AnswerTruncated    the backend stopped in the middle of its answer

Each error carries the fact that the next decision needs: a client error its status, a backend error whether the
request (or a part of it) had been sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


class BanyanError(Exception):
    """Everything this package raises on purpose."""


class ConfigError(BanyanError):
    """routes.yaml cannot be used. `problems` lists all of them, one sentence each with file, line and column.

    `beside` are the files it refers to: a change of one of them may mend it.
    """

    def __init__(self, problems: Sequence[object], beside: Sequence[Path] = ()) -> None:
        self.problems = tuple(problems)
        self.beside = tuple(beside)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class CommandError(BanyanError):
    """A command cannot do what was asked. The message is for a person and says what to do next."""


class StoreUnavailable(BanyanError):
    """The store did not answer, or not in time: what it was to write may be written or not. It may be asked again."""


class ClientError(BanyanError):
    """The client's request cannot be served. `status` is the answer's; `detail` may be shown to anyone."""

    def __init__(
        self, status: int, detail: str, *, close: bool = False, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.status = status
        self.detail = detail
        self.close = close
        self.headers = headers
        super().__init__(f"{status}: {detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        """It may be raised in another process."""
        return ClientError, (self.status, self.detail), {"close": self.close, "headers": self.headers}


class ClientGone(ClientError):
    """The client closed its connection, or stopped reading; there is nobody to answer."""

    def __init__(self, detail: str = "the client went away") -> None:
        super().__init__(499, detail, close=True)


class BackendError(BanyanError):
    """One attempt on a backend failed. `kind` names it in logs and metrics (OpenTelemetry `error.type`)."""

    kind = "backend_error"
    status = 502
    public_detail = "The service behind this address did not give a usable answer."

    def __init__(self, detail: str, *, request_sent: bool = True) -> None:
        self.detail = detail
        self.request_sent = request_sent
        super().__init__(detail)


class ConnectFailed(BackendError):
    """No connection could be made; nothing was sent."""

    kind = "connect_failed"
    public_detail = "The service behind this address cannot be reached."

    def __init__(self, detail: str) -> None:
        super().__init__(detail, request_sent=False)


class NotAcquired(BackendError):
    """No connection was free in time; nothing was sent."""

    kind = "connect_timeout"
    status = 504
    public_detail = "The service behind this address could not be reached in time."

    def __init__(self, detail: str) -> None:
        super().__init__(detail, request_sent=False)


class NotAdmitted(BackendError):
    """What protects the backend does not let the request through: nothing was sent. `kind` says what it was
    (queue_full, queue_timeout, breaker_open), `retry_after` in how many seconds it may be worth asking again."""

    status = 503
    public_detail = "The service behind this address cannot take more requests at the moment."

    def __init__(self, kind: str, detail: str, retry_after: float) -> None:
        self.kind = kind
        self.retry_after = retry_after
        super().__init__(detail, request_sent=False)


class Closed(NotAdmitted):
    """The backend is closed for maintenance, for `retry_after` seconds: nothing was sent."""

    public_detail = "The service behind this address is closed for maintenance."

    def __init__(self, detail: str, retry_after: float) -> None:
        super().__init__("maintenance", detail, retry_after)


class NotLoggedOn(BackendError):
    """The gateway's own log-on was refused, or a session that it had just begun: the call has done nothing."""

    kind = "not_logged_on"
    public_detail = "The service behind this address did not accept the gateway's own credentials."

    def __init__(self, detail: str) -> None:
        super().__init__(detail, request_sent=False)


class StaleConnection(BackendError):
    """A kept-alive connection closed before one byte of the answer: a safe or idempotent request may go again."""

    kind = "stale_connection"


class AnswerTimeout(BackendError):
    """A deadline passed while the answer was awaited; the backend may still act on the request."""

    kind = "timeout"
    status = 504
    public_detail = "The service behind this address did not answer in time."


class AnswerInvalid(BackendError):
    """The answer breaks HTTP and is not passed on."""

    kind = "answer_invalid"


class AnswerTruncated(BackendError):
    """The backend stopped in the middle of its answer."""

    kind = "answer_truncated"
