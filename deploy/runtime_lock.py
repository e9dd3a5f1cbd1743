"""The part of requirements.lock that some packages need, with its hashes: by default what Banyan needs to run, with
either database and OpenTelemetry.

    python deploy/runtime_lock.py > runtime.lock             # without tests, linters and build tools
    python deploy/runtime_lock.py hatchling > build.lock

The lock says of each package who asked for it (`# via`), so the packages wanted lead to all that they need. Standard
library only: it runs before anything is installed.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(requirement: str) -> str:
    """The name at the start of a requirement, as package indexes spell it (PEP 503)."""
    found = NAME.match(requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def entries(lock: str) -> dict[str, str]:
    """Each package's lines of the lock, by name."""
    found = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {canonical(entry): entry for entry in found if entry.strip()}


def askers(entry: str) -> set[str]:
    """Who asked for a package: the comment at the end of its lines."""
    _, _, told = entry.partition("# via")
    return {canonical(line.strip(" #")) for line in told.splitlines()}


def wanted(lock: str, roots: set[str]) -> str:
    """The entries of these packages, and of all that they lead to. Raises SystemExit when one is not in the lock."""
    all_entries = entries(lock)
    if missing := sorted(roots - all_entries.keys()):
        sys.exit(f"requirements.lock does not have {', '.join(missing)}; run `make lock`.")
    found: set[str] = set()
    more = set(roots)
    while more:
        found |= more
        more = {name for name, entry in all_entries.items() if askers(entry) & found} - found
    return "".join(entry for name, entry in all_entries.items() if name in found)


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    needed = [*project["dependencies"], *optional["postgres"], *optional["otlp"]]
    roots = {canonical(each) for each in sys.argv[1:] or needed}
    print(wanted((ROOT / "requirements.lock").read_text(), roots), end="")


if __name__ == "__main__":
    main()
