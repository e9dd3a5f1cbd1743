import os
from pathlib import Path

import pytest
import trustme

from gateway.core import model
from gateway.core.model import (
    AccessLog,
    Backend,
    Deprecation,
    Gateway,
    HeaderEdit,
    Limits,
    ListenerTls,
    Match,
    Place,
    Placeholder,
    Predicate,
    Route,
    Segment,
    Serve,
    SoapOperation,
    Sticky,
    Target,
    Timeouts,
    Tls,
)
from gateway.core.policies import CachePolicy, Health
from tests.config.files import FRAME_LINES, estate, problems, route, route_problems

PLAIN = "name: a, match: GET /a/{{id}}, legacy: office".replace("{{id}}", "b")


def test_a_plain_route_is_all_defaults(tmp_path: Path) -> None:
    """Name, match and one side are a whole route; the id is its name, and so is the journey."""
    assert route(tmp_path, PLAIN) == Route(
        name="a",
        id="a",
        match=Match((b"GET",), (Segment("literal", b"a"), Segment("literal", b"b"))),
        pattern="GET /a/b",
        serve=Serve.LEGACY,
        legacy=Target("office"),
        journey="a",
        place=Place(str(tmp_path / "routes.yaml"), FRAME_LINES + 1, 5),
    )


def test_a_route_with_everything(tmp_path: Path) -> None:
    """Every key of a route arrives in the core's route."""
    found = route(
        tmp_path,
        """name: a, id: b, match: "GET /a/{id}/**", journey: j, serve: 12.5% new, safe: true, idempotent: true,
        sticky: {cookie: c, issue: true}, tester: {header: X-Banyan-Serve, secret: "${S}"}, max_body: 1KiB, path: raw,
        timeout: {total: 0s, body_idle: 1s}, successor: https://example.org/b,
        deprecated: {since: 1970-01-02, sunset: 1970-01-03, link: https://example.org/why},
        legacy: office,
        new: {backend: repairs, path: "/v2/{id}/{**}", method: POST,
              headers: {add: {X-A: "1"}, remove: [X-B]}, answer_headers: {add: {X-C: "2"}, remove: [X-D]}}""".replace(
            "\n", " "
        ),
        {"S": "s3cret"},
    )
    assert found._replace(place=None) == Route(
        name="a",
        id="b",
        match=Match((b"GET",), (Segment("literal", b"a"), Segment("one", b"id"), Segment("rest", b""))),
        pattern="GET /a/{id}/**",
        serve=Serve.SPLIT,
        legacy=Target("office"),
        new=Target(
            "repairs",
            (b"/v2/", Placeholder("path", b"id"), b"/", Placeholder("rest", b"")),
            b"POST",
            HeaderEdit(((b"X-A", b"1"),), (b"x-b",)),
            HeaderEdit(((b"X-C", b"2"),), (b"x-d",)),
        ),
        share=1250,
        journey="j",
        sticky=Sticky("cookie", b"c", True),
        tester=model.Tester(b"x-banyan-serve", b"s3cret"),
        safe=True,
        idempotent=True,
        timeout=(("body_idle", 1.0), ("total", 0.0)),
        max_body=1024,
        raw_path=True,
        successor="https://example.org/b",
        deprecated=Deprecation(86400, 172800, "https://example.org/why"),
    )


def test_serve_defaults_to_legacy_where_there_is_one(tmp_path: Path) -> None:
    """A route without `serve` stays where it is; one that only has a new side is served by it."""
    assert route(tmp_path, "name: a, match: GET /a, legacy: office, new: repairs").serve is Serve.LEGACY
    assert route(tmp_path, "name: a, match: GET /a, new: repairs").serve is Serve.NEW


@pytest.mark.parametrize(
    ("written", "sticky"),
    [
        ("{cookie: c}", Sticky("cookie", b"c")),
        ("{header: X-Client}", Sticky("header", b"x-client")),
        ("{query: client}", Sticky("query", b"client")),
        ("address", Sticky("address")),
    ],
)
def test_clients_are_told_apart_in_four_ways(tmp_path: Path, written: str, sticky: Sticky) -> None:
    """A cookie, a header, a query parameter, or the address."""
    assert route(tmp_path, f"{PLAIN}, sticky: {written}").sticky == sticky


