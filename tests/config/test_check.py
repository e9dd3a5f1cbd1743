import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.check import Loaded, load
from gateway.config.problems import Problem
from gateway.core.model import Place, Serve
from gateway.errors import ConfigError
from tests.config.files import estate, loaded, problems

REALISTIC = """\
version: 1                               # the council's front door
include: routes.d/*.yaml
gateway:
  timeout: {head: 5s, total: 2m}
  trusted_proxies: [10.0.0.0/8]
backends:
  housing-legacy:
    url: "http://housing.internal:8080/base"
    timeout: {connect: 2s, response: 10s}
  housing-new: {url: "https://housing.example.org", host: public}
routes:
  - name: housing
    match: ANY /housing/**
    legacy: housing-legacy

  - name: repair-detail
    match: GET /housing/repairs/{id}
    legacy: housing-legacy
    new: {backend: housing-new, path: "/v2/repairs/{id}", headers: {add: {X-Via: 'gateway'}}}
    serve: 10% new
    sticky: {cookie: tenancy}
    tester: {header: x-banyan-serve, secret: "${SECRET:-demo}"}
    shadow: {share: 25%, noise: 5%}
    compare: {ignore: [/at], unordered: {/charges: id}, tolerance: {/sum: 0.01}, map: {/state: {A: open}}}
    ramp: {stages: [1%, 100%], only: {days: Mon-Fri, hours: "09:00-17:00"}, guards: {parity: 99.5%, latency_p95: 2x}}
  - name: balance
    match: SOAP /Rents.asmx#GetBalance
    safe: true
    legacy: housing-legacy
    serve: legacy
  - {name: letters, match: GET /letters, serve: retired, successor: "https://example.org"}
"""


def of(error: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(problem) for problem in error.value.problems]


def test_a_realistic_file_loads(tmp_path: Path) -> None:
    """A file as a council would write it becomes an estate, routes in its order."""
    found = loaded(tmp_path, REALISTIC)
    assert [(route.name, route.serve, route.share) for route in found.estate.routes] == [
        ("housing", Serve.LEGACY, 0),
        ("repair-detail", Serve.SPLIT, 1000),
        ("balance", Serve.LEGACY, 0),
        ("letters", Serve.RETIRED, 0),
    ]
    assert [backend.name for backend in found.estate.backends] == ["housing-legacy", "housing-new"]
    assert found.files == ((tmp_path / "routes.yaml", REALISTIC.encode()),)


def test_all_problems_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One reading of the messages is enough to mend the file, whatever kinds of mistakes are in it."""
    text = """\
    version: 2
    backends:
      a: {url: ftp://a}
    routes:
      - {name: one, match: GET /a, legacy: a, serve: nwe}
      - {name: one, match: GET /a, legacy: aa, fallback: true}
      - {name: two, match: GET /b, new: a, serve: legacy}
    extra: 1
    """
    assert [line.partition(": ")[0] for line in problems(tmp_path, text)] == [
        "1:10",
        "3:12",
        "5:50",
        "6:12",
        "6:24",
        "6:40",
        "6:44",
        "7:47",
        "8:1",
    ]


def test_a_route_broken_in_one_key_is_still_compared_with_the_others(tmp_path: Path) -> None:
    """A misspelt word hides no clash; but a broken side does not also count as missing."""
    text = """\
    version: 1
    backends: {a: {url: "http://a"}}
    routes:
      - {name: one, match: GET /a, legacy: a, shadow: 1}
      - {name: two, match: GET /a, legacy: a, max_body: big}
      - {name: three, match: GET /c, legacy: {backend: [a]}}
    """
    assert [line.partition(": ")[0] for line in problems(tmp_path, text)] == ["4:51", "5:24", "5:53", "6:52"]


def test_a_value_that_lacks_its_variable_is_one_problem(tmp_path: Path) -> None:
    """What the missing variable leaves behind is not complained about as well."""
    text = 'version: 1\nbackends:\n  a: {url: "${URL}"}\n'
    assert problems(tmp_path, text) == [
        "3:12: the environment variable URL is not set; set it or write ${URL:-default}"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("routes: []\n", "1:1: `version` is missing"),
        ("- version: 1\n", "1:1: cannot be a list; it must be a mapping (key"),
        ("version\n", "1:1: must be a mapping (key: value)"),
        ("version: 1\nroutes:\n", "2:8: routes: has no value; give it one, or leave the key out"),
        ("version: 1\nroutes: {}\n", "2:9: routes: cannot be a mapping; it must be a list"),
        ("version: 1\nbackends: [a]\n", "2:11: backends: cannot be a list; it must be a mapping (key"),
        ("version: 1\ninclude: 7\n", "2:10: include: must be text; put it in quotes"),
        ("version: 1\nrotes: []\n", "2:1: `rotes` is not a key here; did you mean `routes`?"),
    ],
)
def test_the_top_of_a_file(tmp_path: Path, text: str, problem: str) -> None:
    """A file that is something else altogether is told so."""
    assert [line[: len(problem)] for line in problems(tmp_path, text)] == [problem]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a problem that names it and how to get one; so is a folder in its place."""
    path = tmp_path / "routes.yaml"
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert of(caught) == [f"{path} cannot be read: No such file or directory; `banyan init` writes one to start from"]
    assert caught.value.problems[0] == Problem(None, of(caught)[0])
    with pytest.raises(ConfigError, match="it is not a file"):
        load(tmp_path, {})


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    """A wrong file name must not fill the memory."""
    path = tmp_path / "routes.yaml"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(ConfigError, match="it is larger than 64 MiB"):
        load(path, {})


class TestIncludes:
    """Large estates are kept in several files."""

    def test_included_files_are_sorted_and_add_to_the_main_one(self, tmp_path: Path) -> None:
        """Backends and routes of all files stand side by side, whichever file names them."""
        folder = tmp_path / "routes.d"
        folder.mkdir()
        (folder / "b.yaml").write_text("routes:\n  - {name: b, match: GET /b, legacy: x}\n")
        (folder / "a.yaml").write_text(
            'backends: {x: {url: "http://x"}}\nroutes:\n  - {name: a, match: GET /a, legacy: x}\n'
        )
        found = loaded(tmp_path, "version: 1\ninclude: [routes.d/*.yaml, routes.d/a.yaml, none/*.yaml]\n")
        assert [route.name for route in found.estate.routes] == ["a", "b"]
        assert [path for path, _ in found.files] == [tmp_path / "routes.yaml", folder / "a.yaml", folder / "b.yaml"]

    def test_names_are_unique_across_files(self, tmp_path: Path) -> None:
        """A route of one file cannot hide that of another; the message names both files."""
        (tmp_path / "more.yaml").write_text(
            'backends: {x: {url: "http://y"}}\nroutes:\n  - {name: a, match: GET /a, legacy: x}\n'
        )
        text = """\
        version: 1
        include: more.yaml
        backends: {x: {url: "http://x"}}
        routes:
          - {name: a, match: GET /b, legacy: x}
        """
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, text)
        main, more = tmp_path / "routes.yaml", tmp_path / "more.yaml"
        assert of(caught) == [
            f"{more}:1:12: backend x: another backend has this name ({main}:3:12); names are unique",
            f"{more}:3:12: route a: name: another route has this name ({main}:5:5); names are unique",
        ]

    def test_only_the_main_file_has_the_rest(self, tmp_path: Path) -> None:
        """An included file holds backends and routes, nothing else."""
        (tmp_path / "more.yaml").write_text("version: 1\ngateway: {}\ninclude: x\n")
        with pytest.raises(ConfigError) as caught:
            loaded(tmp_path, "version: 1\ninclude: more.yaml\n")
        assert [line.partition(" is not a key")[0] for line in of(caught)] == [
            f"{tmp_path / 'more.yaml'}:1:1: `version`",
            f"{tmp_path / 'more.yaml'}:2:1: `gateway`",
            f"{tmp_path / 'more.yaml'}:3:1: `include`",
        ]

    def test_the_main_file_never_includes_itself(self, tmp_path: Path) -> None:
        """A pattern that also fits the main file takes only the others."""
        assert estate(tmp_path, "version: 1\ninclude: '*.yaml'\nroutes: []\n").routes == ()


