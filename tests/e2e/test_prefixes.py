"""A server that writes `xsi:nil` and declares no `xsi`, as node's do, behind a real gateway."""

import json
from pathlib import Path

import pytest

from tests.e2e.peers.library import HERE
from tests.support.gateway import Gateway
from tests.support.messages import answer
from tests.support.origin import Origin

TITLE = "<name>North</name><price>1.50</price><published xsi:nil='true'/><format>Hardback</format>"
REPLY = f"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<FindTitlesResponse xmlns="urn:example:loans"><titles><title isbn="978-0">{TITLE}</title></titles></FindTitlesResponse>
</soap:Body></soap:Envelope>"""


@pytest.mark.parametrize(("replies", "status"), [("lenient", 200), ("strict", 502)])
def test_a_server_that_forgets_to_declare_xsi(replies: str, status: int, tmp_path: Path) -> None:
    """Its nil is null, and the reply is flagged; a strict route takes no such reply."""
    with Origin() as origin:
        origin.on("/loans", answer(REPLY.encode(), "Content-Type: text/xml"))
        backend = {"type": "soap", "url": f"{origin.url}/loans", "wsdl": str(HERE / "loans.wsdl"), "port": "Loans11"}
        legacy = {"backend": "loans", "operation": "FindTitles", "replies": replies}
        route = {"name": "titles", "match": "POST /titles", "legacy": legacy}
        with Gateway(
            tmp_path, json.dumps({"version": 1, "backends": {"loans": backend}, "routes": [route]})
        ) as gateway:
            reply = gateway.call("POST", "/titles", "Content-Type: application/json", body=b'{"text": "North"}')
    assert reply.status == status
    if status == 200:
        assert json.loads(reply.body)["titles"]["title"][0]["published"] is None
        assert (reply.get("X-Banyan-Schema") or "").startswith("lenient; problems=1;")