@pytest.mark.parametrize(
    ("written", "match", "pattern"),
    [
        ('{path: "/x"}', Match((), (Segment("literal", b"x"),)), "ANY /x"),
        ('{method: GET, path: "/x"}', Match((b"GET",), (Segment("literal", b"x"),)), "GET /x"),
        (
            '{method: [GET, PUT], path: "/x", host: "*.Example.org", header: {X-A: b, X-C: null}, query: {d: ""}}',
            Match(
                (b"GET", b"PUT"),
                (Segment("literal", b"x"),),
                b"*.example.org",
                (Predicate(b"x-a", b"b"), Predicate(b"x-c", None)),
                (Predicate(b"d", b""),),
            ),
            "GET,PUT /x on *.example.org with x-a, x-c, ?d",
        ),
        (
            '{path: "/x", soap: Get}',
            Match((b"POST",), (Segment("literal", b"x"),), soap=SoapOperation("Get", "Get")),
            "SOAP /x#Get",
        ),
        (
            '{method: POST, path: "/x", soap: {operation: Get, element: "{urn:r}GetRq", action: "urn:r/Get"}}',
            Match((b"POST",), (Segment("literal", b"x"),), soap=SoapOperation("Get", "GetRq", "urn:r", "urn:r/Get")),
            "SOAP /x#Get",
        ),
    ],
)
def test_the_long_form_of_a_match(tmp_path: Path, written: str, match: Match, pattern: str) -> None:
    """Host, headers, query and SOAP details have their place in the long form; the pattern names them all."""
    found = route(tmp_path, f"name: a, match: {written}, legacy: office")
    assert (found.match, found.pattern) == (match, pattern)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            'name: a, match: "GET /a/{id}", new: {backend: office, path: "/{ix}"}',
            "route a: new.path: '/{ix}': the match has no such placeholder; it has {id}",
        ),
        (
            'name: a, match: GET /a, new: {backend: office, path: "/{ix}"}',
            "route a: new.path: '/{ix}': the match has no such placeholder; it has none",
        ),
        (
            'name: a, match: GET /a, new: {backend: office, path: "/{**}"}',
            "route a: new.path: '/{**}': the match has no such placeholder; ** stands only for a match that ends in **",
        ),
        (
            "name: a, match: GET /a%2Fb, new: office",
            "route a: match: 'GET /a%2Fb' has %2F in its path, which needs `path: raw`",
        ),
        (
            "name: a, match: {path: /a, method: GET, soap: Get}, new: office",
            "route a: match.method: SOAP operations are called with POST; leave the method out",
        ),
        (
            "name: a, match: GET /a, new: office, deprecated: {since: 2027-02-01, sunset: 2027-01-01}",
            "route a: deprecated.sunset: '2027-01-01' is before `since` (RFC 9745 forbids it)",
        ),
    ],
)
def test_keys_that_contradict_one_another(tmp_path: Path, fields: str, message: str) -> None:
    """What only shows when two keys are read together is refused as well."""
    assert route_problems(tmp_path, fields) == [message]


def test_backends(tmp_path: Path) -> None:
    """A backend's address, Host, timeouts and pool arrive in the core's backend; sockets are seen from the file."""
    found = estate(
        tmp_path,
        """\
        version: 1
        backends:
          a: {url: "http://a.internal:8080/base/", host: public, timeout: {connect: 1s}, max_idle: 4, idle: 5s}
          b: {url: "https://b.internal"}
          c: {url: "unix:run/c.sock"}
        """,
    )
    assert found.backends == (
        Backend(
            "a", "a.internal", 8080, None, b"/base", b"a.internal:8080", "public", None, (("connect", 1.0),), 4, 5.0
        ),
        Backend("b", "b.internal", 443, authority=b"b.internal", tls=Tls()),
        Backend("c", "localhost", 0, str(tmp_path / "run/c.sock"), authority=b"localhost"),
    )


def test_the_gateway(tmp_path: Path) -> None:
    """Every setting of the gateway arrives; what is left out keeps its default."""
    found = estate(
        tmp_path,
        """\
        version: 1
        gateway:
          timeout: {head: 5s}
          limits: {target: 1KiB}
          trusted_proxies: [127.0.0.1]
          public_url: https://api.example.org
          drain_timeout: 0s
          keep_alive: 10s
          max_body: 8MiB
          served_by: false
          access_log: {to: access.log, paths: true}
        """,
    )
    assert found.gateway == Gateway(
        timeout=Timeouts(head=5.0),
        limits=Limits(target=1024),
        trusted_proxies=("127.0.0.1/32",),
        public_url="https://api.example.org",
        drain_timeout=0.0,
        keep_alive=10.0,
        max_body=8 * 2**20,
        served_by=False,
        access_log=AccessLog(str(tmp_path / "access.log"), True),
    )
    assert estate(tmp_path, "version: 1\ngateway: {access_log: {to: off}}\n").gateway.access_log == AccessLog("off")
    assert estate(tmp_path, "version: 1\n").gateway == Gateway()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, cert.pem, key.pem, and a key of someone else."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    issued = ca.issue_cert("gateway.internal")
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    ca.issue_cert("other.internal").private_key_pem.write_to_path(str(folder / "other.pem"))
    return folder


