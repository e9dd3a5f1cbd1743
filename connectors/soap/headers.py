"""Headers of one operation: those that go with a call, and those that come back with its reply.

The WSDL declares them; the configuration says where their values come from: fixed ones (secrets), the request, or the
gateway's own proof of who it is. Those that come back are fields of the answer, `Soap-Name: value`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from connectors.mapping import Mapped
from connectors.soap.addressing import ID, UNDERSTOOD, call_blocks
from connectors.soap.codec import Codec
from connectors.soap.plan import Field, Operation
from connectors.soap.problems import Invalid, Problem
from connectors.soap.security import NONCE, SECURITY, Auth, HeaderValues, UsernameToken, security_block
from connectors.soap.words import JSON
from connectors.soap.xmltext import Element, local

LONGEST = 4_096
"""Bytes of a value that comes back."""
_TOKEN = re.compile(r"[A-Za-z0-9_.-]+")
_SAFE = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}~"
"""What stands for itself in a field's value, beside letters, digits and `-._~`: everything visible but `%`."""
Clock = Callable[[], float]
Chance = Callable[[int], bytes]


class Headers:
    """The headers of an operation as one target calls it."""

    def __init__(
        self,
        operation: Operation,
        auth: tuple[Auth, ...],
        given: Mapping[str, Any] | None,
        codec: Codec,
        to: str = "",
    ) -> None:
        """Raises Invalid for a header that the operation does not have, MappingInvalid for what is no mapping."""
        returned = operation.output.headers if operation.output is not None else ()
        self._codec = codec
        self._addressing, self._to = operation.addressing, to or operation.address
        self._declared = {field.key: field for field in operation.input.headers}
        self._returned = {field.name: field for field in returned}
        self._tokens = tuple(each for each in auth if isinstance(each, UsernameToken))
        fixed = [pair for each in auth if isinstance(each, HeaderValues) for pair in each.values]
        self._check(key for key, _ in fixed)
        self._check(key.partition(".")[0] for key in given or ())
        self._fixed = "".join(codec.encode_element(self._declared[key], value) for key, value in fixed)
        self._mapped = Mapped(given) if given is not None else None
        self.understood = frozenset(self._returned) | UNDERSTOOD | ({SECURITY} if self._tokens else frozenset())
        """The names of the headers that a reply may insist on: declared ones, addressing's, the answer to our proof."""

    def _check(self, keys: Iterable[str]) -> None:
        unknown = [Problem(f"/{key}", "is not a header of this operation") for key in keys if key not in self._declared]
        if unknown:
            raise Invalid(unknown)

    @property
    def from_request(self) -> bool:
        """Whether some come from the request."""
        return self._mapped is not None

    def blocks(self, document: JSON, clock: Clock, chance: Chance) -> str:
        """The blocks of one call, as XML text. Raises Invalid, and MappingFailed."""
        values = self._mapped(document) if self._mapped is not None else {}
        problems: list[Problem] = []
        blocks = [self._fixed]
        if self._addressing.namespace:
            blocks.append(call_blocks(self._addressing, self._to, chance(ID)))
        for key, value in values.items():
            try:
                blocks.append(self._codec.encode_element(self._declared[key], value))
            except Invalid as invalid:
                problems += [Problem(pointer, f"{reason} (header {key})") for pointer, reason in invalid.problems]
        if problems:
            raise Invalid(problems)
        return "".join((*blocks, *(security_block(token, clock(), chance(NONCE)) for token in self._tokens)))

    def fields(self, blocks: Iterable[Element]) -> tuple[tuple[bytes, bytes], ...]:
        """The fields that declared headers of a reply become; one that is too long, or breaks its schema, is none."""
        known = ((self._returned[block.tag], block) for block in blocks if block.tag in self._returned)
        return tuple(pair for field, block in known if (pair := self._field(field, block)) is not None)

    def _field(self, field: Field, block: Element) -> tuple[bytes, bytes] | None:
        name = local(field.name)
        try:
            value, problems = self._codec.decode_element(field, block)
        except Invalid:
            return None
        text = quote(value if isinstance(value, str) else orjson.dumps(value), safe=_SAFE).encode()
        if problems or len(text) > LONGEST or not _TOKEN.fullmatch(name):
            return None
        return f"Soap-{name}".encode(), text
