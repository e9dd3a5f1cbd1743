"""Recorded traffic, there and back."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.captured import CapturedAnswer, CapturedRequest, Recorded
from gateway.core.har import Recording, Skipped, har_of, requests_of
from gateway.errors import CommandError

ORIGIN = "https://services.example"
OK = CapturedAnswer(200, ((b"Content-Type", b"application/json"),), b"{}", seconds=0.0125)


def mask(text: str) -> str:
    """National Insurance numbers."""
    return re.sub(r"[A-Z]{2}\d{6}[A-D]", "[personal]", text)


def request(target: bytes = b"/rents", **more: Any) -> CapturedRequest:
    return CapturedRequest(more.pop("method", b"GET"), target, b"services.example", more.pop("fields", ()), **more)


def written(one: CapturedRequest, answer: CapturedAnswer = OK, *, bodies: bool = False) -> dict[str, Any]:
    """The only entry of a document, as somebody else reads it."""
    document = json.loads(json.dumps(har_of([Recorded(one, answer, 0.5, ORIGIN)], mask, version="1", bodies=bodies)))
    [entry] = document["log"]["entries"]
    assert isinstance(entry, dict)
    return entry


def document(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": list(entries)}}


def recorded(url: object = f"{ORIGIN}/rents", **more: object) -> dict[str, Any]:
    return {"request": {"method": "GET", "url": url, "headers": [], **more}}


# ------------------------------------------------------------------------------------------------ written


def test_a_document() -> None:
    """What HAR 1.2 asks for is there: version, creator, and for each entry a request, an answer and times."""
    one = request(b"/rents?page=2", fields=((b"Accept", b"text/html"), (b"X-Tenant", b"7"), (b"Cookie", b"a=b")))
    assert har_of([Recorded(one, OK, 0.5, ORIGIN)], mask, version="0.1") == {
        "log": {
            "version": "1.2",
            "creator": {"name": "banyan", "version": "0.1"},
            "entries": [
                {
                    "startedDateTime": "1970-01-01T00:00:00.500+00:00",
                    "time": 12.5,
                    "request": {
                        "method": "GET",
                        "url": "https://services.example/rents?page=2",
                        "httpVersion": "HTTP/1.1",
                        "cookies": [],
                        "headers": [{"name": "Accept", "value": "text/html"}, {"name": "X-Tenant", "value": "***"}],
                        "queryString": [{"name": "page", "value": "2"}],
                        "headersSize": -1,
                        "bodySize": 0,
                    },
                    "response": {
                        "status": 200,
                        "statusText": "OK",
                        "httpVersion": "HTTP/1.1",
                        "cookies": [],
                        "headers": [{"name": "Content-Type", "value": "application/json"}],
                        "content": {"size": 2, "mimeType": "application/json"},
                        "redirectURL": "",
                        "headersSize": -1,
                        "bodySize": 2,
                    },
                    "cache": {},
                    "timings": {"send": 0, "wait": 12.5, "receive": 0},
                }
            ],
        }
    }


def test_an_answer_that_broke_off() -> None:
    """Its size is not known, its status may be none of HTTP's, and why is told."""
    answer = written(request(), CapturedAnswer(599, body=None, error="timeout"))["response"]
    assert (answer["statusText"], answer["bodySize"], answer["content"]["size"]) == ("", -1, 0)
    assert answer["_error"] == "timeout"


def test_a_redirect() -> None:
    """Where an answer sends its client is told, masked as an address is."""
    answer = written(request(), CapturedAnswer(302, ((b"location", b"/people/AB123456C?page=1"),)))["response"]
    assert answer["redirectURL"] == "/people/***?page=1"


def test_bodies_are_kept_when_asked_for() -> None:
    """Only then, only of requests, and only text."""
    form = request(method=b"POST", fields=((b"content-type", b"application/json"),), body=b'{"page": 2}')
    assert "postData" not in written(form)["request"]
    kept = written(form, bodies=True)["request"]
    assert kept["postData"] == {"mimeType": "application/json", "text": '{"page": 2}'}
    for body in (b"", b"\xff\xfe", "AB123456C".encode("utf-16-le")):
        assert "postData" not in written(request(body=body), bodies=True)["request"]


