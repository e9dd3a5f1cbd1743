"""The documents that front ends are promised."""

import pytest

from gateway.demo import contract


def test_documents_name_what_was_asked_for() -> None:
    """An answer can be told from an answer to another question."""
    assert contract.repair_list("T100001") == {
        "tenancy": "T100001",
        "repairs": [_listed(f"R100001-{nth + 1}") for nth in range(len(_repairs("T100001")))],
    }
    assert [line["code"] for line in (contract.charges("RA100001") or {})["charges"]] == ["RENT", "SERV", "WATR"]
    assert set(contract.balance("RA100001") or {}) == {"account", "as_at", "balance"}
    assert (contract.tenancy("T100001") or {})["account"] == "RA100001"


@pytest.mark.parametrize("report", [None, [], "text", {}, {"fault": "tap"}, {"fault": 1, "room": "hall"}])
def test_a_report_that_says_too_little_is_none(report: object) -> None:
    """A report needs a fault and a room, both as text."""
    assert contract.reported("T100001", report) is None


def test_what_does_not_exist_has_no_document() -> None:
    """Unknown ids and empty searches are None, for the HTTP side to answer."""
    found = (
        contract.repair_list("x"),
        contract.repair("x"),
        contract.tenancy("x"),
        contract.balance("x"),
        contract.charges("x"),
        contract.tenancies_found({"street": ""}),
        contract.reported("x", {"fault": "tap", "room": "hall"}),
    )
    assert found == (None,) * 7


def _listed(id: str) -> dict[str, object]:
    """A repair as a list has it: without who has to come."""
    document = contract.repair(id)
    assert document is not None
    assert document.pop("trades")
    return document


def _repairs(tenancy: str) -> list[object]:
    document = contract.repair_list(tenancy)
    assert document is not None
    return list(document["repairs"])
