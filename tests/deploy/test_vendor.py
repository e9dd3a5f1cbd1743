"""The front-end libraries that are shipped: whole, free to be shipped, small, and fetching nothing from anywhere."""

import gzip
import hashlib
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import ROOT

SCRIPT = runpy.run_path(str(ROOT / "deploy" / "vendor" / "vendor.py"))
VENDOR: Path = SCRIPT["TO"]
LIBRARIES: list[dict[str, Any]] = json.loads((VENDOR / "VERSIONS.json").read_text())
SERVED = sorted(path for path in VENDOR.iterdir() if path.suffix in {".css", ".js"})
LOCKS = sorted(path for path in ROOT.glob("*/**/package-lock.json") if "node_modules" not in path.parts)
LIMIT = 75_000

# Two texts that nobody fetches: a comment, and what a style asks of the links that it is for ([href^="http://"]).
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SELECTOR = re.compile(r'\[\w+\^="[^"]*"\]')
# With a scheme, or two slashes and a name after a quote, a bracket or a blank.
ADDRESS = re.compile(r"\b(?:https?|wss?|ftp):|[\"'`(\s]//\w", re.IGNORECASE)


def addresses(text: str) -> list[str]:
    """What could be fetched from elsewhere: an address, or the beginning of one.

    What stands between /* and */ is left out, also where a string were to open it; so only one such may be there, which
    is the banner of uPlot's script, or a remark in its styles.
    """
    assert len(COMMENT.findall(text)) <= 1
    return [match[0] for match in ADDRESS.finditer(SELECTOR.sub("", COMMENT.sub("", text)))]


def test_every_file_is_the_one_that_was_vendored() -> None:
    """An edit by hand, a missing file and one too many are noticed: VERSIONS.json has the digest of each."""
    expected = {name: digest for library in LIBRARIES for name, digest in library["sha256"].items()}
    actual = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VERSIONS.json"
    }
    assert expected == actual


def test_what_is_shipped_is_what_is_pinned() -> None:
    """Who moves a version also runs `make vendor`, and who moves the package file also moves its lock."""
    pinned = json.loads((ROOT / "deploy/vendor/package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "deploy/vendor/package-lock.json").read_text())["packages"]
    assert pinned == {library["name"]: library["version"] for library in LIBRARIES}
    assert pinned == {name: locked[f"node_modules/{name}"]["version"] for name in pinned}
    assert locked.keys() == {"", *(f"node_modules/{name}" for name in pinned)}


def test_every_library_may_be_shipped() -> None:
    """Its licence asks for no more than to be passed on, and its text stands beside it."""
    for library in LIBRARIES:
        assert library["licence"] in {"MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause"}
        text = (VENDOR / "LICENCES" / f"{library['name']}.txt").read_text()
        assert "Permission" in text
        assert "WARRANTIES" in text
        assert library["licence"] == "0BSD" or "Copyright" in text


@pytest.mark.parametrize("path", SERVED, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path: Path) -> None:
    """An operator's browser needs no other address than the gateway's, and the gateway no image or font."""
    text = path.read_text()
    assert addresses(text) == []
    assert "sourceMappingURL" not in text
    if path.suffix == ".css":
        assert re.findall(r"\b(?:url|src|image-set)\(|@import", text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/*! https://example.org/ */var a=1", []),
        ('fetch("https://example.org/")', ["https:"]),
        ("new WebSocket(`wss:`+a)", ["wss:"]),
        ("a{background:url(//example.org/a.png)}", ["(//e"]),
        ("b.src='//example.org/b.js'", ["'//e"]),
        ("fetch('https:'+'//'+a)", ["https:"]),
        ('[href^="http://"].a:after{content:""}', []),
        ("return a/b//c", []),
    ],
)
def test_an_address_is_found_wherever_it_could_be_fetched(text: str, found: list[str]) -> None:
    """With or without a scheme, but not in a comment or a selector."""
    assert found == addresses(text)


def test_the_typeface_and_the_crest_of_gov_uk_are_not_shipped() -> None:
    """Only GOV.UK may use them: no rule asks for either."""
    css = (VENDOR / "govuk.css").read_text()
    assert re.findall(r"@font-face|GDS Transport|crest", css) == []
    assert {"arial,helvetica,sans-serif", "sans-serif"} == set(re.findall(r"font-family:([^;}]*)", css))


def test_only_what_would_fetch_is_taken_out_of_the_styles() -> None:
    """The rules around it stay, and a group is left out when nothing stays in it."""
    before = (
        '@charset "UTF-8";/*! a typeface */@font-face{font-family:GDS Transport;src:url(/a.woff2)}'
        ".a{font-family:GDS Transport,arial,sans-serif}@media print{.b{color:#000}.c:before{background:url(/c.svg)}}"
        "@supports (x:y){@media screen{.d,.e{mask-image:url(/c.svg)}}}.f{margin:0}/*# sourceMappingURL=a.map */"
    )
    after = '@charset "UTF-8";.a{font-family:arial,helvetica,sans-serif}@media print{.b{color:#000}}.f{margin:0}\n'
    assert after == SCRIPT["plain_css"](before)


@pytest.mark.parametrize("css", [".a{font:700 1rem GDS Transport}", "@import 'a.css';.a{margin:0}"])
def test_styles_that_cannot_be_made_plain_are_refused(css: str) -> None:
    """A later version that asks for the typeface or another file in a new way is noticed when it is vendored."""
    with pytest.raises(SystemExit, match="still have"):
        SCRIPT["plain_css"](css)


def test_a_page_stays_small() -> None:
    """All libraries together cross the wire in less than 75 kB."""
    assert 0 < sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in SERVED) < LIMIT


def test_no_lock_names_a_registry() -> None:
    """`npm ci` asks the registry that is set up where it runs, and takes only what has the locked digest."""
    assert LOCKS
    for path in LOCKS:
        packages = json.loads(path.read_text())["packages"]
        assert "://" not in path.read_text()
        assert all("integrity" in package for name, package in packages.items() if name)
