"""routes.yaml, read and checked whole: an Estate, or every problem found in it, each with its place.

Each backend and route is validated alone, so that one broken entry hides no problem of another; then `rules` looks at
what they are to one another.
"""

import gc
import glob
import os.path
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from gateway.config import compile as compiling
from gateway.config import schema
from gateway.config.binding import bound
from gateway.config.kinds import Spec, is_name
from gateway.config.problems import Problem as Problem
from gateway.config.protecting import with_copies
from gateway.config.routes import RouteSpec
from gateway.config.rules import RULES, Draft
from gateway.config.wording import Entry, findings
from gateway.config.wsdls import documents
from gateway.config.yamlmarks import Document, read
from gateway.core.model import Backend, Estate, Gateway, Place
from gateway.errors import ConfigError

MAX_FILE = 64 * 2**20
S = TypeVar("S", bound=Spec)
_LOOKED_AT_BY_RULES = frozenset(
    {"name", "id", "match", "path", "legacy", "new", "contract", "safe", "sticky", "journey"}
)
_EVIDENCE = frozenset({"shadow", "compare", "ramp", "replay"})
Files = tuple[tuple[Path, bytes], ...]


class Loaded(NamedTuple):
    """An estate, and the files it was read from: the main one first, then those it includes, sorted.

    `beside` are the documents that they refer to: WSDLs and what those import.
    """

    estate: Estate
    files: Files
    beside: Files = ()


def load(path: Path, environ: Mapping[str, str], overlay: Mapping[Path, bytes] | None = None) -> Loaded:
    """The estate that a file and its includes describe; raises ConfigError with all problems.

    `overlay` holds content that stands for that of a file on disk, under the name the file has in `Loaded.files`.
    """
    sources = _Sources(path, environ, overlay or {})
    with _no_collecting():
        documents = sources.documents()
        problems = [*sources.problems, *(problem for document in documents for problem in document.problems)]
        marred = {problem.place for problem in problems}
        checker = _Checker(documents)
        estate = checker.estate()
        problems += [problem for problem in checker.problems if problem.place not in marred]
    if problems:
        order = {document.file: at for at, document in enumerate(documents)}
        raise ConfigError(_in_order(problems, order), [path for path, _ in checker.beside])
    files = tuple(sources.files.items())
    return Loaded(estate._replace(digest=_digest(files + checker.beside)), files, checker.beside)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """The garbage collector finds nothing in a million values that are all in use, and takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _in_order(problems: list[Problem], files: Mapping[str, int]) -> list[Problem]:
    """Problems as a person reads the files, each once."""

    def position(problem: Problem) -> tuple[int, int, int, str]:
        place = problem.place
        return (-1, 0, 0, problem.message) if place is None else (files[place.file], *place[1:], problem.message)

    return sorted(set(problems), key=position)


class _Sources:
    """The files of one configuration, as they are read."""

    def __init__(self, main: Path, environ: Mapping[str, str], overlay: Mapping[Path, bytes]) -> None:
        self.main = main
        self.environ = environ
        self.overlay = overlay
        self.files: dict[Path, bytes] = {}
        self.problems: list[Problem] = []

    def documents(self) -> list[Document]:
        main = self._document(self.main)
        if main is None:
            return []
        included = [self._document(path) for path in included_files(self.main, main.value)]
        return [main, *(document for document in included if document is not None)]

    def _document(self, path: Path) -> Document | None:
        try:
            data = self.overlay[path] if path in self.overlay else _content(path)
        except OSError as error:
            hint = "; `banyan init` writes one to start from" if isinstance(error, FileNotFoundError) else ""
            self.problems.append(Problem(None, f"{path} cannot be read: {error.strerror or error}{hint}"))
            return None
        self.files[path] = data
        return read(data, str(path), self.environ)


def _digest(files: Files) -> str:
    content = sha256()
    for _, data in files:
        content.update(b"%d\n" % len(data) + data)
    return content.hexdigest()[:16]


def _content(path: Path) -> bytes:
    status = path.stat()
    if not path.is_file():
        raise OSError("it is not a file")
    if status.st_size > MAX_FILE:
        raise OSError(f"it is larger than {MAX_FILE // 2**20} MiB")
    return path.read_bytes()


def included_files(main: Path, value: object) -> list[Path]:
    """The files that a main file's `include` names, sorted, each once; the main file itself is never one."""
    patterns = include_patterns(value)
    names = {name for each in patterns for name in glob.glob(each, root_dir=main.parent, recursive=True)}
    paths = sorted(main.parent / name for name in names)
    return [path for path in paths if path.is_file() and os.path.realpath(path) != os.path.realpath(main)]


