"""Brings the front-end libraries of the operator's pages into gateway/admin/static/vendor, so that nothing is built or
fetched where Banyan is installed.

    npm ci --prefix deploy/vendor --ignore-scripts && python deploy/vendor/vendor.py        # make vendor

The libraries are taken as they were published, with one exception: govuk-frontend's styles come with a typeface and a
crest that only GOV.UK may use, and both are left out. VERSIONS.json says what is there and with which digests. Standard
library only. For newer versions change package.json, and before the above renew its lock, without registries' names:

    npm install --prefix deploy/vendor --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
"""

import gzip
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
TO = HERE.parents[1] / "gateway" / "admin" / "static" / "vendor"
FONTS = "GDS Transport,arial,sans-serif"
PLAIN_FONTS = "arial,helvetica,sans-serif"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FONT_FACE = re.compile(r"@font-face\{[^{}]*\}")
FETCHING_RULE = re.compile(r"[^{};]*\{[^{}]*url\([^{}]*\}")
EMPTY_GROUP = re.compile(r"@[^{};]*\{\}")
SPDX = {"BSD-0-Clause": "0BSD"}  # what packages say where SPDX has another name
FREE = {"0BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"}


class Library(NamedTuple):
    """One package: the files taken from it, each by its name here, and where its licence's text is."""

    package: str
    files: dict[str, str]
    licence: Path

    @property
    def folder(self) -> Path:
        return HERE / "node_modules" / self.package


LIBRARIES = (
    # Its package says MIT and leaves the text to its repository.
    Library("govuk-frontend", {"govuk.css": "dist/govuk/govuk-frontend.min.css"}, HERE / "govuk-frontend.LICENCE"),
    Library("htmx.org", {"htmx.min.js": "dist/htmx.min.js"}, HERE / "node_modules/htmx.org/LICENSE"),
    Library(
        "uplot",
        {"uplot.min.js": "dist/uPlot.iife.min.js", "uplot.min.css": "dist/uPlot.min.css"},
        HERE / "node_modules/uplot/LICENSE",
    ),
)


def plain_css(css: str) -> str:
    """GOV.UK's minified styles in fonts that everybody has, and without a rule that would fetch something.

    Comments go too: they are about that typeface and a source map. Raises SystemExit when something is left.
    """
    css = FONT_FACE.sub("", COMMENT.sub("", css)).replace(FONTS, PLAIN_FONTS)
    css = FETCHING_RULE.sub("", css)
    while (fewer := EMPTY_GROUP.sub("", css)) != css:
        css = fewer
    if left := re.search(r"GDS Transport|@font-face|@import|url\(", css):
        sys.exit(f"govuk-frontend's styles still have {left[0]!r}: teach {Path(__file__).name} about it.")
    return css.strip() + "\n"


def content(library: Library, path: str) -> bytes:
    """One file of a package, as it is served."""
    found = (library.folder / path).read_bytes()
    return plain_css(found.decode()).encode() if library.package == "govuk-frontend" else found


def facts(library: Library) -> dict[str, str]:
    """Name, version and licence. Raises SystemExit for another version than the pinned, or a licence not known free."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"][library.package]
    try:
        package = json.loads((library.folder / "package.json").read_text())
    except FileNotFoundError:
        sys.exit(f"{library.package} is not installed: run `make vendor`.")
    if package["version"] != wanted:
        sys.exit(f"{library.package} {package['version']} is installed, not {wanted}: run `make vendor`.")
    licence = SPDX.get(package["license"], package["license"])
    if licence not in FREE:
        sys.exit(f"{library.package} has licence {licence}, which is none of {', '.join(sorted(FREE))}.")
    return {"name": library.package, "version": wanted, "licence": licence}


def collected() -> dict[str, bytes]:
    """All that is to be written, by its path below the vendor folder."""
    found: dict[str, bytes] = {}
    versions = []
    for library in LIBRARIES:
        told = facts(library)
        files = {name: content(library, path) for name, path in library.files.items()}
        files[f"LICENCES/{library.package}.txt"] = library.licence.read_bytes()
        versions.append({**told, "sha256": {name: hashlib.sha256(each).hexdigest() for name, each in files.items()}})
        found |= files
    return found | {"VERSIONS.json": (json.dumps(versions, indent=2) + "\n").encode()}


def main() -> None:
    files = collected()
    shutil.rmtree(TO, ignore_errors=True)
    (TO / "LICENCES").mkdir(parents=True)
    for name, each in files.items():
        (TO / name).write_bytes(each)
        print(f"{name:30}{len(each):>9,} bytes{len(gzip.compress(each, mtime=0)):>9,} gzipped")


if __name__ == "__main__":
    main()
