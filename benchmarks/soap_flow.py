"""Large SOAP messages through a real gateway, while small requests go on: how long the data loop is away from them.

    python -m benchmarks.soap_flow [--quick]

A backend answers every call with the same message, of 900 kB and then of nearly as much as is decoded at all (8 MiB);
half of the calls send as much. Small requests to another route come at a constant rate meanwhile, and none may fail.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import orjson

from benchmarks.common import CannotMeasure, Crew, Gateway, parser, run
from benchmarks.estate import request
from benchmarks.load import Client, Load
from benchmarks.report import Finding, finish
from benchmarks.soap import RECORDS, Ours, records
from connectors.soap.service import service_of
from connectors.soap.wsdl import load

LONGEST_STALL_MS = 10.0
SIZES = (2_000, 16_000)
"""Records of a message."""
RATE = 200
ROUTES = """\
version: 1
gateway: {{access_log: {{to: "off"}}}}
backends:
  soap: {{type: soap, wsdl: records.wsdl, url: "http://127.0.0.1:{soap}/"}}
  small: {{url: "http://127.0.0.1:{small}"}}
routes:
  - {{name: records, match: POST /records, legacy: {{backend: soap, operation: Exchange}}}}
  - {{name: small, match: GET /small, legacy: small}}
"""


class Backend(BaseHTTPRequestHandler):
    """Answers every call alike."""

    protocol_version = "HTTP/1.1"
    reply = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(self.reply)))
        self.end_headers()
        self.wfile.write(self.reply)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def backend(reply: bytes) -> Iterator[int]:
    """A SOAP backend; its port."""
    Backend.reply = reply
    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def exchanged(port: int, body: bytes, expected: bytes) -> None:
    """One large call; raises CannotMeasure unless its answer is right."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/records", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status != 200 or orjson.loads(data) != orjson.loads(expected):
        raise CannotMeasure(f"a large call was answered {answer.status}: {data[:200]!r}")


def flow(gateway: Gateway, large: bytes, seconds: float) -> int:
    """Large calls, one after the other, for a while; how many."""
    small, done, end = orjson.dumps(records(1)), 0, monotonic() + seconds
    while monotonic() < end:
        exchanged(gateway.port, large if done % 2 else small, large)
        done += 1
    return done


def measured(many: int, seconds: float) -> list[Finding]:
    """What becomes of small requests beside messages of so many records."""
    large = orjson.dumps(records(many))
    with Crew() as crew:
        path = crew.folder / "records.wsdl"
        path.write_text(RECORDS)
        reply = Ours(service_of(load(path))).write(large)
        with backend(reply) as port:
            routes = ROUTES.format(soap=port, small=crew.origin("small"))
            gateway = crew.gateway(routes, files={"records.wsdl": RECORDS})
            exchanged(gateway.port, large, large)  # starts the process that codes
            with Load(Client(gateway.port, [request("/small")], rate=RATE, connections=4)) as load_:
                gateway.order("/api/v1/probe-stalls", {"on": True})
                sleep(1.2)
                calls = flow(gateway, large, seconds)
                sleep(1.2)
                told = gateway.status()["data"]
            tally = load_.tally
    note = f"late by {told['stall_max'] * 1e3:.1f} ms, with what else the machine did"
    return [
        Finding(f"calls of {len(reply):,} bytes", calls, at_least=1),
        Finding("small requests failed meanwhile", tally.failed, at_most=0, note=f"of {len(tally.good):,}"),
        Finding("longest stall of the data loop", told["busy_max"] * 1e3, "ms", LONGEST_STALL_MS, note=note),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    made = parser(__doc__, "soap-flow")
    made.add_argument("--seconds", type=float, default=20.0)
    options = made.parse_args(arguments)
    found = [finding for many in SIZES for finding in measured(many, options.seconds)]
    return finish("soap-flow", found, [], settings=vars(options), out=options.out)


if __name__ == "__main__":
    run(main)
