"""TLS on either side, IPv6 and Unix sockets: the traffic is the same, and nobody is believed without proof."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.support.gateway import Gateway, one_backend
from tests.support.messages import answer
from tests.support.origin import Origin


class Estate(NamedTuple):
    gateway: Gateway
    client_tls: ssl.SSLContext
    ca: trustme.CA
    secure: Origin
    unix: Origin
    six: Origin


def server_context(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    folder = tmp_path_factory.mktemp("gateway")
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other.pem"))
    front = ca.issue_cert("localhost", "127.0.0.1", "::1")
    front.private_key_and_cert_chain_pem.write_to_path(str(folder / "front.pem"))
    client_tls = ssl.create_default_context()
    ca.configure_trust(client_tls)
    unix = Path(str(folder / "backend.sock"))
    with (
        Origin(tls=server_context(ca.issue_cert("backend.test"))) as secure,
        Origin(unix=unix) as unix_origin,
        Origin(host="::1") as six,
    ):
        routes = f"""version: 1
gateway:
  access_log: {{to: "off"}}
  tls: {{certificate: {folder}/front.pem, key: {folder}/front.pem}}
backends:
  secure: {{url: "{secure.url}", tls: {{ca: {folder}/ca.pem, name: backend.test}}}}
  wrong-ca: {{url: "{secure.url}", tls: {{ca: {folder}/other.pem, name: backend.test}}}}
  system-ca: {{url: "{secure.url}", tls: {{name: backend.test}}}}
  wrong-name: {{url: "{secure.url}", tls: {{ca: {folder}/ca.pem, name: other.test}}}}
  no-name: {{url: "{secure.url}", tls: {{ca: {folder}/ca.pem}}}}
  unverified: {{url: "{secure.url}", tls: {{verify: false}}}}
  unix: {{url: "unix:{unix}"}}
  six: {{url: "{six.url}"}}
routes:
  - {{name: secure, match: ANY /secure/**, legacy: secure}}
  - {{name: wrong-ca, match: ANY /wrong-ca, legacy: wrong-ca}}
  - {{name: system-ca, match: ANY /system-ca, legacy: system-ca}}
  - {{name: wrong-name, match: ANY /wrong-name, legacy: wrong-name}}
  - {{name: no-name, match: ANY /no-name, legacy: no-name}}
  - {{name: unverified, match: ANY /unverified, legacy: unverified}}
  - {{name: unix, match: ANY /unix/**, legacy: unix}}
  - {{name: six, match: ANY /six/**, legacy: six}}
"""
        with Gateway(folder, routes, host="::1") as gateway:
            yield Estate(gateway, client_tls, ca, secure, unix_origin, six)


def test_https_in_and_https_out(estate: Estate) -> None:
    """TLS on both sides; the backend learns that the client came by https."""
    with estate.gateway.client(tls=estate.client_tls) as client:
        bodies = [client.post("/secure/echo", b"x" * size).status for size in (1, 70_000, 0)]
    seen = estate.secure.seen("/secure/echo")
    assert bodies == [200, 200, 200]
    assert [len(each.body) for each in seen] == [1, 70_000, 0]
    assert {each.get("X-Forwarded-Proto") for each in seen} == {"https"}


def test_a_big_answer_crosses_tls_whole(estate: Estate) -> None:
    """20 MB through TLS twice."""
    estate.secure.on("/secure/big", answer(b"b" * 20_000_000))
    with estate.gateway.client(tls=estate.client_tls, timeout=9) as client:
        assert len(client.get("/secure/big").body) == 20_000_000


@pytest.mark.parametrize("case", ["wrong-ca", "system-ca", "wrong-name", "no-name"])
def test_a_backend_without_proof_is_502(estate: Estate, case: str) -> None:
    """An unknown authority or another name: no request is sent, and the client learns no detail."""
    with estate.gateway.client(tls=estate.client_tls) as client:
        reply = client.get(f"/{case}")
        assert (reply.status, reply.get("Content-Type")) == (502, "application/problem+json")
        assert b"certificate" not in reply.body.lower()
        assert client.get("/secure/still").status == 200
    assert estate.secure.seen(f"/{case}") == []


def test_verification_can_be_turned_off(estate: Estate) -> None:
    """`verify: false` takes any certificate: somebody wrote it down."""
    with estate.gateway.client(tls=estate.client_tls) as client:
        assert client.get("/unverified").status == 200


def test_plain_http_to_a_tls_listener_is_no_request(estate: Estate) -> None:
    """Plain text on the TLS address is not served."""
    with estate.gateway.client() as client:
        client.say("GET", "/secure/plain")
        try:
            heard = client.reader.rest()
        except ConnectionError:
            heard = b""
    assert b"200 OK" not in heard
    assert estate.secure.seen("/secure/plain") == []


def test_a_renewed_certificate_is_shown_after_a_reload(estate: Estate) -> None:
    """A new certificate in the same file: new connections see it once the configuration is taken again."""
    gateway = estate.gateway

    def shown() -> bytes | None:
        with gateway.client(tls=estate.client_tls) as client:
            assert isinstance(client.sock, ssl.SSLSocket)
            return client.sock.getpeercert(binary_form=True)

    before = shown()
    renewed = estate.ca.issue_cert("localhost", "::1")
    renewed.private_key_and_cert_chain_pem.write_to_path(str(gateway.folder / "front.pem"))
    assert shown() == before
    gateway.edit(gateway.config.read_text() + "# renewed\n")
    assert shown() != before


def test_an_unfinished_handshake_holds_up_nobody(estate: Estate) -> None:
    """A client that says nothing during the handshake leaves the others alone."""
    gateway = estate.gateway
    with socket.create_connection((gateway.host, gateway.port)), gateway.client(tls=estate.client_tls) as client:
        assert client.get("/secure/meanwhile").status == 200


def test_a_unix_socket_can_be_a_backend(estate: Estate) -> None:
    """A backend that listens on a Unix socket is called like any other."""
    estate.unix.on("/unix/x", answer(b"by the socket"))
    with estate.gateway.client(tls=estate.client_tls) as client:
        assert client.get("/unix/x").body == b"by the socket"


def test_ipv6_on_both_sides(estate: Estate) -> None:
    """IPv6 clients and backends; the address is forwarded as RFC 7239 writes it."""
    estate.six.on("/six/x", answer(b"six"))
    with estate.gateway.client(tls=estate.client_tls) as client:
        assert client.get("/six/x").body == b"six"
    seen = estate.six.seen("/six/x")[-1]
    assert seen.get("X-Forwarded-For") == "::1"
    assert 'for="[::1]"' in (seen.get("Forwarded") or "")
    assert seen.get("Host") == f"[::1]:{estate.six.port}"


def test_tls_is_not_switched_by_a_reload(origin: Origin, tmp_path: Path) -> None:
    """Turning TLS of the listener on needs a restart: the reload is refused, says so, and changes nothing."""
    ca = trustme.CA()
    issued = ca.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    routes = one_backend(origin)
    with Gateway(tmp_path, routes) as gateway:
        tls = f"tls: {{certificate: {tmp_path}/both.pem, key: {tmp_path}/both.pem}}"
        gateway.write(one_backend(origin, gateway=tls))
        result = gateway.reload()
        assert (result["outcome"], "needs a restart" in result["problems"][0]) == ("refused", True)
        assert gateway.get("/still-plain").status == 200
