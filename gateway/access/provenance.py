"""Changes that came by way of the file, for the audit: by whom, as far as that is known, and what they changed.

Who edits a file needs nobody's leave and says nothing here, so the file itself is named. A `banyan flip` on this
machine has left its name and reason in the journal, with the digest of what came of it. Each flip explains one file
that was taken: whoever writes the same later is somebody else.
"""

from collections.abc import Sequence
from pathlib import Path

from gateway.access.auditor import act_now
from gateway.config.changes import RouteChange
from gateway.config.flips import Flipped, flips
from gateway.core.access import Role
from gateway.core.auditing import Act, Document
from gateway.core.model import Estate

FILE = "the file"
MOST = 50
"""Changes that an act tells one by one; the configurations tell all."""


class Provenance:
    """Where the files of one gateway came from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Flipped] = set()

    def journal(self) -> list[Flipped]:
        """The latest flips. Reads a file: call it in a thread."""
        return flips(self._folder)

    def of_start(self, digest: str) -> Act:
        """The file that a gateway begins with: who changed it while none ran, nobody can tell."""
        self._used = set(self.journal())
        return _edit("", "read as the gateway began", {}, {"digest": digest})

    def of(self, journal: Sequence[Flipped], changes: Sequence[RouteChange], old: Estate, new: Estate) -> Act:
        """A file that is taken, and what it changes."""
        names = {change.name for change in changes}
        routes = {route.name for route in (*old.routes, *new.routes)}
        subject = names.pop() if len(names) == 1 and names <= routes else ""
        was, now = _told(changes, subject, old.digest, new.digest)
        unused = [each for each in journal if each not in self._used and each.digest == new.digest]
        until = journal.index(unused[-1]) if unused else len(journal) - 2  # the last may be of a file yet to be taken
        self._used |= {*journal[: until + 1]}
        if unused and (unused[-1].route, "serve") == (subject, *(change.field for change in changes)):
            return _flip(unused[-1], was, now)
        return _edit(subject, "the file was changed", was, now)


def _told(changes: Sequence[RouteChange], subject: str, before: str, after: str) -> tuple[Document, Document]:
    """What is different, as it was and as it is: by setting, in one text, and by digest."""
    text = (changes[0].before, changes[0].after) if len(changes) == 1 else (before[:7], after[:7])
    names = [change.field if subject else f"{change.name}, {change.field}" for change in changes[:MOST]]
    was = dict(zip(names, (change.before for change in changes), strict=False))
    now = dict(zip(names, (change.after for change in changes), strict=False))
    return {**was, "text": text[0], "digest": before}, {**now, "text": text[1], "digest": after}


def _edit(subject: str, why: str, before: Document, after: Document) -> Act:
    return _act(FILE, "edit", subject, why, before, after)


def _flip(flip: Flipped, before: Document, after: Document) -> Act:
    return _act(flip.user, "flip", flip.route, flip.reason, before, after)


def _act(who: str, action: str, subject: str, why: str, before: Document, after: Document) -> Act:
    return act_now(
        who=who,
        role=str(Role.OWNER),
        via="file",
        address="",
        action=action,
        subject=subject,
        reason=why,
        before=before,
        after=after,
    )
