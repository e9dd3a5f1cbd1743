import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Call
from connectors.soap.incoming import document, json_body, read_whole, request_id
from gateway.core.model import NEW
from gateway.errors import BackendError, ClientError
from gateway.wire.body import Body, whole
from tests.support.values import plan_of, request, route


def call(data: bytes, *lines: str, length: int | None = None) -> Call:
    """A POST with this body."""
    size = len(data) if length is None else length
    framing = "Transfer-Encoding: chunked" if size < 0 else f"Content-Length: {size}"
    made = plan_of(route("POST /a"))
    return Call(request("POST /a", framing, *lines), made, made.plans[NEW], b"", whole(data))


# ------------------------------------------------------------------------------------------------ bodies


@given(st.lists(st.binary(max_size=9)), st.integers(0, 40))
async def test_a_body_is_read_up_to_its_bound(pieces: list[bytes], most: int) -> None:
    """All of it is given back, or None where it is longer."""
    body = Body(None)
    for piece in pieces:
        body.feed(piece)
    body.finish()
    data = b"".join(pieces)
    assert await read_whole(body, most) == (data if len(data) <= most else None)


async def test_a_body_that_fails_fails_its_reader() -> None:
    """What the source failed with is raised, and not taken for the end."""
    body = Body(None)
    body.feed(b"abc")
    body.fail(BackendError("cut"))
    with pytest.raises(BackendError, match="cut"):
        await read_whole(body, 10)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b'{"a": [1]}', ()),
        (b'{"a": 1}', ("Content-Type: application/json; charset=utf-8",)),
        (b"[]", ("Content-Type: Application/vnd.rents+JSON",)),
        (b"1", ("Content-Type: text/json", "Content-Encoding: identity")),
        (b"", ()),
        (b" \r\n", ()),
    ],
)
async def test_json_is_read(data: bytes, lines: tuple[str, ...]) -> None:
    """A body is JSON by its type, or has no type."""
    assert await json_body(call(data, *lines), 100) == data


async def test_a_chunked_body_is_read() -> None:
    """A length that is not known beforehand is counted."""
    assert await json_body(call(b"{}", length=-1), 2) == b"{}"
    with pytest.raises(ClientError, match="413: The request body is larger than 1 bytes"):
        await json_body(call(b"{}", length=-1), 1)


@pytest.mark.parametrize(
    ("data", "lines", "status"),
    [
        (b"{}" + b" " * 9_999, (), 413),
        (b"<a/>", ("Content-Type: text/xml",), 415),
        (b"a=1", ("Content-Type: application/x-www-form-urlencoded",), 415),
        (b"{}", ("Content-Type: application/jsonp",), 415),
        (b"{}", ("Content-Encoding: gzip",), 415),
    ],
)
async def test_what_is_no_json_is_refused(data: bytes, lines: tuple[str, ...], status: int) -> None:
    """Too much is 413, another type 415."""
    with pytest.raises(ClientError) as caught:
        await json_body(call(data, *lines), 5_000)
    assert caught.value.status == status


# ------------------------------------------------------------------------------------------------ documents


def test_a_document_holds_what_a_mapping_may_use() -> None:
    """Path parameters and query decoded, headers by their names in lower case, and the body."""
    planned = plan_of(route("GET /rents/{account}/on/{day}"))
    asked = request("GET /rents/R%2F1/on/2026-01-01?q=a+b&tag=1&tag=2&flag", "X-User: ann", "Accept: a", "accept: b")
    assert document(asked, planned, {"n": 1}) == {
        "path": {"account": "R/1", "day": "2026-01-01"},
        "query": {"q": "a b", "tag": ["1", "2"], "flag": ""},
        "header": {"x-user": "ann", "accept": "a, b"},
        "body": {"n": 1},
    }


def test_the_rest_of_a_path_has_a_name() -> None:
    """`**` is `path.rest`, slashes included."""
    planned = plan_of(route("GET /files/**"))
    assert document(request("GET /files/a/b%20c"), planned, None)["path"] == {"rest": "a/b c"}


@pytest.mark.parametrize("target", ["/rents/%FF", "/rents/1?a=%FF", "/rents/1?%FF=1"])
def test_what_is_not_utf_8_is_refused(target: str) -> None:
    """JSON has no bytes: what cannot be text is refused."""
    with pytest.raises(ClientError, match="400: The path or the query is not UTF-8"):
        document(request(f"GET {target}"), plan_of(route("GET /rents/{account}")), None)


def test_the_request_id_stands_in_the_gateways_fields() -> None:
    """It is the one that the backend sees; where there is none, a dash."""
    assert request_id(b"Via: 1.1 banyan\r\nX-Request-ID: r-1\r\ntraceparent: 00\r\n") == "r-1"
    assert request_id(b"Via: 1.1 banyan\r\n") == "-"
