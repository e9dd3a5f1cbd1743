"""The differential test itself: on a corpus of one, and on what it must be able to tell."""

import json
from pathlib import Path

import pytest

from benchmarks import differential
from benchmarks.differential import Tried, cause_of, exclusions, failures, share
from benchmarks.legs import LEGS, Outcome, first_difference, outcomes
from benchmarks.soap import RECORDS


def test_an_operation_holds_on_every_leg(tmp_path: Path) -> None:
    """There and back, valid, and as zeep reads it: nothing fails, nothing is left out."""
    path = tmp_path / "records.wsdl"
    path.write_text(RECORDS)
    found = list(outcomes(path, tmp_path))
    assert [(each.operation, each.leg, each.failure, each.excluded) for each in found] == [
        ("Records.Exchange", leg, None, None) for leg in LEGS
    ]
    assert all(each.values >= 10 for each in found)


def corpus(folder: Path, **files: str) -> Path:
    (folder / "open" / "someone").mkdir(parents=True)
    for name, text in files.items():
        (folder / "open" / "someone" / name).write_text(text)
    index = "\n".join(json.dumps({"file": f"someone/{name}"}) for name in files)
    (folder / "INDEX.jsonl").write_text(index)
    return folder


def test_it_goes_through_a_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is tried in its time; one that does not load is counted, and is no failure."""
    here = corpus(tmp_path, good=RECORDS, bad="<oops/>")
    assert differential.main(["--corpus", str(here), "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "1 of 1; 0 excluded" in said
    assert "WSDLs not loaded" in said


@pytest.mark.parametrize(("ci", "expected"), [("true", 1), ("", 0)])
def test_without_a_corpus_it_says_so(
    ci: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The corpus is not part of the project: where it is absent nothing is tried, which only CI takes amiss."""
    monkeypatch.setenv("CI", ci)
    assert differential.main(["--corpus", str(tmp_path)]) == expected
    assert capsys.readouterr().out.startswith("There is no corpus at ")


def test_a_wsdl_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file cannot hold up the others; it is told with the time that it had."""

    def endless(*_: object) -> None:
        while True:
            pass

    monkeypatch.setattr(differential, "outcomes", endless)
    monkeypatch.setattr("logging.disable", lambda: None)
    assert differential.tried("someone/slow.wsdl", tmp_path, 1).broken == "took more than 1 s"


def test_shares_count_what_a_leg_can_judge() -> None:
    """Two held, one failed, one was excluded: two of three."""
    leg = LEGS[0]
    found = [
        Outcome("a", leg, 3),
        Outcome("b", leg, 4),
        Outcome("c", leg, 0, failure="/x: 1 came back as 2"),
        Outcome("d", leg, 0, excluded="nothing in its messages"),
    ]
    finding = share(leg, found)
    assert round(finding.value, 1) == 66.7
    assert not finding.ok
    assert finding.note == "2 of 3; 1 excluded; 7 values"
    assert list(exclusions(found)) == [f"excluded from '{leg}': 1 operations: nothing in its messages"]


def test_failures_that_are_alike_are_told_once() -> None:
    """The first of its kind is shown, with how many there are."""
    alike = [Outcome(f"Op{n}", LEGS[0], 0, failure=f"input: /lines/{n}: 'x' came back as 'y'") for n in range(3)]
    (told,) = failures([Tried("a.wsdl", tuple(alike))])
    assert told == "failed 'there and back': 3 operations: a.wsdl Op0: input: /lines/0: 'x' came back as 'y'"


def test_causes_are_without_what_is_peculiar() -> None:
    """Names and namespaces are left out, so that causes can be counted."""
    assert cause_of("The element '{urn:x}y' is {urn:z}w, see 'it") == "The element ... is ...w, see ..."


def test_the_first_difference_is_found_deep_inside() -> None:
    """A pointer leads to it."""
    assert first_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == "/a/1/b: 2 came back as 3"
    assert first_difference({"a": 1}, {"c": 1}) == "/: {'a': 1} came back as {'c': 1}"
