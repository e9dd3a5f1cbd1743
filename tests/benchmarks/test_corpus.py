"""Loading a corpus of WSDLs."""

import json
import socket
from pathlib import Path

import pytest

from benchmarks import corpus
from benchmarks.corpus import Outcome, main, told
from tests.connectors.soap.wsdls import put, wsdl

SHARED = Path(__file__).resolve().parents[3] / "shared" / "wsdl"


def made(folder: Path) -> Path:
    """A corpus of three WSDLs."""
    put(folder, wsdl(), "open/a/rents.wsdl")
    put(folder, "<a/>", "open/a/odd.wsdl")
    put(folder, wsdl(messages=""), "open/b/poor.wsdl")
    names = ("a/rents.wsdl", "a/odd.wsdl", "b/poor.wsdl")
    put(folder, "\n".join(json.dumps({"file": name}) for name in names), "INDEX.jsonl")
    return folder


def test_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each WSDL that does not load is listed with its reason; too few is a failure."""
    monkeypatch.setattr(corpus, "REQUIRED", 1)
    out = tmp_path / "out.json"
    assert main(["--corpus", str(made(tmp_path)), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "loaded 1 of 3" in text
    assert "a/odd.wsdl\n    odd.wsdl is not a WSDL 1.1 file" in text
    assert [each["reason"] is None for each in json.loads(out.read_text())] == [False, True, False]
    monkeypatch.setattr(corpus, "REQUIRED", 2)
    assert main(["--corpus", str(tmp_path)]) == 1
    assert main(["--corpus", str(tmp_path), "--only", "rents"]) == 0


def test_no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a corpus nothing is loaded; in CI that is a failure."""
    monkeypatch.delenv("CI", raising=False)
    assert main(["--corpus", str(tmp_path)]) == 0
    monkeypatch.setenv("CI", "true")
    assert main(["--corpus", str(tmp_path)]) == 1


def test_hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A WSDL that does not come to an end is given up."""
    monkeypatch.setattr(corpus, "LONGEST", 0.01)
    assert main(["--corpus", str(made(tmp_path)), "--limit", "1"]) == 0
    assert "did not come to an end" in capsys.readouterr().out


def test_guard(tmp_path: Path) -> None:
    """While a WSDL loads, sockets raise, and files outside its root are told."""
    inside, outside = put(tmp_path, "", "root/a"), put(tmp_path, "", "b")
    guard = corpus.Guard()
    guard.watch(tmp_path / "root")
    inside.read_bytes()
    outside.read_bytes()
    with pytest.raises(PermissionError, match="no sockets"):
        socket.socket()
    assert guard.done() == ("opened b outside its root", "used a socket (socket.__new__)")
    outside.read_bytes()
    assert guard.done() == ("opened b outside its root", "used a socket (socket.__new__)")


def test_told() -> None:
    """What was done that must not be is told, though the WSDL loaded."""
    assert "a\n    FORBIDDEN: it opened b" in told([Outcome("a", 1.0, forbidden=("opened b",))], 2.0)


@pytest.mark.skipif(not SHARED.exists(), reason="there is no corpus of WSDLs beside the project")
def test_some_of_the_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    """Real WSDLs load: those of a ministry's case service, imports and all."""
    assert main(["--corpus", str(SHARED), "--only", "CCMS/CaseManagement", "--limit", "3"]) == 0
    assert "loaded 3 of 3" in capsys.readouterr().out