@given(
    st.binary(max_size=20),
    st.sampled_from(["/people/%s", "/people?of=%s", "/%s/x?a=b", "http://services.example/%s"]),
    st.sampled_from(["x-person", "user-agent", "location", "accept", "authorization", "etag", "content-type"]),
)
def test_nobody_is_in_a_document(noise: bytes, where: str, name: str) -> None:
    """A number planted in the address, the fields and the bodies of an exchange is nowhere in what is written."""
    number = b"AB123456C"
    fields = ((name.encode(), b"x/" + number), (b"x-key", number))
    one = request((where % number.decode()).encode(), fields=fields, body=noise + number)
    answer = CapturedAnswer(200, fields, noise + number)
    assert "123456" not in json.dumps(written(one, answer, bodies=True))


# ------------------------------------------------------------------------------------------------ there and back

_NAMES = st.sampled_from([b"Accept", b"accept-language", b"Content-Type", b"User-Agent", b"SOAPAction"])
_VALUES = st.from_regex(rb"[a-z0-9/*.-]{1,20}", fullmatch=True).filter(lambda value: value != b"***")


@given(
    st.sampled_from([b"GET", b"HEAD", b"POST"]),
    st.from_regex(rb"/[a-z0-9/._~-]{0,20}(\?[a-z]{1,3}=[a-z0-9%~]{0,9})?", fullmatch=True),
    st.lists(st.tuples(_NAMES, _VALUES), max_size=4),
    st.from_regex(r"[a-z0-9 é]{0,20}", fullmatch=True),
)
def test_what_is_harmless_comes_back(
    method: bytes, target: bytes, fields: list[tuple[bytes, bytes]], body: str
) -> None:
    """A request without anything to mask is read as it was written, to the byte."""
    one = request(target, method=method, fields=tuple(fields), body=body.encode())
    assert requests_of(document(written(one, bodies=True))) == Recording((one,), ())


def test_what_was_masked_is_not_replayed() -> None:
    """Each is listed with its reason, and the others come in their order."""
    entries = [
        written(request(b"/people/AB123456C")),
        written(request(b"/rents")),
        written(request(body=b"AB123456C"), bodies=True),
        written(request(body=b"page=2"), bodies=False),
        written(request(b"/repairs")),
    ]
    assert requests_of(document(*entries)) == Recording(
        (request(b"/rents"), request(b"/repairs")),
        (
            Skipped(1, "a part of its address is masked"),
            Skipped(3, "its body is masked"),
            Skipped(4, "its body was not recorded"),
        ),
    )


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/rents", b"/rents"),
        (b"http://services.example/rents?a=b", b"/rents?a=b"),
        (b"http://services.example", b"/"),
        (b"*", b"/*"),
        (b"//rents", b"//rents"),
        (b"/caf\xe9", b"/caf%C3%A9"),
    ],
)
def test_targets(target: bytes, expected: bytes) -> None:
    """Whatever form a target had, path and query are what is sent again."""
    [one] = requests_of(document(written(request(target)))).requests
    assert one.target == expected


# ------------------------------------------------------------------------------------------------ of browsers


def test_a_recording_of_chrome() -> None:
    """Pseudo-header and hop-by-hop fields and what only the gateway may say stay behind; the origin becomes Host."""
    fields = {
        ":authority": "services.example",
        ":path": "/rents?page=2",
        "accept": "application/json",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
        "host": "other.example",
        "content-length": "0",
        "te": "trailers",
        "x-forwarded-for": "192.0.2.7",
        "x-banyan-serve": "new",
        "cookie": "a=b",
        "x-name": "Łódź",
    }
    headers = [{"name": name, "value": value} for name, value in fields.items()]
    entry = recorded("https://user@services.example:8443/rents?page=2#top", headers=headers, bodySize=0)
    [one] = requests_of(document(entry)).requests
    assert one.host == b"services.example:8443"
    assert one.target == b"/rents?page=2"
    assert one.fields == ((b"accept", b"application/json"), (b"cookie", b"a=b"), (b"x-name", "Łódź".encode()))
    assert one.body == b""


