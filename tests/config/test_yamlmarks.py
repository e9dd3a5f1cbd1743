import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.yamlmarks import MAX_DEPTH, Document, plain, read
from gateway.core.model import Place


def told(data: bytes | str, environ: dict[str, str] | None = None) -> list[str]:
    raw = data if isinstance(data, bytes) else data.encode()
    return [str(problem) for problem in read(raw, "routes.yaml", environ or {}).problems]


def doc(text: str, environ: dict[str, str] | None = None) -> Document:
    return read(text.encode(), "routes.yaml", environ or {})


def test_values_are_plain_and_know_their_places() -> None:
    """Each value of a file comes with its line and column, and so does its key."""
    document = doc("a:\n  - b: 'x'\n    c: [1, {d: 2}]\n")
    assert document.value == {"a": [{"b": "x", "c": [1, {"d": 2}]}]}
    assert document.place(("a", 0, "b")) == Place("routes.yaml", 2, 8)
    assert document.key_place(("a", 0, "b")) == Place("routes.yaml", 2, 5)
    assert document.place(("a", 0, "c", 1, "d")) == Place("routes.yaml", 3, 16)
    assert document.key_place(("a", 0)) == Place("routes.yaml", 2, 5)


def test_a_place_that_is_not_there_is_the_nearest_around_it() -> None:
    """A problem with a missing key points at the mapping that lacks it."""
    document = doc("a:\n  - b: x\n")
    assert document.place(("a", 0, "zz", "y")) == Place("routes.yaml", 2, 5)
    assert read(b"[", "routes.yaml", {}).place(("a",)) == Place("routes.yaml", 1, 1)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("y", "y"),
        ("01:00", "01:00"),
        ("12:30:45", "12:30:45"),
        ("2027-03-31", "2027-03-31"),
        ("2027-03-31T01:02:03Z", "2027-03-31T01:02:03Z"),
        ("1_000", "1_000"),
        ("=", "="),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0o17", 15),
        ("0x1F", 31),
        ("007", 7),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("10%", "10%"),
        ("1.2.3.4", "1.2.3.4"),
        ("9" * 5000, "9" * 5000),
        ("tRUE", "tRUE"),
        ("+", "+"),
    ],
)
def test_unquoted_words_are_typed_as_yaml_1_2_does(written: str, value: object) -> None:
    """Only true, false, null and numbers are anything but text: a council in Norway may be called `no`."""
    assert plain(written) == value
    assert type(plain(written)) is type(value)


def test_quoted_words_are_always_text() -> None:
    """Quotes keep a number or a word as it is."""
    assert doc("a: '1'\nb: \"true\"\nc: ''\n").value == {"a": "1", "b": "true", "c": ""}


def test_keys_are_always_text() -> None:
    """A key is never typed: `on:` and `1:` are names."""
    assert doc("on: 1\n1: 2\nnull: 3\n").value == {"on": 1, "1": 2, "null": 3}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", "routes.yaml:3:1: `a` is here a second time (first on line 1); keep one"),
        ("a: {b: 1, b: {c: 2}}\n", "routes.yaml:1:11: `b` is here a second time (first on line 1); keep one"),
        ("a:\n  <<: {b: 1}\n", "routes.yaml:2:3: merge keys (`<<`) are not used here; write the keys out"),
        ("a: &x 1\n", "routes.yaml:1:4: anchors (`&name`) are not used here; repeat the value where it is needed"),
        ("&x a: 1\n", "routes.yaml:1:1: anchors and tags are not used here; write the key alone"),
        ("a: *x\n", "routes.yaml:1:4: aliases (`*name`) are not used here; repeat the value"),
        ("a: !!str 1\n", "routes.yaml:1:4: tags (`!name`) are not used here; leave the tag out"),
        ("a: !secret {b: 1}\n", "routes.yaml:1:4: tags (`!name`) are not used here; leave the tag out"),
        ("[a, b]: 1\n", "routes.yaml:1:1: a key must be plain text"),
        ("a: 1\n---\nb: 2\n", "routes.yaml:2:1: a second document (`---`) begins here; keep everything in one"),
        ("", "routes.yaml:1:1: the file is empty; `banyan init` writes a file to start from"),
        ("# only a comment\n", "routes.yaml:1:1: the file is empty; `banyan init` writes a file to start from"),
        ("a:\n\tb: 1\n", "routes.yaml:2:1: a tab stands here; YAML wants spaces"),
        ("a: \x07\n", "routes.yaml:1:4: a control character stands here; delete it"),
        ('a: "x\\ny"\n', "routes.yaml:1:4: this value holds a line break or control character; write it in one line"),
        ("a: |\n  x\n", "routes.yaml:1:4: this value holds a line break or control character; write it in one line"),
        ("a: {path: /x/{id}}\n", "routes.yaml:1:14: put a path with {name} into quotes where it stands inside { }"),
        (
            "a: [1, 2\nb: 3\n",
            "routes.yaml:2:2: this is not YAML: did not find expected ',' or ']' (while parsing a flow sequence)",
        ),
    ],
)
def test_what_yaml_allows_and_a_configuration_must_not(text: str, problem: str) -> None:
    """What makes a file mean something else than it seems is refused, with its place."""
    assert told(text) == [problem]


