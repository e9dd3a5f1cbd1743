"""A service for waste collections, invented: it wants a log-on, ends sessions on command, and counts what happens.

`GetCollections` takes the token in a header, `ReportMissed` in its message, `Ping` not at all.
"""

import asyncio
import re
import threading
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "right & <zebra>"
"""As the service knows it; in XML it is escaped."""
_ESCAPED = "right &amp; &lt;zebra&gt;"


def _operation(name: str, *headers: str, fault: bool = False) -> str:
    literal = '<s11:body use="literal"/>'
    blocks = "".join(f'<s11:header message="w:{each}" part="block" use="literal"/>' for each in headers)
    refused = '<fault name="InvalidToken"><s11:fault name="InvalidToken" use="literal"/></fault>' if fault else ""
    return (
        f'<operation name="{name}"><s11:operation soapAction="urn:waste/{name}"/>'
        f"<input>{literal}{blocks}</input><output>{literal}</output>{refused}</operation>"
    )


def _element(name: str, *members: str) -> str:
    return (
        f'<s:element name="{name}"><s:complexType><s:sequence>{"".join(members)}</s:sequence></s:complexType>'
        "</s:element>"
    )


def _member(name: str, occurs: str = "") -> str:
    return f'<s:element name="{name}" type="s:string" {occurs}/>'


_MAYBE, _MANY = 'minOccurs="0"', 'minOccurs="0" maxOccurs="unbounded"'
_NAMES = ("Authenticate", "GetCollections", "ReportMissed", "Ping")
_WITHIN = '<s:element name="{}" minOccurs="0"><s:complexType><s:sequence>{}</s:sequence></s:complexType></s:element>'
_ELEMENTS = (
    _element("Authenticate", _member("user"), _member("password")),
    _element("AuthenticateResponse", _WITHIN.format("AuthenticateResult", _member("Token", _MAYBE))),
    _element("GetCollections", _member("Address")),
    _element("GetCollectionsResponse", _WITHIN.format("Errors", _member("Code")), _member("Day", _MANY)),
    _element("ReportMissed", _member("token"), _member("Address")),
    _element("ReportMissedResponse", _member("Number")),
    _element("Ping"),
    _element("PingResponse"),
    _element("SessionHeader", _member("Token")),
    _element("ApiHeader", _member("Key")),
    _element("InvalidToken"),
)
_PARTS = (
    *((f"{name}In", "body", name) for name in _NAMES),
    *((f"{name}Out", "body", f"{name}Response") for name in _NAMES),
    *((name, "block", name) for name in ("SessionHeader", "ApiHeader")),
    ("InvalidToken", "detail", "InvalidToken"),
)
_MESSAGES = "".join(
    f'<message name="{name}"><part name="{part}" element="w:{element}"/></message>' for name, part, element in _PARTS
)


def _port(name: str) -> str:
    fault = '<fault name="InvalidToken" message="w:InvalidToken"/>' if name == "GetCollections" else ""
    return f'<operation name="{name}"><input message="w:{name}In"/><output message="w:{name}Out"/>{fault}</operation>'


WSDL = f"""\
<definitions name="Waste" targetNamespace="urn:waste" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:w="urn:waste"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:s11="http://schemas.xmlsoap.org/wsdl/soap/">
  <types><s:schema targetNamespace="urn:waste" elementFormDefault="qualified">{"".join(_ELEMENTS)}</s:schema></types>
  {_MESSAGES}
  <portType name="Waste">{"".join(map(_port, _NAMES))}</portType>
  <binding name="Waste" type="w:Waste"><s11:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    {_operation("Authenticate", "ApiHeader")}
    {_operation("GetCollections", "SessionHeader", "ApiHeader", fault=True)}
    {_operation("ReportMissed")}{_operation("Ping")}
  </binding>
  <service name="Waste"><port name="Waste" binding="w:Waste">
    <s11:address location="http://127.0.0.1:1/Service.asmx"/></port></service>
</definitions>
"""


def written(folder: Path) -> Path:
    """The WSDL in a folder."""
    path = folder / "waste.wsdl"
    path.write_text(WSDL, encoding="utf-8")
    return path


def _envelope(content: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:w="urn:waste">'
        f"<e:Body>{content}</e:Body></e:Envelope>"
    ).encode()


def _fault(code: str, reason: str, detail: str = "") -> bytes:
    inside = f"<detail>{detail}</detail>" if detail else ""
    fault = f"<faultcode>{code}</faultcode><faultstring>{reason}</faultstring>{inside}"
    return _envelope(f"<e:Fault>{fault}</e:Fault>")