def test_a_recording_of_firefox() -> None:
    """A form as text, letters that are not escaped, and a size that is not known."""
    data = {"mimeType": "application/x-www-form-urlencoded", "params": [], "text": "name=Zoë"}
    entry = recorded("http://services.example?q=Zoë a", method="POST", postData=data, bodySize=-1)
    [one] = requests_of(document(entry)).requests
    assert (one.method, one.target, one.body) == (b"POST", b"/?q=Zo%C3%AB%20a", "name=Zoë".encode())


@pytest.mark.parametrize("key", ["encoding", "_encoding"])
def test_a_body_in_base64(key: str) -> None:
    """Bytes that are no text are written so, by some under a name of their own."""
    [one] = requests_of(document(recorded(postData={"text": "/wA=", key: "base64"}))).requests
    assert one.body == b"\xff\x00"


@pytest.mark.parametrize("data", [None, {}, {"mimeType": "", "params": []}])
def test_no_body(data: object) -> None:
    """There are many ways to say that there is none."""
    [one] = requests_of(document(recorded(postData=data, bodySize=0))).requests
    assert one.body == b""


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (recorded("wss://services.example/live"), "its address is not one of HTTP"),
        (recorded("data:text/plain,x"), "its address is not one of HTTP"),
        (recorded(f"{ORIGIN}/people/***"), "a part of its address is masked"),
        (recorded(f"{ORIGIN}/people?of=%2A%2a%2A"), "a part of its address is masked"),
        (recorded(postData={"params": [{"name": "file", "fileName": "a.pdf"}]}), "its body was recorded in parts"),
        (recorded(bodySize=7), "its body was not recorded"),
    ],
)
def test_what_cannot_be_replayed(entry: dict[str, Any], why: str) -> None:
    """It is left out, and the reader learns which entry it was, and why."""
    assert requests_of(document(entry)) == Recording((), (Skipped(1, why),))


# ------------------------------------------------------------------------------------------------ bad documents


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([], "`log` is missing, or is not an object"),
        ({"log": {}}, "`entries` is missing, or is not a list"),
        (document({}), "Entry 1: `request` is missing, or is not an object"),
        (document(recorded(), {"request": {}}), "Entry 2: `method` is missing, or is not a text"),
        (document(recorded(7)), "Entry 1: `url` is missing, or is not a text"),
        (document(recorded(method="GE T")), "Entry 1: 'GE T' is no method of HTTP"),
        (document(recorded("http:///rents")), "Entry 1: The host in `url`"),
        (document(recorded("http://a b/rents")), "Entry 1: The host in `url`"),
        (document(recorded(headers={})), "Entry 1: `headers` is missing, or is not a list"),
        (document(recorded(headers=[{"name": "a"}])), "Entry 1: `value` is missing"),
        (document(recorded(headers=[{"name": "a b", "value": ""}])), "Entry 1: The header 'a b' has characters"),
        (document(recorded(headers=[{"name": "a", "value": "b\r\nc: d"}])), "Entry 1: The header 'a' has characters"),
        (document(recorded(postData=[])), "Entry 1: `postData` is missing, or is not an object"),
        (document(recorded(postData={"text": 7})), "Entry 1: `text` is missing, or is not a text"),
        (document(recorded(postData={"text": "%", "encoding": "base64"})), "Entry 1: `postData` says"),
    ],
)
def test_what_is_no_har(bad: object, told: str) -> None:
    """The reader learns in which entry something is wrong, and what."""
    with pytest.raises(CommandError, match=re.escape(told)):
        requests_of(bad)


def test_all_problems_are_told_at_once() -> None:
    """Up to ten of them, so that the message can be read."""
    with pytest.raises(CommandError) as caught:
        requests_of(document(*[{}] * 12))
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines[:10]] == [f"Entry {number}" for number in range(1, 11)]
    assert lines[10:] == ["... and 2 more entries."]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=9))
def test_anything_is_read_or_refused(rubbish: object) -> None:
    """Whatever stands in an entry, there is an answer to it."""
    entry = recorded(headers=[], postData=rubbish, bodySize=rubbish)
    try:
        recording = requests_of(document(entry, recorded()))
    except CommandError as error:
        assert str(error).startswith("Entry 1:")  # noqa: PT017 (either is right)
    else:
        assert len(recording.requests) + len(recording.skipped) == 2
