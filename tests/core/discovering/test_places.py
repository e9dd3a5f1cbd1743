"""The tree of addresses."""

from gateway.core.discovering.places import Calls, Node


def place(word: bytes | None, *below: Node, requests: int = 1, method: str = "GET", at: float = 5.0) -> Node:
    """A place that was asked for, and those below it."""
    node = Node(word)
    node.calls[method] = Calls(at)
    node.calls[method].add(requests, 0, at)
    for each in below:
        if each.word is None:
            node.one = each
            node.looks.add("id")
        else:
            node.words[each.word] = each
    node.asked = requests + sum(each.asked for each in node.below())
    return node


def test_what_was_learned_at_two_places_adds_up() -> None:
    """With all that lies below them; and it is known how many places fewer there are."""
    one = place(None, place(b"a", place(b"x")), requests=3, at=2.0)
    other = place(b"word", place(b"a", requests=4), place(b"b"), place(None, place(b"y"), method="PUT"), at=7.0)
    before = one.size() + other.size()
    saved = one.absorb(other)
    assert (saved, one.size()) == (2, before - 2)
    assert (one.asked, one.words[b"a"].asked, sorted(one.words)) == (13, 6, [b"a", b"b"])
    calls = one.calls["GET"]
    assert (calls.requests, calls.first, calls.last) == (4, 2.0, 7.0)
    more = place(b"more", place(None, place(b"y")))
    assert one.absorb(more) == 3
    assert one.one is not None
    assert (one.one.calls["GET"].requests, one.one.words[b"y"].asked) == (1, 2)


def test_a_copy_stands_alone() -> None:
    """What becomes of it does not come back."""
    root = place(b"", place(b"a", place(None)))
    copy = root.copy()
    copy.words[b"a"].calls["GET"].add(9, 0, 9.0)
    copy.words[b"b"] = Node(b"b")
    assert (root.size(), root.words[b"a"].calls["GET"].requests, copy.size()) == (3, 1, 4)
    assert not copy.words[b"a"].is_open
