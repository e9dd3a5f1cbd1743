"""What a request for a WSDL gets."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.published import Hole, Page, Published, content, etag, is_known, page_for

MAIN = Page((b'<a l="', Hole("address"), b'"/>'), digest=b"1")
OTHER = Page((b"<b/>",), digest=b"2")
WSDL = Published("rents.wsdl", (("rents.wsdl", MAIN), ("a b/types.xsd", OTHER)))
ORIGIN, PATH = b"https://api.example", b"/Rents.asmx"
BYTES = st.binary(max_size=20)


def test_a_query_names_a_file() -> None:
    """In any case, as stacks write it; the WSDL itself without a name, and any of its files with one."""
    asked = [b"?wsdl", b"?WSDL", b"?Wsdl=", b"?singleWsdl", b"?x=1&wsdl", b"?wsdl=rents.wsdl"]
    assert [page_for(query, WSDL) for query in asked] == [MAIN] * len(asked)
    assert [page_for(query, WSDL) for query in (b"?xsd=a%20b/types.xsd", b"?XSD=a+b/types.xsd")] == [OTHER] * 2


def test_any_other_query_names_none() -> None:
    """A file that is not there, or a parameter of another name."""
    asked = [
        b"",
        b"?",
        b"?xsd",
        b"?disco",
        b"?wsdl=other",
        b"?xsd=../rents.wsdl",
        b"?singlewsdl=rents.wsdl",
        b"?xsd=%ff",
    ]
    assert [page_for(query, WSDL) for query in asked] == [None] * len(asked)


def test_holes_are_filled() -> None:
    """The whole address, or its origin only; what follows stays."""
    page = Page((b"<", Hole("address", b"?xsd=t"), b" ", Hole("origin"), b"/x>"))
    assert content(page, ORIGIN, PATH) == b"<https://api.example/Rents.asmx?xsd=t https://api.example/x>"


def test_an_address_cannot_leave_its_place() -> None:
    """Whatever a client's path holds is written as XML writes it."""
    filled = content(MAIN, b"http://h", b"/\"'<&>\xc3\xa9")
    assert filled == b'<a l="http://h/&quot;&#x27;&lt;&amp;&gt;%C3%A9"/>'


@given(BYTES, BYTES, BYTES, BYTES, BYTES, BYTES)
def test_a_tag_is_that_of_its_content(one: bytes, a: bytes, b: bytes, two: bytes, c: bytes, d: bytes) -> None:
    """The same for the same file at the same address, and for no other."""
    tags = (
        etag(Page((), digest=one), b"h" + a.hex().encode(), b.hex().encode()),
        etag(Page((), digest=two), b"h" + c.hex().encode(), d.hex().encode()),
    )
    assert (tags[0] == tags[1]) == ((one, a, b) == (two, c, d))


def test_a_client_may_have_it_already() -> None:
    """Any of the tags it names, in any list, weak or strong; or all."""
    tag = etag(MAIN, ORIGIN, PATH)
    assert (tag[:1], tag[-1:]) == (b'"', b'"')
    assert [is_known(tag, given) for given in ([tag], [b'"x"', b'"y" , W/' + tag], [b"*"])] == [True] * 3
    assert [is_known(tag, given) for given in ([], [b'"x"'], [tag[:-2] + b'"'])] == [False] * 3
