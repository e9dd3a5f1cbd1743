"""What the SOAP codec costs beside zeep: bytes to bytes, both directions, at several sizes, in interleaved rounds.

    python -m benchmarks.soap [--profile]

A reply is read from its envelope and written as JSON; a request is read from JSON and written as an envelope. The
schema is invented: records as back offices send them, of ten fields and an attribute. `names` is the slower of the two
parsers, which messages with prefixes in their values need.
"""

import cProfile
import gc
import pstats
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import orjson
from lxml import etree
from zeep import Settings, Transport, helpers, loader, wsdl

from benchmarks.common import CannotMeasure, parser, run
from benchmarks.report import Finding, finish, ratio
from connectors.soap.codec import Codec
from connectors.soap.envelope import Frame, opened
from connectors.soap.plan import Service
from connectors.soap.service import service_of
from connectors.soap.wsdl import load

SIZES = {"one record": (1, 200), "1 kB": (2, 200), "18 kB": (40, 10), "900 kB": (2_000, 1)}
"""How many records a message has, and how often it is coded in a round."""
LEAST = {"1 kB": 6.0, "18 kB": 6.0, "900 kB": 6.0}
"""How many times faster than zeep it has to be. One record alone is for information: there the parser is all."""
RECORDS = """
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:t="urn:example:records" targetNamespace="urn:example:records">
<w:types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:records"
  elementFormDefault="qualified">
<xs:simpleType name="Kind"><xs:restriction base="xs:string">
  <xs:enumeration value="rent"/><xs:enumeration value="service"/><xs:enumeration value="repair"/>
</xs:restriction></xs:simpleType>
<xs:complexType name="Record"><xs:sequence>
  <xs:element name="Account" type="xs:string"/>
  <xs:element name="Number" type="xs:int"/>
  <xs:element name="Tenant" type="xs:string"/>
  <xs:element name="Address" type="xs:string" minOccurs="0"/>
  <xs:element name="Kind" type="t:Kind"/>
  <xs:element name="Amount" type="xs:decimal"/>
  <xs:element name="Charged" type="xs:date"/>
  <xs:element name="Updated" type="xs:dateTime"/>
  <xs:element name="Open" type="xs:boolean"/>
  <xs:element name="Note" type="xs:string" minOccurs="0" nillable="true"/>
</xs:sequence><xs:attribute name="version" type="xs:int" use="required"/></xs:complexType>
<xs:element name="Records"><xs:complexType><xs:sequence>
  <xs:element name="Record" type="t:Record" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element>
</xs:schema></w:types>
<w:message name="Records"><w:part name="records" element="t:Records"/></w:message>
<w:portType name="Records"><w:operation name="Exchange">
  <w:input message="t:Records"/><w:output message="t:Records"/></w:operation></w:portType>
<w:binding name="Records" type="t:Records"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  <w:operation name="Exchange"><soap:operation soapAction="Exchange"/>
  <w:input><soap:body use="literal"/></w:input><w:output><soap:body use="literal"/></w:output></w:operation></w:binding>
<w:service name="Records"><w:port name="Records" binding="t:Records"><soap:address location="http://localhost/"/></w:port>
</w:service></w:definitions>
"""

UNTYPED: Any = (Transport, wsdl.Document, loader.parse_xml, helpers.serialize_object)
new_transport, new_document, parse_xml, serialize_object = UNTYPED

Work = Callable[[bytes], bytes]


def records(count: int) -> dict[str, Any]:
    """A message's value."""
    return {
        "Record": [
            {
                "@version": number % 7,
                "Account": f"HSG-{number:07}",
                "Number": number,
                "Tenant": "Ms A. Tenant & family",
                "Address": f"{number} Orchard Close, Lower Riverside, Rivertown, RV1 {number % 9}AB",
                "Kind": ("rent", "service", "repair")[number % 3],
                "Amount": f"{number * 37 % 90_000 / 100:.2f}",
                "Charged": f"2026-11-{number % 28 + 1:02}",
                "Updated": f"2026-11-22T{number % 24:02}:15:30Z",
                "Open": number % 2 == 0,
                "Note": None if number % 5 == 0 else "paid by standing order, as agreed with the office",
            }
            for number in range(1, count + 1)
        ]
    }


