"""Hostile and awkward requests against a real gateway: runs a probe, a program that is origin and client at once.

    python -m benchmarks.edge --probe PATH [options of the probe]

The probe is given `--proxy HOST:PORT` and `--origin-port PORT`; the gateway passes every path below /edge/ to that
port. With `--soap` the paths also have an operation that the gateway decodes, and JSON that it makes a call of. The
probe's output and its exit code are what this ends with. Where there is no probe, this says so, and fails only in CI.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import Crew, parser, run
from benchmarks.ports import free_port

ROUTES = """\
version: 1
gateway: {{access_log: {{to: "off"}}, drain_timeout: 5s}}
backends:
  origin: {{url: "http://127.0.0.1:{port}", host: public}}
routes:
  - {{name: edge, match: ANY /edge/**, legacy: origin, path: raw}}
"""
SOAP = """\
  - name: decoded
    match: "SOAP /edge/{{token}}#GetAccount"
    legacy: accounts
    new: {{backend: origin, method: POST, path: "/edge/{{token}}"}}
    serve: new
  - name: called
    match: {{method: POST, path: "/edge/{{token}}", header: {{content-type: application/json}}}}
    legacy: {{backend: accounts, operation: GetAccount}}
"""
BACKEND = """\
  accounts: {{type: soap, wsdl: accounts.wsdl, url: "http://127.0.0.1:{port}/edge/soap"}}
"""
WSDL = """\
<definitions name="Bank" targetNamespace="urn:bank" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:b="urn:bank"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <types><s:schema targetNamespace="urn:bank">
    <s:element name="GetAccount"><s:complexType><s:sequence>
      <s:element name="id" type="s:string"/>
    </s:sequence></s:complexType></s:element>
  </s:schema></types>
  <message name="GetAccount"><part name="body" element="b:GetAccount"/></message>
  <portType name="Bank"><operation name="GetAccount"><input message="b:GetAccount"/></operation></portType>
  <binding name="Bank" type="b:Bank"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="GetAccount"><soap:operation soapAction="urn:bank#GetAccount"/>
      <input><soap:body use="literal"/></input></operation></binding>
  <service name="Bank"><port name="Bank" binding="b:Bank"><soap:address location="http://127.0.0.1:1/"/></port></service>
</definitions>
"""
LONGEST = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "edge")
    made.add_argument("--probe", type=Path, required=True, metavar="PATH", help="the probe, a Python program")
    options, rest = made.parse_known_args(arguments)
    if not options.probe.exists():
        in_ci = os.environ.get("CI") == "true"
        print(
            f"There is no probe at {options.probe}, so no hostile request was sent. Say where it is with --probe PATH."
        )
        return 1 if in_ci else 0
    if options.out:
        rest += ["--json", str(options.out)]
    with Crew() as crew:
        origin = free_port()
        gateway = crew.gateway(_routes(origin, soap="--soap" in rest), files={"accounts.wsdl": WSDL})
        command = [sys.executable, str(options.probe), "--proxy", f"127.0.0.1:{gateway.port}"]
        probe = subprocess.run([*command, "--origin-port", str(origin), *rest], timeout=LONGEST, check=False)
        return probe.returncode


def _routes(port: int, *, soap: bool) -> str:
    """The gateway's file; an estate without SOAP shows that its absence costs nothing."""
    head, routes, tail = ROUTES.format(port=port).partition("routes:\n")
    return f"{head}{BACKEND.format(port=port)}{routes}{SOAP.format()}{tail}" if soap else head + routes + tail


if __name__ == "__main__":
    run(main)