def test_certificates_are_absolute_paths(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are seen from the folder of routes.yaml, and stay the same when the working folder changes."""
    monkeypatch.chdir(certificates.parent)
    found = estate(
        Path(certificates.name),
        """\
        version: 1
        gateway: {tls: {certificate: cert.pem, key: key.pem}}
        backends:
          a: {url: "https://a", tls: {ca: ca.pem, name: b.internal, certificate: cert.pem, key: key.pem, verify: false}}
          b: {url: "https://b", tls: {certificate: both.pem}}
        """,
    )
    ca, cert, key, both = (os.fspath(certificates / f"{name}.pem") for name in ("ca", "cert", "key", "both"))
    assert found.gateway.tls == ListenerTls(cert, key)
    assert [backend.tls for backend in found.backends] == [
        Tls(ca, "b.internal", cert, key, False),
        Tls(certificate=both),
    ]


def test_certificates_that_cannot_be_used_are_found_before_they_are_needed(certificates: Path) -> None:
    """A missing file, one that is no certificate, and a key that does not fit are all problems of the file."""
    text = """\
    version: 1
    gateway: {tls: {certificate: cert.pem, key: other.pem}}
    backends:
      a: {url: "https://a", tls: {ca: none.pem}}
      b: {url: "https://b", tls: {ca: key.pem}}
      c: {url: "https://c", tls: {key: key.pem}}
      d: {url: "https://d", tls: {certificate: cert.pem}}
      e: {url: "http://e", tls: {ca: ca.pem}}
    """
    unfit = "and its key are not a PEM certificate and the key for it, without a password"
    assert problems(certificates, text) == [
        f"2:30: gateway: tls.certificate: the file 'cert.pem' {unfit}",
        "4:35: backend a: tls.ca: the file 'none.pem' cannot be read: No such file or directory",
        "5:35: backend b: tls.ca: the file 'key.pem' holds no PEM certificate",
        "6:36: backend c: tls.key: a key needs its `certificate`",
        f"7:44: backend d: tls.certificate: the file 'cert.pem' {unfit}",
        "8:24: backend e: only an https:// address has TLS; change the url, or leave it out",
    ]


def test_a_cache_is_read_as_it_is_written(tmp_path: Path) -> None:
    """With names of headers as they are compared; it needs reads."""
    told = "name: a, match: GET /a, legacy: office"
    given = route(tmp_path, f"{told}, cache: {{ttl: 1m, stale_if_error: 1h, vary: [Cookie, accept]}}")
    assert given.cache == CachePolicy(60.0, 3_600.0, (b"accept", b"cookie"))
    given = route(tmp_path, f"{told}, cache: {{key: [query.page, query.a.b, query.page]}}")
    assert given.cache == CachePolicy(key=(b"a.b", b"page"))
    assert route(tmp_path, f"{told}, cache: {{key: []}}").cache == CachePolicy(key=())
    [problem] = route_problems(tmp_path, f"{told}, cache: {{key: [header.a]}}")
    assert problem.startswith("route a: cache.key[1]: 'header.a' is no query.NAME")
    assert route(tmp_path, f"{told}, cache: {{}}").cache == CachePolicy()
    assert route(tmp_path, told).cache is None
    [problem] = route_problems(tmp_path, "name: a, match: POST /a, legacy: office, cache: {ttl: 1m}")
    assert problem.startswith("route a: only reads are kept, and this route takes none; leave `cache` out")


def test_several_addresses_are_one_service(tmp_path: Path) -> None:
    """With the name and path of the first; each may be asked whether it is well."""
    text = """\
    version: 1
    backends:
      office: {urls: ["http://a:1/base", "http://b:2/base"], health: {path: /readyz, every: 5s, after: 2}}
    routes:
      - {name: a, match: GET /a, legacy: office}
    """
    [backend] = estate(tmp_path, text).backends
    assert (backend.host, backend.port, backend.base, backend.authority) == ("a", 1, b"/base", b"a:1")
    assert backend.others == (("b", 2),)
    assert backend.health == Health(b"/readyz", 5.0, 2.0, 2)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("", "give it one `url`, or several `urls`"),
        ('url: "http://a", urls: ["http://b"]', "give it one `url`, or several `urls`"),
        (
            'urls: ["http://a", "https://b"]',
            "is no other address of the same service: scheme and path must be those of",
        ),
        (
            'urls: ["http://a/x", "http://b/y"]',
            "is no other address of the same service: scheme and path must be those",
        ),
        ('urls: ["http://a", "unix:/b"]', "is no other address of the same service: scheme and path must be those of"),
        ('urls: ["http://a", "http://a:80"]', "an address is there twice"),
        ('url: "http://a", health: {path: readyz}', "'readyz' is not a path; write /readyz"),
    ],
)
def test_what_is_no_address_of_a_service_is_refused(tmp_path: Path, fields: str, problem: str) -> None:
    """One or several, all of the same service."""
    text = f"""\
    version: 1
    backends:
      office: {{{fields}}}
    routes:
      - {{name: a, match: GET /a, legacy: office}}
    """
    [found] = problems(tmp_path, text)
    assert problem in found
