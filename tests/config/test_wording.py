from pathlib import Path

import pytest

from tests.config.files import FRAME, FRAME_LINES, problems, route_problems

ROUTE = "name: a, match: GET /a, legacy: office"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("serv: new", "route a: `serv` is not a key here; did you mean `serve`?"),
        ("rewrite: {}", "route a: `rewrite` is not built yet; leave it out"),
        ("serve: ramp", "route a: serve: a ramp needs both sides; add `new:` with a backend's name"),
        ("serve: ", "route a: serve: has no value; give it one, or leave the key out"),
        ("serve: [new]", "route a: serve: cannot be a list"),
        ("safe: yes", "route a: safe: must be true or false"),
        ("journey: a b", "route a: journey: 'a b' may hold only letters, digits, dots, dashes and underscores"),
        ("journey: 7", "route a: journey: must be text; put it in quotes"),
        ("new: {path: /x}", "route a: new: `backend` is missing"),
        ("new: {backend: office, pth: /}", "route a: new: `pth` is not a key here; did you mean `path`?"),
        (
            "new: {backend: office, headers: {ad: {}}}",
            "route a: new.headers: `ad` is not a key here; did you mean `add`?",
        ),
        ("timeout: {connect: 2}", "route a: timeout.connect: '2' has no unit; write 2s or 200ms"),
        ("timeout: 2s", "route a: timeout: must be a mapping (key: value)"),
        (
            "timeout: {head: 2s}",
            "route a: timeout: `head` is not a key here; known are connect, response, answer_idle, total, body_idle",
        ),
        ("path: cooked", "route a: path: 'cooked' is not possible here; write 'raw'"),
        (
            "sticky: {claim: sub}",
            "route a: sticky: must be one of cookie, header or query with a name, or the word address",
        ),
        ("sticky: {cookie: a, issu: true}", "route a: sticky: `issu` is not a key here; did you mean `issue`?"),
        (
            "tester: {header: x-y, secret: s}",
            "route a: tester.header: 'x-y' must start with x-banyan-, so that it never reaches a backend",
        ),
    ],
)
def test_problems_are_told_in_the_words_of_the_file(tmp_path: Path, fields: str, message: str) -> None:
    """A person reads which entry, which key, what is wrong with it, and what to write."""
    assert route_problems(tmp_path, f"{ROUTE}, {fields}") == [message]


def test_problems_point_at_what_was_written(tmp_path: Path) -> None:
    """A wrong value is pointed at, an unknown key at its name, a missing one at the mapping that lacks it."""
    text = FRAME + "  - name: a\n    match: GET a\n    legacy: {method: GET}\n    sirve: new\n  - 7\n"
    line = FRAME_LINES + 1
    forms = "write GET /path, GET,POST /path, ANY /path or SOAP /path#Operation"
    assert problems(tmp_path, text) == [
        f"{line + 1}:12: route a: match: 'GET a' is not a match; {forms}",
        f"{line + 2}:13: route a: legacy: `backend` is missing",
        f"{line + 3}:5: route a: `sirve` is not a key here; did you mean `serve`?",
        f"{line + 4}:5: route 2: must be a mapping (key: value)",
    ]


def test_backends_and_the_gateway_are_told_alike(tmp_path: Path) -> None:
    """Counts, types and later work in other parts of the file are answered in the same words."""
    text = """\
    version: 1
    gateway:
      limits: {header_count: 0, pipelined: 2.5}
      trusted_proxies: [10.0.0.0/8, ten]
    backends:
      a: {url: "http://a", type: odbc, max_idle: -1}
      b: {url: "http://b", health: {}}
      c c: {url: "http://c"}
      d: {host: ""}
    """
    assert problems(tmp_path, text) == [
        "3:26: gateway: limits.header_count: '0' is too small; 1 is the least",
        "3:40: gateway: limits.pipelined: must be a whole number",
        "4:33: gateway: trusted_proxies[2]: 'ten' is not a network; write 10.0.0.0/8, 2001:db8::/32 or one address",
        "6:30: backend a: type: 'odbc' is not built yet, or not a type of backend; write http or soap",
        "6:46: backend a: max_idle: '-1' is too small; 0 is the least",
        "7:32: backend b: health: `path` is missing",
        "8:3: backend c c: `c c` may hold only letters, digits, dots, dashes and underscores",
        "9:13: backend d: host: '' is not a host name (no port, no path; international names in their xn-- form)",
    ]


def test_secrets_are_never_repeated(tmp_path: Path) -> None:
    """A message quotes the file, not what the environment put in its place."""
    told = route_problems(
        tmp_path,
        "name: a, match: 'GET ${SECRET}', legacy: '${SECRET}', serve: '${SECRET}', journey: '${SECRET}'",
        "name: b, match: GET /b, legacy: office, successor: '${SECRET}', tester: {header: '${SECRET}', secret: s}",
        environ={"SECRET": "hunter 2"},
    )
    assert len(told) >= 6
    assert "hunter" not in "\n".join(told)


def test_a_header_is_matched_once(tmp_path: Path) -> None:
    """Two spellings of one header's name are one header; the connection's own cannot be matched."""
    match = "name: a, legacy: office, match: {path: /a, header: {%s}}"
    assert route_problems(tmp_path, match % "X-A: b, x-a: c") == [
        "route a: match.header: names one header twice; write it once"
    ]
    assert route_problems(tmp_path, match % "Host: b") == [
        "route a: match.header: `Host` cannot be matched; use `host:` for it"
    ]


def test_a_long_value_is_quoted_in_part(tmp_path: Path) -> None:
    """A message stays readable whatever the file holds."""
    (message,) = route_problems(tmp_path, f"{ROUTE}, serve: {'x' * 500}")
    assert len(message) < 200
