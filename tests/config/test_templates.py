import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.problems import Unreadable
from gateway.config.templates import Element, element, match_text, operation, target_path, template
from gateway.core.model import Match, Placeholder, Segment, SoapOperation


def literal(text: bytes) -> Segment:
    return Segment("literal", text)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", (literal(b""),)),
        ("/a/b", (literal(b"a"), literal(b"b"))),
        ("/a/", (literal(b"a"), literal(b""))),
        ("/a/{id}", (literal(b"a"), Segment("one", b"id"))),
        ("/**", (Segment("rest", b""),)),
        ("/a/{id}/**", (literal(b"a"), Segment("one", b"id"), Segment("rest", b""))),
        ("/caf%C3%A9", (literal("café".encode()),)),
        ("/café", (literal("café".encode()),)),
        ("/a%20b;v=1/.well-known", (literal(b"a b;v=1"), literal(b".well-known"))),
        ("/a%2Fb", (literal(b"a/b"),)),
    ],
)
def test_a_template_is_split_first_and_decoded_then(path: str, segments: tuple[Segment, ...]) -> None:
    """Segments are what a request's path is compared with: split at each /, then percent-decoded."""
    assert template(path) == segments


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "/a//b",
        "/{a}{b}",
        "/x{a}",
        "/{a}/{a}",
        "/{}",
        "/{1a}",
        "/{a",
        "/a}",
        "/**/a",
        "/a**",
        "/*",
        "/a?b",
        "/a#b",
        "/./a",
        "/../a",
        "/%2e%2e/a",
        "/.%2E/a",
        "/..;x/a",
        "/a%zz",
        "/a%",
        "/a\\b",
        "/a%5cb",
        "/a%00",
        "/a\u200b",
    ],
)
def test_templates_that_no_request_could_match_are_refused(path: str) -> None:
    """A template that the wire would refuse, or that is not what it seems, is a mistake."""
    with pytest.raises(Unreadable):
        template(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("GET /a", Match((b"GET",), (literal(b"a"),))),
        ("GET,POST /a", Match((b"GET", b"POST"), (literal(b"a"),))),
        ("ANY  /a", Match((), (literal(b"a"),))),
        ("SOAP /a#Get", Match((b"POST",), (literal(b"a"),), soap=SoapOperation("Get", "Get"))),
    ],
)
def test_the_short_form_of_a_match(text: str, match: Match) -> None:
    """A method (or several, or any) and a path; a SOAP operation is a POST."""
    assert match_text(text) == match


@pytest.mark.parametrize(
    "text",
    [
        "/a",
        "GET",
        "GET a",
        "GET /a /b",
        "get /a",
        "GET,GET /a",
        "GET,FETCH /a",
        "ANY,GET /a",
        "SOAP /a",
        "SOAP /a#",
        "SOAP /a#1",
        1,
        None,
        [],
    ],
)
def test_what_is_no_match_is_refused(text: object) -> None:
    """Anything else is refused with the forms there are."""
    with pytest.raises(Unreadable):
        match_text(text)


def test_soap_names() -> None:
    """An operation is a plain name; its element may say a namespace."""
    assert operation("GetBalance") == "GetBalance"
    assert element("GetBalance") == Element("GetBalance")
    assert element("{urn:rents}GetBalance") == Element("GetBalance", "urn:rents")
    for wrong in ("Get Balance", "{urn:rents}", "1x", ""):
        with pytest.raises(Unreadable):
            element(wrong)
    with pytest.raises(Unreadable):
        operation("{urn}x")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("/v2", (b"/v2",)),
        ("/v2/{id}", (b"/v2/", Placeholder("path", b"id"))),
        ("/v2/{path.id}/x", (b"/v2/", Placeholder("path", b"id"), b"/x")),
        (
            "/{query.as-at}/{header.X-Tenant}",
            (b"/", Placeholder("query", b"as-at"), b"/", Placeholder("header", b"x-tenant")),
        ),
        ("/v2/{**}", (b"/v2/", Placeholder("rest", b""))),
        ("/a%20b", (b"/a%20b",)),
    ],
)
def test_a_target_path_is_literals_and_placeholders(text: str, parts: tuple[bytes | Placeholder, ...]) -> None:
    """Literals are sent as they are written; placeholders take values of the request."""
    assert target_path(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "v2",
        "{id}",
        "/{}",
        "/{a b}",
        "/{foo.bar}",
        "/a?b={id}",
        "/a#b",
        "/../a",
        "/a b",
        "/é",
        "/a%zz",
        "/{id",
        "/id}",
        "/{body}x{",
        7,
    ],
)
def test_target_paths_that_cannot_be_sent_are_refused(text: object) -> None:
    """A path that would break the request line, or leave its place, is refused."""
    with pytest.raises(Unreadable):
        target_path(text)


def test_a_value_of_a_body_is_named_by_the_way_to_it() -> None:
    """Whoever decodes the body follows it."""
    assert target_path("/a/{body.Account.No}/b") == (b"/a/", Placeholder("body", b"Account.No"), b"/b")


def test_values_of_claims_are_not_built_yet() -> None:
    """A placeholder of later work is refused as such."""
    with pytest.raises(Unreadable, match="not built yet"):
        target_path("/a/{claim.sub}")


@given(st.text(max_size=30))
def test_any_text_is_a_template_or_refused(text: str) -> None:
    """No text makes the reader of templates fail in another way than by refusing."""
    for read in (template, match_text, target_path):
        try:
            read(text)
        except Unreadable as error:
            assert str(error)  # noqa: PT017 - either outcome is fine
