"""XML as bytes and text: what is refused before anybody reads it, and that what is written cannot break out."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connectors.soap.xmltext import (
    DEEPEST,
    MOST_ATTRIBUTES,
    XmlRefused,
    as_text,
    escape,
    inner_xml,
    local,
    namespace,
    parse,
    quoted,
    safe_content,
    safe_element,
)

BOTH = pytest.mark.parametrize("names", [False, True])
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b"<a>\xc3\xa9</a>",
        b"\xef\xbb\xbf<a>\xc3\xa9</a>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- DOCTYPE --><?pi <!DOCTYPE?><a>\xc3\xa9</a>',
        b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>",
        b'<?xml version="1.0" encoding="US-ASCII"?><a>&#233;</a>',
        "\ufeff<a>é</a>".encode("utf-16-le"),
        "\ufeff<?xml version='1.0' encoding='utf-16'?><a>é</a>".encode("utf-16-be"),
    ],
)
def test_usual_encodings_are_read(data: bytes, names: bool) -> None:
    """UTF-8 and UTF-16 with and without marks and declarations, and the two of old servers."""
    assert parse(data, names=names).text == "é"


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE a><a/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b'<?xml version="1.0"?><!-- x --> <?p?>\n<!DOCTYPE a><a/>',
        b"\xef\xbb\xbf<!DOCTYPE a><a/>",
        "\ufeff<!DOCTYPE a><a/>".encode("utf-16-le"),
    ],
)
def test_a_doctype_is_refused(data: bytes, names: bool) -> None:
    """SOAP forbids DTDs, wherever they stand and however they are encoded."""
    with pytest.raises(XmlRefused, match="DOCTYPE"):
        parse(data, names=names)


@BOTH
@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="cp037"?>\x4c\x5a',
        b'<?xml version="1.0"' + b" " * 300 + b'encoding="cp037"?><a/>',
        b'<?xml version="1.0" encoding="utf-8',
        "<a/>".encode("utf-16-le"),
        "<!DOCTYPE a><a/>".encode("utf-16-be"),
        "<a/>".encode("utf-32"),
    ],
)
def test_other_encodings_are_refused(data: bytes, names: bool) -> None:
    """An encoding in which a DOCTYPE could hide is not even tried: unknown, undeclared, or declared far away."""
    with pytest.raises(XmlRefused, match=r"encoding|not well-formed"):
        parse(data, names=names)


@BOTH
@pytest.mark.parametrize(
    "data", [b"", b"<a>", b"<aaa>\x00</aaa>", b"<a>\xff</a>", b"<a>]]></a>", b"<a>&b;</a>", b"a", b"<a/><b/>"]
)
def test_what_is_not_well_formed_is_refused(data: bytes, names: bool) -> None:
    """The message says where, and does not quote the data."""
    with pytest.raises(XmlRefused, match=r"not well-formed XML: line \d+, column \d+\.$"):
        parse(data, names=names)


def test_utf_16_must_be_right() -> None:
    """Half a character is not guessed at."""
    with pytest.raises(XmlRefused, match="not valid UTF-16"):
        parse(b"\xff\xfe\x00\xd8<\x00", names=False)


@BOTH
def test_depth_is_bounded(names: bool) -> None:
    """Elements within the bound are read, one more is not, nor are a hundred thousand."""

    def nest(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    assert parse(nest(DEEPEST), names=names).tag == "a"
    for depth in (DEEPEST + 1, 2_000, 100_000):
        with pytest.raises(XmlRefused, match=f"nested more than {DEEPEST} deep"):
            parse(nest(depth), names=names)


@BOTH
def test_attributes_are_bounded(names: bool) -> None:
    """An element has up to a number of attributes; a bomb of them is refused, and soon."""

    def element(count: int) -> bytes:
        return b"<r><x/><a " + b" ".join(b'a%d="1"' % number for number in range(count)) + b"/></r>"

    assert len(parse(element(MOST_ATTRIBUTES), names=names)[1].attrib) == MOST_ATTRIBUTES
    start = time.process_time()
    for count in (MOST_ATTRIBUTES + 1, 50_000):
        with pytest.raises(XmlRefused, match=f"more than {MOST_ATTRIBUTES} attributes"):
            parse(element(count), names=names)
    assert time.process_time() - start < 5


@BOTH
def test_many_elements_with_few_attributes_are_fine(names: bool) -> None:
    """It is the attributes of one element that count."""
    assert len(parse(b"<r>" + b'<a b="1"/>' * 1_000 + b"</r>", names=names)) == 1_000


# ------------------------------------------------------------------------------------------------ writing


@given(TEXT)
def test_text_is_read_as_it_was_written(text: str) -> None:
    """Whatever a text holds, it stays a text between tags and in an attribute."""
    element = parse(f"<a b={quoted(text)}>{escape(text)}</a>".encode(), names=False)
    assert (element.text or "", element.get("b")) == (text, text)


def test_line_ends_survive() -> None:
    """A carriage return is kept between tags, and white space in an attribute."""
    text = "a\r\nb\tc\rd"
    element = parse(f"<a b={quoted(text)}>{escape(text)}</a>".encode(), names=False)
    assert (element.text, element.get("b")) == (text, text)


def test_names_are_taken_apart() -> None:
    """`{namespace}local`, or just a local name."""
    assert (namespace("{urn:a}b"), local("{urn:a}b")) == ("urn:a", "b")
    assert (namespace("b"), local("b")) == ("", "b")


# ------------------------------------------------------------------------------------------------ XML in JSON


def test_an_element_by_itself_declares_the_prefixes_it_uses() -> None:
    """In tags, attributes and their values; those it has no use for are left out."""
    root = parse(b'<r xmlns:p="urn:p" xmlns:q="urn:q" xmlns:z="urn:z"><p:a t="q:b">x</p:a></r>', names=True)
    assert as_text(root[0]) == '<p:a xmlns:p="urn:p" xmlns:q="urn:q" t="q:b">x</p:a>'


def test_text_that_looks_like_a_prefix_keeps_it() -> None:
    """A name in an element's text may need its prefix, too."""
    root = parse(b'<r xmlns:q="urn:q"><a>q:b</a></r>', names=True)
    assert as_text(root[0]) == '<a xmlns:q="urn:q">q:b</a>'