class Ours:
    """The codec, as a route uses it."""

    def __init__(self, service: Service) -> None:
        self._operation = service.operations[0]
        self._codec = Codec(service.schema)
        self._frame = Frame("1.1", service.schema)

    def read(self, data: bytes, *, names: bool) -> bytes:
        value, problems = self._codec.decode(self._operation.input, opened(data, names=names).body)
        if problems:
            raise CannotMeasure(f"The codec objects to its own message: {problems[0]}")
        return orjson.dumps(value)

    def write(self, data: bytes) -> bytes:
        return self._frame.around(self._codec.encode(self._operation.input, orjson.loads(data)))


class Zeep:
    """zeep, from bytes to bytes."""

    def __init__(self, path: Path) -> None:
        self._settings = Settings(xml_huge_tree=True)
        self._transport = new_transport()
        document = new_document(str(path), self._transport, settings=self._settings)
        self._operation = next(iter(document.bindings.values())).get("Exchange")

    def read(self, data: bytes) -> bytes:
        reply = self._operation.process_reply(parse_xml(data, self._transport, settings=self._settings))
        return orjson.dumps(serialize_object({"Record": reply}, dict), default=str)

    def write(self, data: bytes) -> bytes:
        value = orjson.loads(data)
        rows = [{key.removeprefix("@"): item for key, item in row.items()} for row in value["Record"]]
        envelope = self._operation.create(Record=rows).content
        return bytes(etree.tostring(envelope, encoding="utf-8", xml_declaration=True))


def timed(work: Work, data: bytes, times: int) -> float:
    """Seconds of CPU for one message."""
    began = process_time()
    for _ in range(times):
        work(data)
    return (process_time() - began) / times


def rounds(works: Mapping[str, Work], data: bytes, times: int, count: int) -> dict[str, list[float]]:
    """What one message costs each, in rounds in which all take turns."""
    costs: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(count):
        for name, work in works.items():
            costs[name].append(timed(work, data, times))
    return costs


def agreed(ours: Ours, zeep: Zeep, envelope: bytes) -> None:
    """Both must do the same work, or the comparison is worth nothing."""
    here, there = orjson.loads(ours.read(envelope, names=False)), orjson.loads(zeep.read(envelope))
    for mine, other in zip(here["Record"], there["Record"], strict=True):
        if mine["Account"] != other["Account"] or mine["Amount"] != other["Amount"] or mine["Note"] != other["Note"]:
            raise CannotMeasure(f"zeep reads another value: {other} for {mine}")


def findings(size: str, direction: str, costs: Mapping[str, list[float]]) -> list[Finding]:
    """How many times faster than zeep, and what one message costs."""
    theirs = costs["zeep"]
    found = []
    for name, own in costs.items():
        times = ratio(theirs, own)
        if times is not None and name != "zeep":
            note = f"{times}; {median(own) * 1e6:,.0f} us beside {median(theirs) * 1e6:,.0f}"
            what = f"{size}, {direction} ({name})"
            found.append(Finding(what, times.median, "times", at_least=LEAST.get(size), note=note))
    return found


def profiled(ours: Ours, envelope: bytes, text: bytes) -> None:
    for work, data in ((partial(ours.read, names=False), envelope), (ours.write, text)):
        profile = cProfile.Profile()
        profile.runcall(timed, work, data, 3)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "soap")
    made.add_argument("--rounds", type=int, default=15)
    made.add_argument("--profile", action="store_true", help="say where the time goes as well")
    options = made.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="banyan-bench-") as folder:
        path = Path(folder, "records.wsdl")
        path.write_text(RECORDS)
        ours, zeep = Ours(service_of(load(path))), Zeep(path)
    gc.collect()
    gc.freeze()  # as the data process does
    gc.set_threshold(20_000, 5, 1_000_000)
    found, samples = [], {}
    for size, (count, times) in SIZES.items():
        text = orjson.dumps(records(count))
        envelope = ours.write(text)
        agreed(ours, zeep, envelope)
        reading: dict[str, Work] = {"plain": partial(ours.read, names=False), "names": partial(ours.read, names=True)}
        read = rounds({**reading, "zeep": zeep.read}, envelope, times, options.rounds)
        write = rounds({"plain": ours.write, "zeep": zeep.write}, text, times, options.rounds)
        found += findings(size, f"{len(envelope):,} bytes, read", read) + findings(size, "written", write)
        samples[size] = {"read": read, "written": write}
    if options.profile:
        profiled(ours, envelope, text)
    return finish("the SOAP codec beside zeep", found, [], settings=vars(options), out=options.out, samples=samples)


if __name__ == "__main__":
    run(main)