def include_patterns(value: object) -> list[str]:
    """The `include` of a main file, whatever else is in it."""
    include = value.get("include") if isinstance(value, dict) else None
    patterns = include if isinstance(include, list) else [include]
    return [each for each in patterns if isinstance(each, str) and "\x00" not in each]


class _Checker:
    """Validates and compiles entry by entry, noting problems."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents = documents
        self.problems: list[Problem] = []
        self.backend_places: dict[str, Place] = {}
        self.beside: Files = ()

    def estate(self) -> Estate:
        """What the documents describe, as yet without its digest."""
        frames = [(document, self._frame(document, main=not at)) for at, document in enumerate(self.documents)]
        gateway = self._gateway(*frames[0]) if frames else Gateway()
        backends = [each for document, frame in frames for each in self._backends(document, frame)]
        drafts = [each for document, frame in frames for each in self._drafts(document, frame)]
        for rule in RULES:
            self.problems.extend(rule(drafts, self.backend_places.keys()))
        found, routes = bound(backends, drafts, gateway.decode, self.problems)
        self.beside = documents(backends)
        return Estate(gateway, with_copies(found, drafts, self.problems), routes, "")

    def _frame(self, document: Document, *, main: bool) -> dict[str, Any]:
        """The top of a file; what is wrong with it is noted, and the rest is still looked at."""
        if document.value is None and document.problems:
            return {}
        kind = schema.MainSpec if main else schema.IncludedSpec
        self._valid(kind, document.value, Entry(document, (), ""))
        return document.value if isinstance(document.value, dict) else {}

    def _gateway(self, document: Document, frame: dict[str, Any]) -> Gateway:
        entry = Entry(document, ("gateway",), "gateway")
        value = frame.get("gateway")
        spec = self._valid(schema.GatewaySpec, value, entry) if isinstance(value, dict) else None
        return Gateway() if spec is None else compiling.gateway_of(spec, entry, self.problems)

    def _backends(self, document: Document, frame: dict[str, Any]) -> Iterator[Backend]:
        for name, value in _entries(frame, "backends", dict).items():
            entry = Entry(document, ("backends", name), f"backend {name}")
            place = document.key_place(entry.pointer)
            first = self.backend_places.setdefault(name, place)
            if first != place:
                message = f"another backend has this name ({first}); names are unique"
                self.problems.append(entry.key_problem((), message))
            if not is_name(name):
                message = f"`{name}` may hold only letters, digits, dots, dashes and underscores"
                self.problems.append(entry.key_problem((), message))
            spec = self._valid(schema.BackendSpec, value, entry)
            if spec is not None:
                yield compiling.backend_of(name, spec, entry, self.problems)

    def _drafts(self, document: Document, frame: dict[str, Any]) -> Iterator[Draft]:
        for at, value in enumerate(_entries(frame, "routes", list)):
            name = value.get("name") if isinstance(value, dict) else None
            entry = Entry(document, ("routes", at), f"route {name if isinstance(name, str) else at + 1}")
            spec = self._valid(RouteSpec, value, entry) or _sound_part(value)
            if spec is not None:
                yield Draft(compiling.route_of(spec, entry, self.problems), entry, spec.contract)

    def _valid(self, kind: type[S], value: object, entry: Entry) -> S | None:
        try:
            return kind.model_validate(value)
        except ValidationError as error:
            self.problems.extend(findings(error, kind, entry))
            return None


def _sound_part(value: object) -> RouteSpec | None:
    """A broken route without what is broken, so that the rules can still look at the rest.

    None when a broken key is one that the rules look at: they would complain about what is only misspelt. What says how
    evidence is gathered goes together, for each needs the others.
    """
    try:
        RouteSpec.model_validate(value)
    except ValidationError as error:
        broken = {finding["loc"][0] if finding["loc"] else "" for finding in error.errors()}
        if not isinstance(value, dict) or not broken.isdisjoint(_LOOKED_AT_BY_RULES) or "" in broken:
            return None
        if not broken.isdisjoint(_EVIDENCE):
            broken |= _EVIDENCE | ({"serve"} if value.get("serve") == "ramp" else set())
        return RouteSpec.model_validate({key: each for key, each in value.items() if key not in broken})
    return None


def _entries(frame: dict[str, Any], key: str, kind: type) -> Any:
    value = frame.get(key)
    return value if isinstance(value, kind) else kind()
