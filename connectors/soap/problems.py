"""What is wrong with a message, told by JSON pointers.

Encoding and decoding first run as if nothing were wrong, without keeping track of where they are; at the first problem
they give up (`Broken`) and run again with an `At`, which collects every problem with its place. So right messages pay
nothing for it.
"""

from typing import NamedTuple, Union

MOST_PROBLEMS = 1_000
"""No more are listed: a message with so many is of another kind altogether."""


UNKNOWN_MEMBER = "is not in the schema"
"""Why a member is refused that nothing in the schema is called by."""


class Problem(NamedTuple):
    """One thing that is wrong: where (RFC 6901), and why in words that follow the pointer."""

    pointer: str
    reason: str


class Invalid(Exception):
    """A message that its schema does not allow; `problems` lists every reason (up to MOST_PROBLEMS)."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{pointer or 'the whole'}: {reason}" for pointer, reason in problems))

    def __reduce__(self) -> tuple[type["Invalid"], tuple[list[Problem]]]:
        return Invalid, (list(self.problems),)


class Broken(Exception):
    """Something is wrong, somewhere: look again with an `At`."""


class At:
    """A place in a message."""

    __slots__ = ("_key", "_parent", "problems")

    def __init__(self, problems: list[Problem], parent: Union["At", None] = None, key: str | int = "") -> None:
        self.problems = problems
        self._parent = parent
        self._key = key

    def __getitem__(self, key: str | int) -> "At":
        """The place of a member or an item."""
        return At(self.problems, self, key)

    @property
    def is_full(self) -> bool:
        """Whether so much is wrong that no more is noted."""
        return len(self.problems) >= MOST_PROBLEMS

    def problem(self, reason: str) -> None:
        if not self.is_full:
            self.problems.append(Problem(self.pointer, reason))

    @property
    def pointer(self) -> str:
        steps = []
        at: At | None = self
        while at is not None and at._parent is not None:
            steps.append(str(at._key).replace("~", "~0").replace("/", "~1"))
            at = at._parent
        return "".join(f"/{step}" for step in reversed(steps))


class Through(At):
    """The place of a value that stands for its own member `hidden`: who is told of a problem there never saw that."""

    __slots__ = ("_hidden",)

    def __init__(self, at: At, hidden: str) -> None:
        super().__init__(at.problems, at._parent, at._key)
        self._hidden = hidden

    def __getitem__(self, key: str | int) -> At:
        return At(self.problems, self._parent, self._key) if key == self._hidden else super().__getitem__(key)


def object_to(at: At | None, reason: str) -> None:
    """Note a problem, or give up where nobody keeps track. Raises Broken."""
    if at is None:
        raise Broken(reason)
    at.problem(reason)