def test_bytes_that_are_no_text_are_placed() -> None:
    """A file in another encoding is refused at the first byte that shows it."""
    assert told("a: é\nb: ".encode() + b"\xe9\n") == ["routes.yaml:2:4: this is not UTF-8 text; save the file as UTF-8"]
    assert told("a: 1\n".encode("utf-16")) == ["routes.yaml:1:1: this is not UTF-8 text; save the file as UTF-8"]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Files of Windows editors are read like all others."""
    assert doc("\ufeffa: 1\r\n").value == {"a": 1}


def test_nesting_is_bounded() -> None:
    """A file of brackets is refused at once, however long it is."""
    assert told("[" * 200_000) == [f"routes.yaml:1:{MAX_DEPTH + 1}: values are nested more than {MAX_DEPTH} deep here"]


def test_the_environment_fills_values_as_text() -> None:
    """A value from the environment stays text, whatever is in it; a default stands in when it is not set or empty."""
    environ = {"PORT": "80", "EMPTY": "", "TRICK": "{a: 1}"}
    document = doc("a: ${PORT}\nb: x${PORT}y\nc: ${NONE:-7}\nd: ${EMPTY:-e}\ne: '${EMPTY}'\nf: ${TRICK}\n", environ)
    assert document.value == {"a": "80", "b": "x80y", "c": "7", "d": "e", "e": "", "f": "{a: 1}"}
    assert document.problems == ()


def test_what_was_written_is_kept_beside_what_the_environment_gave() -> None:
    """Messages can quote the file instead of a secret."""
    document = doc("a: {b: '${SECRET}'}\nc: 1\n", {"SECRET": "hunter2"})
    assert document.written(("a", "b")) == "${SECRET}"
    assert document.written(("nowhere",)) == ""
    assert (document.from_environment(("a",)), document.from_environment(("c",))) == (True, False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: ${NONE}", "the environment variable NONE is not set; set it or write ${NONE:-default}"),
        ("a: ${ODD}", "the environment variable ODD is not UTF-8 text"),
        ("a: ${LINES}", "this value holds a line break or control character; write it in one line"),
        ("a: ${not valid}", "`${` opens an environment variable; write ${NAME} or ${NAME:-default}"),
    ],
)
def test_what_the_environment_cannot_give(text: str, problem: str) -> None:
    """A variable that is missing or unusable is named, with its place."""
    assert told(text, {"ODD": "\udcff", "LINES": "a\nb"}) == [f"routes.yaml:1:4: {problem}"]


@given(st.binary(max_size=200))
def test_any_bytes_give_a_document_or_problems(data: bytes) -> None:
    """Whatever is in a file, reading it never raises."""
    document = read(data, "routes.yaml", {})
    assert document.problems or document.value is not None or b"null" in data or b"~" in data or document.spots


@given(st.text(alphabet="ab:-{}[],'\"&*!#|>%@`\n \t0$", max_size=60))
def test_anything_like_yaml_gives_a_document_or_problems(text: str) -> None:
    """Whatever half a file looks like, reading it never raises."""
    assert isinstance(doc(text), Document)
