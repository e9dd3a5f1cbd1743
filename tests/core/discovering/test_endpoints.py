"""Rows that were stored, read together."""

from gateway.core.discovering import Endpoint, merged


def row(template: str, requests: int = 1, method: str = "GET", **more: float) -> Endpoint:
    return Endpoint(method, template, requests, **{"errors": 0, "first": 5.0, "last": 5.0, **more})  # type: ignore[arg-type]


def templates(*rows: Endpoint) -> list[str]:
    return [each.template for each in merged(rows)]


def test_rows_of_replicas_add_up() -> None:
    """Counts as sums, times as the earliest and the latest; most used first."""
    assert merged(
        [
            row("/a/{id}", 3, errors=1, first=2.0, last=7.0),
            row("/b", 4),
            row("/a/{id}", 2, errors=1, first=1.0, last=4.0),
            row("/a/{id}", 1, method="POST"),
        ]
    ) == (
        row("/a/{a}", 5, errors=2, first=1.0, last=7.0),
        row("/b", 4),
        row("/a/{a}", 1, method="POST"),
    )


def test_what_is_merged_stays_so() -> None:
    """Reading it once more changes nothing."""
    once = merged([row("/a/{id}/b/{date}"), row("/a/{x}/b/{uuid}"), row("/v1/{name}/c%20d/"), row("/")])
    assert merged(once) == once
    assert {each.template for each in once} == {"/a/{a}/b/{b}", "/v1/{name}/c%20d/", "/"}


def test_words_stored_before_they_were_known_to_be_values() -> None:
    """A replica that saw few of them told them as they are; all rows together tell better."""
    known = [row(f"/tenants/{name}", 3) for name in "smith jones patel khan murphy".split()]  # noqa: SIM905
    assert len(templates(*known)) == 5
    more = [row(f"/tenants/{name}", 3) for name in "gill shah reid cox lloyd morgan ali gray wong chen".split()]  # noqa: SIM905
    assert templates(*known, *more) == ["/tenants/{tenant_name}"]
    assert templates(*known, row("/tenants/{tenant_name}", 40)) == ["/tenants/{tenant_name}"]


def test_words_beside_identifiers_stay_words() -> None:
    """What is done with all repairs is no repair."""
    beside = [row(f"/repairs/{word}", 30) for word in ("open", "overdue", "emergency", "completed", "planned")]
    assert len(templates(row("/repairs/{repair}", 5_000), row("/repairs"), *beside)) == 7