def test_files_are_named_as_the_operator_named_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name stays relative, so that messages are short and links work."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "routes.yaml").write_text(
        "version: 1\ninclude: more.yaml\nroutes: [{name: a, match: GET /, serve: retired}]\n"
    )
    (tmp_path / "more.yaml").write_text("routes: 1\n")
    with pytest.raises(ConfigError) as caught:
        load(Path("routes.yaml"), {})
    assert of(caught) == ["more.yaml:1:9: routes: must be a list"]
    (tmp_path / "more.yaml").write_text("routes: []\n")
    assert load(Path("routes.yaml"), {}).estate.routes[0].place == Place("routes.yaml", 3, 10)


def test_an_overlay_stands_for_what_is_on_disk(tmp_path: Path) -> None:
    """A change is checked before it is written."""
    path = tmp_path / "routes.yaml"
    path.write_text("version: 1\n")
    assert (
        load(path, {}, {path: b"version: 1\nroutes: [{name: a, match: GET /, serve: retired}]\n"}).estate.routes[0].name
        == "a"
    )
    assert load(path, {}).estate.routes == ()


def test_the_digest_names_the_content(tmp_path: Path) -> None:
    """The same bytes have the same digest, on every replica; one byte more has another."""
    first, again = estate(tmp_path, "version: 1\n").digest, estate(tmp_path, "version: 1\n").digest
    assert first == again
    assert len(first) == 16
    assert estate(tmp_path, "version: 1 \n").digest != first


@pytest.mark.parametrize("size", range(0, len(REALISTIC), 7))
def test_every_truncation_is_an_estate_or_problems(tmp_path: Path, size: int) -> None:
    """Half a file never makes the loader fail in another way than by listing problems."""
    assert _outcome(tmp_path, REALISTIC.encode()[:size]) is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(REALISTIC)), st.integers(0, 30), st.text("{}[]:,-&*!|>'\"%#@ \n\t~0aé", max_size=6))
def test_every_small_damage_is_an_estate_or_problems(tmp_path: Path, at: int, cut: int, put: str) -> None:
    """A slip of the keyboard anywhere gives an estate or problems with places, never another error."""
    _outcome(tmp_path, (REALISTIC[:at] + put + REALISTIC[at + cut :]).encode())


def _outcome(folder: Path, data: bytes) -> Loaded | ConfigError:
    path = folder / "routes.yaml"
    path.write_bytes(data)
    try:
        return load(path, {})
    except ConfigError as error:
        found = error
    assert found.problems
    assert all(isinstance(problem, Problem) and problem.place for problem in found.problems)
    return found


def test_ten_thousand_routes_load_in_time(tmp_path: Path) -> None:
    """A large estate loads in 3 seconds; the bound here leaves room for a busy machine."""
    entry = """\
  - name: r{0}
    match: GET /s{0}/{{id}}
    legacy: a
    new: {{backend: a, path: "/v2/{{id}}"}}
    serve: 5% new
"""
    text = 'version: 1\nbackends: {a: {url: "http://a"}}\nroutes:\n' + "".join(entry.format(at) for at in range(10_000))
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    started = time.process_time()
    assert len(load(path, {}).estate.routes) == 10_000
    assert time.process_time() - started < 6.0
