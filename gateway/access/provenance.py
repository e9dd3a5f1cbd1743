"""Changes that came by way of the file, for the audit: by whom, as far as that is known, and what they changed.

Who edits a file needs nobody's leave and says nothing here, so the file itself is named. A `banyan flip` on this
machine has left its name and reason in the journal.
"""

from collections.abc import Sequence
from pathlib import Path

from gateway.access.auditor import act_now
from gateway.config.changes import RouteChange
from gateway.config.flips import Flipped, last_flip
from gateway.core.access import Role
from gateway.core.auditing import Act, Document

FILE = "the file"
MOST = 50
"""Changes that an act tells one by one; the configurations tell all."""


class Provenance:
    """Where the files of one gateway came from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: Flipped | None = None

    def of_start(self, digest: str) -> Act:
        """The file that a gateway began with: it may have been changed while none ran."""
        return _act(FILE, "edit", "", "read as the gateway began", {}, {"digest": digest})

    def of(self, changes: Sequence[RouteChange], before: str, after: str) -> Act:
        """A file that is taken; `before` and `after` are digests. Reads the journal: call it in a thread."""
        first = changes[:MOST]
        names = {change.name for change in changes}
        subject = names.pop() if len(names) == 1 and not any(map(_is_no_route, names)) else ""
        fields = [change.field if subject else f"{change.name}, {change.field}" for change in first]
        text = (first[0].before, first[0].after) if len(changes) == 1 else (before[:7], after[:7])
        was = dict(zip(fields, (change.before for change in first), strict=True))
        now = dict(zip(fields, (change.after for change in first), strict=True))
        flip = last_flip(self._folder)
        who, action, why = FILE, "edit", "the file was changed"
        if flip not in (None, self._used) and flip.digest == after and [*was] == ["serve"] and subject == flip.route:
            self._used = flip  # whoever writes the same into the file later is somebody else
            who, action, why = flip.user, "flip", flip.reason
        was, now = {**was, "text": text[0], "digest": before}, {**now, "text": text[1], "digest": after}
        return _act(who, action, subject, why, was, now)


def _is_no_route(name: str) -> bool:
    return name == "gateway" or name.startswith("backend ")


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
