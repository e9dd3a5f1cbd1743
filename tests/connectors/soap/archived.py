"""The archive of `tests.support.archive` as a plan, with an operation more that refers to attachments (swaRef)."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.soap.marks import SWA_REF
from connectors.soap.plan import Complex, Field, Group, Message, Operation, Schema, Simple
from connectors.soap.service import service_of
from connectors.soap.wsdl import load
from tests.connectors.soap.wsdls import put
from tests.support.archive import SPACE, WSDL

REF = Simple("verbatim", "anyURI", name=SWA_REF)
BASE64 = Simple("base64", "base64Binary")


@cache
def archive() -> tuple[dict[str, Operation], Schema]:
    """The operations by name, and their schema."""
    with TemporaryDirectory() as folder:
        service = service_of(load(put(Path(folder), WSDL, "archive.wsdl")))
    known = {each.name: each for each in service.operations}
    place = len(service.schema.types)
    refer = Complex(None, content=Group("sequence", (_field("Ref", REF), _field("Data", BASE64))))
    message = Message((Field(f"{{{SPACE}}}Refer", "Refer", place),))
    known["Refer"] = known["Fetch"]._replace(name="Refer", input=message, output=message)
    return known, service.schema._replace(types=(*service.schema.types, refer))


def _field(name: str, simple: Simple) -> Field:
    return Field(f"{{{SPACE}}}{name}", name, simple)
