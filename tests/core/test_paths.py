import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.paths import decoded_segments, is_plain, needs_raw, problem_of, query_pairs

PIECES = [
    *(b".", b"..", b"%2e", b"%2E", b";", b"%3b", b";x=1", b"/", b"//", b"%2f", b"%2F", b"\\", b"%5c", b"a", b"%c3"),
    *(b"%c0%ae", b"\xc0\xae", b"%e0%80%ae", b"%f0%80%80%ae", b"%f8%80%80%80%ae", b"%fc%80%80%80%80%ae", b"%00", b"%"),
    *(b"%25", b"%c3%a9", b"\xe9", b"~", b"x.y", b"*", b"%7e", b" "),
]
paths = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: b"/" + b"".join(pieces))
OVERLONG = {
    b"\xc0\xae": b".",
    b"\xe0\x80\xae": b".",
    b"\xf0\x80\x80\xae": b".",
    b"\xf8\x80\x80\x80\xae": b".",
    b"\xfc\x80\x80\x80\x80\xae": b".",
}


def every_reading(path: bytes) -> list[bytes]:
    """The segments that some backend may see: decoded, lenient about UTF-8, parameters dropped, split at any slash."""
    decoded = unquote_to_bytes(path)
    for disguised, meant in OVERLONG.items():
        decoded = decoded.replace(disguised, meant)
    by_any_slash = re.split(rb"[/\\]", decoded)
    late = [unquote_to_bytes(segment) for segment in path.split(b"/")]
    early = [unquote_to_bytes(segment.partition(b";")[0]) for segment in path.split(b"/")]
    return [segment.partition(b";")[0] for segment in [*by_any_slash, *late]] + early


@given(paths)
def test_no_reading_has_a_dot_segment(path: bytes) -> None:
    """Whatever passes leads, for every way to decode it, to the place that was routed."""
    if problem_of(path) is None:
        assert not {b".", b".."}.intersection(every_reading(path))


@given(paths)
def test_a_plain_path_is_fine(path: bytes) -> None:
    """A path that wants no closer look has no problem, and any route may take it."""
    if is_plain(path):
        assert problem_of(path) is None
        assert not needs_raw(path)


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(path: bytes) -> None:
    """No bytes whatever make the judgement fail."""
    assert problem_of(b"/" + path) is None or problem_of(b"/" + path)
    assert len(decoded_segments(b"/" + path)) == path.count(b"/") + 2


DOTS = "The path has a dot segment."
OVERLONG_FORM = "The path has an overlong UTF-8 form."


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (b"/a/../b", DOTS),
        (b"/a/./b", DOTS),
        (b"/a/..", DOTS),
        (b"/%2e%2e/b", DOTS),
        (b"/.%2E/b", DOTS),
        (b"/..;/b", DOTS),
        (b"/..;x=1/b", DOTS),
        (b"/..%3bx/b", DOTS),
        (b"/..%2fb", DOTS),
        (b"/a%2f..%2fb", DOTS),
        (b"/a%2F%2e%2e", DOTS),
        (b"/a\\b", "The path has a backslash."),
        (b"/a%5Cb", "The path has a backslash."),
        (b"/a%00", "The path has a NUL."),
        (b"/%c0%ae%c0%ae/", OVERLONG_FORM),
        (b"/\xc0\xae\xc0\xae/", OVERLONG_FORM),
        (b"/%e0%80%af", OVERLONG_FORM),
        (b"/%f0%80%80%af", OVERLONG_FORM),
        (b"/%f8%80%80%80%af", OVERLONG_FORM),
        (b"/%fc%80%80%80%80%af", OVERLONG_FORM),
        (b"/a%2", "The path has a % that is not followed by two hexadecimal digits."),
        (b"/%zz", "The path has a % that is not followed by two hexadecimal digits."),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(path: bytes, problem: str) -> None:
    """Dot segments in any spelling, backslashes, NUL and overlong forms are refused, and the answer says which."""
    assert problem_of(path) == problem
    assert not is_plain(path)


@pytest.mark.parametrize(
    "path",
    [
        *(b"/", b"*", b"/a/b.c/...", b"/.well-known/x", b"/a..b", b"/a;v=1", b"/%c3", b"/%c3%a9", b"/%7Ea", b"/[]"),
        *(b"/a//b", b"/a%2Fb", b"/a%20b", b"/...;x", b"/\xe9", b"/%25%32%65"),
    ],
)
def test_ordinary_paths_pass(path: bytes) -> None:
    """Dots inside names, parameters, lone bytes beyond ASCII and encoded percent signs are nobody's trick."""
    assert problem_of(path) is None


@pytest.mark.parametrize(
    ("path", "raw"),
    [
        (b"/a//b", True),
        (b"//", True),
        (b"/a%2fb", True),
        (b"/a%2Fb", True),
        (b"/a/b/", False),
        (b"/a%20b", False),
        (b"/", False),
    ],
)
def test_only_raw_routes_take_what_hides_a_segment(path: bytes, raw: bool) -> None:
    """Empty segments and encoded slashes are for routes that say `path: raw`."""
    assert needs_raw(path) == raw


def test_segments_are_split_before_they_are_decoded() -> None:
    """An encoded slash is part of its segment, never a border."""
    assert decoded_segments(b"/a%2Fb/c%20d/") == [b"", b"a/b", b"c d", b""]
    assert decoded_segments(b"/a/b") == [b"", b"a", b"b"]
    assert decoded_segments(b"/") == [b"", b""]


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=6), st.binary(max_size=6)), max_size=5))
def test_parameters_come_back_as_they_were_encoded(pairs: list[tuple[bytes, bytes]]) -> None:
    """Every name and value survives the query, whatever bytes they hold."""
    query = "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs)
    assert query_pairs(b"?" + query.encode()) == pairs


def test_parameters_as_people_write_them() -> None:
    """A plus is a space, a name may stand alone or twice, and bytes that are no text are kept."""
    assert query_pairs(b"?a=1+2&b&a=%c3%a9&&c=x=y&d=%ff\xff") == [
        (b"a", b"1 2"),
        (b"b", b""),
        (b"a", b"\xc3\xa9"),
        (b"c", b"x=y"),
        (b"d", b"\xff\xff"),
    ]
    assert query_pairs(b"") == query_pairs(b"?") == []