_WSSE = 'xmlns:o="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"'
REFUSALS = {
    "fault": (500, _fault("e:Client", "Who are you?", "<w:InvalidToken/>")),
    "status": (401, b"Log on."),
    "security": (
        500,
        _envelope(f"<e:Fault {_WSSE}><faultcode>o:InvalidSecurity</faultcode><faultstring>No</faultstring></e:Fault>"),
    ),
    "result": (
        200,
        _envelope("<w:GetCollectionsResponse><w:Errors><w:Code>SESSION</w:Code></w:Errors></w:GetCollectionsResponse>"),
    ),
}
"""How a call is refused whose session is over."""


class Waste:
    """The service. `refusal` says how it refuses, `cookies` whether a session is a cookie, `pause` how slow it is.

    One that is not `loyal` forgets each session at once; one that does not `keep` closes after every answer.
    """

    def __init__(
        self,
        *,
        cookies: bool = False,
        refusal: str = "fault",
        pause: float = 0.0,
        loyal: bool = True,
        keep: bool = True,
    ) -> None:
        self.cookies = cookies
        self.refusal = refusal
        self.pause = pause
        self.loyal = loyal
        self.keep = keep
        self.log_ons = 0
        self.refused = 0
        self.served = 0
        self.connections = 0
        self.heads: list[str] = []
        self.messages: list[str] = []
        self._issued = 0
        self._valid: set[str] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5), "the service did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def since(self, log_ons: int = 0, served: int = 0, refused: int = 0) -> tuple[int, int, int]:
        """How many log-ons, calls served and calls refused there were, beyond so many."""
        return self.log_ons - log_ons, self.served - served, self.refused - refused

    def expire(self) -> None:
        """All sessions are over."""
        self._valid = set()

    # -------------------------------------------------------------------------------------------- on the wire

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._open: set[StreamWriter] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=512)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/Service.asmx"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in self._open:
            writer.close()
        await asyncio.sleep(0.05)

    async def _connection(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._open.add(writer)
        self.connections += 1
        try:
            while head := await _head(reader):
                length = re.search(r"(?im)^content-length: *(\d+)", head)
                message = (await reader.readexactly(int(length[1]) if length else 0)).decode()
                self.heads.append(head)
                self.messages.append(message)
                status, fields, body = await self._answer(head, message)
                fields += "" if self.keep else "Connection: close\r\n"
                given = f"HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
                writer.write(given.encode() + body)
                if not self.keep:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the gateway left
        finally:
            self._open.discard(writer)
            writer.close()

    # -------------------------------------------------------------------------------------------- what it does

    async def _answer(self, head: str, message: str) -> tuple[int, str, bytes]:
        if ":Authenticate" in message:
            return await self._log_on(message)
        if ":Ping" in message:
            return 200, "", _envelope("<w:PingResponse/>")
        given = re.findall(r"T-\d+", head if self.cookies else message)
        if not any(each in self._valid for each in given):
            self.refused += 1
            status, body = REFUSALS[self.refusal]
            return status, "", body
        self.served += 1
        if "ReportMissed" in message:
            return 200, "", _envelope("<w:ReportMissedResponse><w:Number>7</w:Number></w:ReportMissedResponse>")
        return 200, "", _envelope("<w:GetCollectionsResponse><w:Day>Monday</w:Day></w:GetCollectionsResponse>")

    async def _log_on(self, message: str) -> tuple[int, str, bytes]:
        self.log_ons += 1
        await asyncio.sleep(self.pause)
        if _ESCAPED not in message:
            return 500, "", _fault("e:Server", "Wrong password")
        self._issued += 1
        token = f"T-{self._issued}"
        if self.loyal:
            self._valid.add(token)
        if self.cookies:
            fields = f"Set-Cookie: ASP.NET_SessionId={token}; path=/; HttpOnly\r\nSet-Cookie: farm=b; Secure\r\n"
            return 200, fields, _envelope("<w:AuthenticateResponse/>")
        result = f"<w:AuthenticateResult><w:Token>{token}</w:Token></w:AuthenticateResult>"
        return 200, "", _envelope(f"<w:AuthenticateResponse>{result}</w:AuthenticateResponse>")


async def _head(reader: StreamReader) -> str:
    """The next request's head; empty at the end of the connection."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return ""
