"""WSDLs of routes.yaml: loaded once, taken again when they change, and seen as the file says."""

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigError
from tests.config.files import estate, loaded
from tests.config.loans import CALLS, FACES, WSDL, call_of, frame, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "loans.wsdl").write_text(WSDL, encoding="utf-8")
    return tmp_path


def test_the_port_chooses_the_version(folder: Path) -> None:
    """A port that is named is taken, whatever its version."""
    assert call_of(estate(folder, frame(", port: Old", CALLS))).operation.version == "1.1"


ASKS = '<w:UsingAddressing xmlns:w="http://www.w3.org/2006/05/addressing/wsdl"/>'


@pytest.mark.parametrize(
    ("wsdl", "given", "expected"),
    [
        (WSDL, "", ""),
        (WSDL, ", addressing: true", "http://www.w3.org/2005/08/addressing"),
        (WSDL, ", addressing: 2004/08", "http://schemas.xmlsoap.org/ws/2004/08/addressing"),
        (WSDL.replace("<soap12:binding", f"{ASKS}<soap12:binding"), "", "http://www.w3.org/2005/08/addressing"),
        (WSDL.replace("<soap12:binding", f"{ASKS}<soap12:binding"), ", addressing: false", ""),
    ],
)
def test_calls_are_addressed_as_the_wsdl_or_the_file_says(folder: Path, wsdl: str, given: str, expected: str) -> None:
    """The file has the last word; the message goes to the address of the WSDL."""
    (folder / "loans.wsdl").write_text(wsdl, encoding="utf-8")
    call = call_of(estate(folder, frame(given, CALLS)))
    assert (call.operation.addressing.namespace, call.to) == (expected, "http://127.0.0.1:1/Loans")
    assert call.document().get("addressing", "") == expected


def test_there_is_no_other_version_of_addressing(folder: Path) -> None:
    """What may be written is told."""
    expected = "backend loans: addressing: '2003/03' says nothing about WS-Addressing; write true, false or 2004/08"
    assert told(folder, frame(", addressing: 2003/03", CALLS))[0] == expected
    assert "write true, false or 2004/08" in told(folder, frame(", addressing: 1", CALLS))[0]


def test_a_wsdl_is_loaded_once_and_again_when_it_changed(folder: Path) -> None:
    """Reloads of routes.yaml do not wait for it."""
    first = estate(folder, frame("", CALLS))
    (folder / "loans.wsdl").write_text(WSDL.replace("urn:loans/list", "urn:loans/all"), encoding="utf-8")
    assert call_of(first).operation.action == "urn:loans/list"
    assert call_of(estate(folder, frame("", CALLS))).operation.action == "urn:loans/all"


def test_few_wsdls_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of estates that came and went do not pile up."""
    kept: dict[Any, Any] = {}
    monkeypatch.setattr("gateway.config.wsdls._loaded", kept)
    monkeypatch.setattr("gateway.config.wsdls._KEPT", 1)
    estate(folder, frame("", CALLS))
    (folder / "more.wsdl").write_text(WSDL, encoding="utf-8")
    estate(folder, frame("", CALLS).replace("loans.wsdl", "more.wsdl"))
    assert [path.name for path, _ in kept] == ["more.wsdl"]


def test_a_wsdl_that_is_gone_is_told(folder: Path) -> None:
    """What was loaded before does not hide it."""
    estate(folder, frame("", CALLS))
    (folder / "loans.wsdl").unlink()
    (message,) = told(folder, frame("", CALLS))
    assert message.startswith("backend loans: wsdl: ")


def test_values_may_have_other_forms(folder: Path) -> None:
    """What a backend says of the form of values is written into the plan of its operations."""
    found = estate(folder, frame(", values: {arrays: plain, timezone: Europe/London}", FACES))
    plans = found.backends[0].types.types
    assert [each.plain for each in plans] == [None, None]
    assert told(folder, frame(", values: {timezone: Europe/Loondon}", CALLS)) == [
        "backend loans: values.timezone: 'Europe/Loondon' is no time zone that is known here; write Europe/London"
    ]


def test_a_wsdl_is_part_of_the_configuration(tmp_path: Path) -> None:
    """The documents of a WSDL are told as read, and their content counts in the digest."""
    path = tmp_path / "loans.wsdl"
    path.write_text(WSDL, encoding="utf-8")
    first = loaded(tmp_path, frame("", CALLS))
    assert first.beside == ((path, WSDL.encode()),)
    path.write_text(WSDL + "<!-- more -->", encoding="utf-8")
    second = loaded(tmp_path, frame("", CALLS))
    assert first.files == second.files
    assert first.estate.digest != second.estate.digest


def test_a_broken_wsdl_is_told_by_its_path(tmp_path: Path) -> None:
    """Whoever waits for the configuration to be mended knows which files to look at."""
    path = tmp_path / "loans.wsdl"
    path.write_text("<broken", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, frame("", CALLS))
    assert caught.value.beside == (path,)
