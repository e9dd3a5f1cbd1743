"""What is written about SOAP backends and their calls, as far as it can be judged without their WSDL."""

from pathlib import Path

import pytest

from tests.config.loans import CALLS, FACES, WSDL, frame, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loans.wsdl").write_text(WSDL, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wsdl", "x.wsdl"),
        ("port", "Old"),
        ("wsdl_root", ".."),
        ("values", "{text: plain}"),
        ("addressing", "true"),
        ("mtom", "true"),
    ],
)
def test_what_belongs_to_soap_is_refused_elsewhere(folder: Path, key: str, value: str) -> None:
    """An HTTP backend has no WSDL."""
    text = f'version: 1\nbackends: {{a: {{url: "http://127.0.0.1:1", {key}: {value}}}}}\nroutes: []\n'
    assert told(folder, text) == [f"backend a: `{key}` belongs to a backend of `type: soap`"]


def test_a_soap_backend_needs_its_wsdl(folder: Path) -> None:
    """A file that can be read and compiled."""
    text = 'version: 1\nbackends: {a: {url: "http://127.0.0.1:1", type: soap}}\nroutes: []\n'
    assert told(folder, text) == ["backend a: a backend of `type: soap` needs its `wsdl`"]
    (folder / "loans.wsdl").write_text("<no", encoding="utf-8")
    (message,) = told(folder, frame("", CALLS))
    assert message.startswith("backend loans: wsdl: ")
    assert told(folder, frame("", FACES)) == [message]
