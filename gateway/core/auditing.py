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
        """What is stored and hashed: JSON with its names in order."""
        return json.dumps(self._asdict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def act_of(text: str) -> Act:
    """The act that a text tells."""
    return Act(**json.loads(text))


class Record(NamedTuple):
    """An act in the chain. `subject` stands beside the text so that it can be asked for."""

    number: int
    subject: str
    text: str
    digest: str


class Head(NamedTuple):
    """The end of a chain, as somebody has seen it; number 0 is the beginning, before any record."""

    number: int
    digest: str


BEGINNING = Head(0, "0" * 64)


def following(head: Head, subject: str, text: str) -> Record:
    """The record that comes after an end."""
    number = head.number + 1
    return Record(number, subject, text, digest_of(head.digest, number, text))


def digest_of(previous: str, number: int, text: str) -> str:
    """SHA-256, in hexadecimal, over what came before and this."""
    return sha256(f"{previous}\n{number}\n{text}".encode()).hexdigest()


class Audit:
    """A walk along the chain, record by record; `problem` is the first thing that is wrong, "" for none.

    `seen` is an end that must be in there.
    """

    def __init__(self, seen: Head = BEGINNING) -> None:
        self.head = BEGINNING
        self.problem = ""
        self._seen = seen

    def walk(self, records: Iterable[Record]) -> None:
        """Take the next records, in the order of their numbers."""
        for record in records:
            if self.problem:
                return
            self.problem = self._problem(record)
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
        if _subject_of(record.text) != record.subject:
            return f"Record {number} is listed under {record.subject!r}, which is not what it is about."
        if number == self._seen.number and record.digest != self._seen.digest:
            return f"Record {number} is another one than this gateway has seen: the chain was written anew."
        return ""


def _subject_of(text: str) -> str:
    return str(json.loads(text)["subject"])
