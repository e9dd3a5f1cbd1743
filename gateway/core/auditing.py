"""The audit: what people did, in a chain in which each record carries a digest of everything before it.

A record that is changed, taken out or put elsewhere no longer fits its successor. Records cut off the end leave a chain
that is sound in itself: so whoever has seen an end keeps it (a `Head`), and asks whether it is still in there.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Act(NamedTuple):
    """One thing that somebody did, or tried to do.

    `at` ISO 8601; `who` with `role`, by way of `via` (socket, token, session, file), `address` from where; `action` on
    `subject` (a route, a ramp, a write ...); `before` and `after` what it changed; `outcome` "done" or what was said.
    """

    id: str
    at: str
    who: str
    role: str
    via: str
    address: str
    action: str
    subject: str
    reason: str
    before: Document
    after: Document
    outcome: str = "done"

    def text(self) -> str:
        """What is stored and hashed: JSON with its names in order. Half characters, which a command line may hold, are
        no text that could be kept: they become question marks."""
        text = json.dumps(self._asdict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return text.encode("utf-8", "replace").decode()


def act_of(text: str) -> Act:
    """The act that a text tells. Raises ValueError for one that tells none."""
    try:
        act = Act(**json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError("This is no act.") from error
    if (type(act.id), type(act.before), type(act.after)) != (str, dict, dict):
        raise ValueError("This is no act.")
    return act


class Record(NamedTuple):
    """An act in the chain. `id` and `subject` stand beside the text so that they can be asked for."""

    number: int
    id: str
    subject: str
    text: str
    digest: str


class Head(NamedTuple):
    """The end of a chain, as somebody has seen it; number 0 is the beginning, before any record."""

    number: int
    digest: str


BEGINNING = Head(0, "0" * 64)


def following(head: Head, act: Act) -> Record:
    """The record that comes after an end."""
    number, text = head.number + 1, act.text()
    return Record(number, act.id, act.subject, text, digest_of(head.digest, number, text))


def digest_of(previous: str, number: int, text: str) -> str:
    """SHA-256, in hexadecimal, over what came before and this."""
    return sha256(f"{previous}\n{number}\n{text}".encode()).hexdigest()


class Audit:
    """A walk along the chain, record by record; `problem` is the first thing that is wrong, "" for none.

    `seen` is an end that must be in there; `head` is how far nothing was wrong.
    """

    def __init__(self, seen: Head = BEGINNING) -> None:
        self.head = BEGINNING
        self.problem = ""
        self._seen = seen

    def walk(self, records: Iterable[Record]) -> None:
        """Take the next records, in the order of their numbers."""
        for record in records:
            self.problem = self.problem or self._problem(record)
            if self.problem:
                return
            self.head = Head(record.number, record.digest)

    def end(self) -> str:
        """There are no more: what is wrong with all of it, "" for nothing."""
        if not self.problem and self.head.number < self._seen.number:
            self.problem = (
                f"The last record is number {self.head.number}, but there were {self._seen.number}: "
                "what came after it was removed."
            )
        return self.problem

    def _problem(self, record: Record) -> str:
        number = self.head.number + 1
        if record.number != number:
            return f"Record {number} is missing: after {self.head.number} comes {record.number}."
        if record.digest != digest_of(self.head.digest, number, record.text):
            return f"Record {number} is not what it was, or does not belong after the one before it."
        if problem := _listed_wrongly(record):
            return f"Record {number} {problem}"
        if number == self._seen.number and record.digest != self._seen.digest:
            return f"Record {number} is another one than this gateway has seen: the chain was written anew."
        return ""


def _listed_wrongly(record: Record) -> str:
    """What is wrong with that which stands beside a record's text."""
    try:
        act = act_of(record.text)
    except ValueError:
        return "cannot be read."
    if act.subject != record.subject:
        return f"is listed under {record.subject!r}, which is not what it is about."
    return "" if act.id == record.id else f"is listed as {record.id!r}, which is not its id."
