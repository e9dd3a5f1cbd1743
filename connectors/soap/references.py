"""References inside an encoded message: what stands elsewhere in it is put where it belongs, before it is decoded.

A reference can stand in what it refers to, and many can refer to the same; both are bounded.
"""

from copy import deepcopy

from connectors.soap.xmltext import Element, XmlRefused


def resolve(body: Element) -> None:
    """Put what `href="#id"` refers to in its place (SOAP 1.1, section 5.4.1), everywhere below the Body.

    Raises XmlRefused for circles, for references that lead nowhere, and for more copies than such a message can mean.
    """
    targets = {each.get("id"): each for each in body.iter() if each.get("id")}
    if targets:
        _Resolving(targets, room=4 * sum(1 for _ in body.iter()) + 1_000).below(body, frozenset())


class _Resolving:
    def __init__(self, targets: dict[str, Element], room: int) -> None:
        self._targets = targets
        self._room = room

    def below(self, parent: Element, inside: frozenset[str]) -> None:
        """Resolve the references below an element; `inside` are the ids on the way to it."""
        for child in list(parent):
            href = child.get("href")
            if href is None:
                self.below(child, inside)
                continue
            name = href.removeprefix("#")
            if name not in self._targets or name == href:
                raise XmlRefused("The message refers to something that is not in it.")
            if name in inside:
                raise XmlRefused("The message refers to itself in a circle.")
            copy = deepcopy(self._targets[name])
            copy.tag = child.tag
            self._room -= sum(1 for _ in copy.iter())
            if self._room < 0:
                raise XmlRefused("The message refers to the same things too many times.")
            del copy.attrib["id"]
            parent.replace(child, copy)
            self.below(copy, inside | {name})
