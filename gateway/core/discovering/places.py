"""The tree of all addresses that were asked for: a place per segment, and at each place what was asked of it.

Values that look like values share one place. Words have a place each, until `settling` finds that they are values, too.
"""

from collections.abc import Iterator

from gateway.core.discovering.looks import WORD, Look


class Calls:
    """What was asked of a place by one method: requests, how many failed, the times of the first and last, and how much
    of it was told before."""

    __slots__ = ("errors", "first", "last", "requests", "told_errors", "told_requests")

    def __init__(self, at: float) -> None:
        self.requests = self.errors = self.told_requests = self.told_errors = 0
        self.first = self.last = at

    def add(self, requests: int, errors: int, at: float) -> None:
        self.requests += requests
        self.errors += errors
        if at > self.last:
            self.last = at
        elif at < self.first:
            self.first = at

    def tell(self) -> tuple[int, int]:
        """Requests and errors that were not told yet; now they are."""
        untold = self.requests - self.told_requests, self.errors - self.told_errors
        self.told_requests, self.told_errors = self.requests, self.errors
        return untold

    def absorb(self, other: "Calls") -> None:
        self.add(other.requests, other.errors, other.last)
        self.first = min(self.first, other.first)
        self.told_requests += other.told_requests
        self.told_errors += other.told_errors

    def copy(self) -> "Calls":
        new = Calls(self.first)
        new.absorb(self)
        return new


class Node:
    """One place. `word` leads to it (None: any value; b"": the root, or a final slash), decoded.

    `calls` are what was asked of it, by method; `asked` is how often it or a place below it was asked for. `words` are
    the places after a certain word, `one` is that after any value, and `looks` are what those values looked like: WORD
    among them where words were found to be values. Its words are looked at again when there are `limit` of them.
    """

    __slots__ = ("asked", "calls", "limit", "looks", "one", "word", "words")

    def __init__(self, word: bytes | None) -> None:
        self.word = word
        self.asked = 0
        self.calls: dict[str, Calls] = {}
        self.words: dict[bytes, Node] = {}
        self.one: Node | None = None
        self.looks: set[Look] = set()
        self.limit = 0

    @property
    def is_open(self) -> bool:
        """Whether words are values here."""
        return WORD in self.looks

    def value(self, kind: Look) -> "Node":
        """The place after a value of this look, made when it is missing."""
        self.looks.add(kind)
        if self.one is None:
            self.one = Node(None)
        return self.one

    def below(self) -> Iterator["Node"]:
        yield from self.words.values()
        if self.one is not None:
            yield self.one

    def size(self) -> int:
        """How many places there are, with this one."""
        return 1 + sum(each.size() for each in self.below())

    def copy(self) -> "Node":
        new = Node(self.word)
        new.asked = self.asked
        new.calls = {method: calls.copy() for method, calls in self.calls.items()}
        new.words = {word: node.copy() for word, node in self.words.items()}
        new.one = None if self.one is None else self.one.copy()
        new.looks = set(self.looks)
        return new

    def absorb(self, other: "Node") -> int:
        """Take what was learned at another place, and below it, for one's own; how many places that saves.

        The other may not be used any more.
        """
        saved = 1
        self.asked += other.asked
        for method, calls in other.calls.items():
            if method in self.calls:
                self.calls[method].absorb(calls)
            else:
                self.calls[method] = calls
        for word, node in other.words.items():
            if word in self.words:
                saved += self.words[word].absorb(node)
            else:
                self.words[word] = node
        self.looks |= other.looks
        if other.one is not None:
            if self.one is None:
                self.one = other.one
            else:
                saved += self.one.absorb(other.one)
        return saved
