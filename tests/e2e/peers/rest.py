"""The library's replacement: the same answers from a JSON service, for old clients that must not notice."""

import json
from collections.abc import Callable

from tests.e2e.peers.library import DIALECTS, NOT_FOUND, operations
from tests.support.messages import answer
from tests.support.origin import Origin, Talk

_ANSWERS = {
    (case.operation, json.dumps(case.arguments, sort_keys=True)): case.answer
    for dialect in DIALECTS
    for case in dialect.cases
}


def open_library(origin: Origin) -> None:
    """Have this backend answer `POST /OPERATION` for every operation."""
    for dialect in DIALECTS:
        for operation in operations(dialect):
            origin.on(f"/{operation}", _answering(operation))


def _answering(operation: str) -> Callable[[Talk], None]:
    def reply(talk: Talk) -> None:
        asked = json.loads(talk.body())
        found = _ANSWERS.get((operation, json.dumps(asked, sort_keys=True)), asked)
        status = 200 if found is not None else 404
        said = found if found is not None else NOT_FOUND
        talk.send(answer(json.dumps(said).encode(), "Content-Type: application/json", status=status))

    return reply
