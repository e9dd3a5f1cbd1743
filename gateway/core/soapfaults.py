"""Whom a SOAP fault blames, read from its code alone: for answers that only pass, of which no codec makes anything.

In SOAP 1.1 every fault has the status 500 (section 6.2), so a status does not tell "there is no such account" from a
service that is broken. The code does (SOAP 1.1, section 4.4.1; SOAP 1.2 part 1, section 5.4.6).
"""

from xml.parsers import expat

BLAMED = frozenset({"Client", "Sender"})
_CODES = frozenset({"faultcode", "Value"})


class _Done(Exception):
    pass


class _Reading:
    """One look for the first code of a fault, which is the outermost."""

    def __init__(self) -> None:
        self.code = ""
        self._in_fault = self._in_code = False

    def read(self, body: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._stop
        try:
            parser.Parse(body, True)
        except (_Done, expat.ExpatError, LookupError, ValueError):
            return

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(" ")[2]
        self._in_fault = self._in_fault or local == "Fault"
        self._in_code = self._in_fault and local in _CODES

    def _text(self, text: str) -> None:
        if self._in_code:
            self.code += text

    def _end(self, _name: str) -> None:
        if self._in_code:
            raise _Done

    def _stop(self, *_: object) -> None:
        raise _Done


def blames_client(body: bytes) -> bool:
    """Whether a body is a fault that says that the request was wrong: an answer, and no failure of the service."""
    reading = _Reading()
    reading.read(body)
    return reading.code.strip().rpartition(":")[2].partition(".")[0] in BLAMED