def test_everything_between_the_tags_is_kept() -> None:
    """Texts and elements in their order; comments and instructions are not."""
    root = parse(b"<r>a &lt;<b>c</b> &amp; <!-- no --><?no no?><d/></r>", names=True)
    assert inner_xml(root) == "a &lt;<b>c</b> &amp; <d/>"


@pytest.mark.parametrize(
    "text",
    [
        "</x><y/><x>",
        "<a>",
        "</a>",
        "<!DOCTYPE a><a/>",
        "<?xml version='1.0'?><a/>",
        "&entity;",
        "<p:a/>",
        "]]>",
        "\x00",
        "\x1b",
        "\ud800",
        "<a b='1' b='2'/>",
        "<a>" * 2_000 + "</a>" * 2_000,
    ],
)
def test_xml_out_of_json_cannot_break_out(text: str) -> None:
    """What is not whole in itself stands in no message."""
    for refuse in (safe_content, safe_element):
        with pytest.raises(XmlRefused, match="not well-formed XML that stands by itself"):
            refuse(text)


@pytest.mark.parametrize("text", ["", "text", "<a/><b/>", "x<a/>", "<a/>x"])
def test_one_element_is_one_element(text: str) -> None:
    """A wildcard lets in elements, each by itself."""
    with pytest.raises(XmlRefused, match="must be one XML element"):
        safe_element(text)


@pytest.mark.parametrize("value", [None, 1, ["<a/>"], {}])
def test_xml_out_of_json_is_a_string(value: object) -> None:
    """No other value is XML."""
    with pytest.raises(XmlRefused, match="must be a string of XML"):
        safe_content(value)


def test_white_space_around_an_element_is_none_of_it() -> None:
    """An element may be indented."""
    assert as_text(safe_element("\n <a> b </a>\n")) == "<a> b </a>"


def test_xml_out_of_json_is_written_anew() -> None:
    """Sections and comments are gone, and what they held is text."""
    assert safe_content("<![CDATA[<b>]]><!-- c -->d") == "&lt;b&gt;d"


@given(TEXT)
def test_safe_content_is_always_safe(text: str) -> None:
    """Whatever comes through is still well-formed inside another element, and nothing but content of it."""
    try:
        content = safe_content(text)
    except XmlRefused:
        return
    assert etree.fromstring(f"<outer><x>{content}</x></outer>").find("x") is not None
