"""Endpoints as routes to paste."""

import re

from gateway.core.discovering import Endpoint, proposals

AT = 1_795_874_580.0
"""28 November 2026, 14:03 UTC."""


def endpoint(method: str, template: str, requests: int = 10, errors: int = 0) -> Endpoint:
    return Endpoint(method, template, requests, errors, AT - 60, AT)


def names(*endpoints: Endpoint) -> list[str]:
    return re.findall(r"- name: (.*)", proposals(endpoints, "office"))


def test_routes_to_paste() -> None:
    """Most used first, each with what is known of its use."""
    found = [endpoint("POST", "/housing/repairs", 1), endpoint("GET", "/housing/repairs/{repair}", 12_345, 67)]
    assert proposals(found, "housing-legacy") == (
        "  # 12,345 requests, 67 failed, last seen 2026-11-28 14:03 UTC\n"
        "  - name: housing-repair\n"
        "    match: GET /housing/repairs/{repair}\n"
        "    legacy: housing-legacy\n"
        "\n"
        "  # 1 request, last seen 2026-11-28 14:03 UTC\n"
        "  - name: housing-repairs-post\n"
        "    match: POST /housing/repairs\n"
        "    legacy: housing-legacy\n"
    )


def test_a_host() -> None:
    """A route beside a catch-all that names a host names it, too: it would not be asked otherwise."""
    assert '    match: {method: GET, host: "api.example.org", path: "/a/{id}"}\n' in proposals(
        [endpoint("GET", "/a/{id}")], "office", host="api.example.org"
    )


def test_little_used() -> None:
    """What came by once or twice may be left out."""
    assert proposals([endpoint("GET", "/a", 2)], "office", least=3) == ""


def test_names() -> None:
    """They can be read, tell methods apart, and are those of no other route."""
    found = names(
        endpoint("GET", "/housing/slots/{date}", 9),
        endpoint("GET", "/housing/tenants/{tenant_name}/contacts", 8),
        endpoint("PUT", "/v1/register/{postcode}/{name}", 7),
        endpoint("GET", "/Services/Rents.asmx", 6),
        endpoint("GET", "/", 5),
        endpoint("GET", "/{id}", 4),
        endpoint("GET", "/true", 3),
        endpoint("GET", "/24-hours/%24all", 2),
        endpoint("GET", "/council-taxes/{council_tax}", 1),
    )
    assert found == [
        "housing-slots-by-date",
        "housing-tenant-contacts",
        "v1-register-by-postcode-by-name-put",
        "services-rents.asmx",
        "root",
        "by-id",
        "route-true",
        "route-24-hours-all",
        "council-tax",
    ]


def test_names_are_unique() -> None:
    """Also where templates differ by what names leave out; and none is longer than a name may be."""
    assert names(endpoint("GET", "/a"), endpoint("GET", "/a/"), endpoint("GET", "/A")) == ["a", "a-2", "a-3"]
    assert "- name: a-2\n" in proposals([endpoint("GET", "/a")], "office", taken={"a"})
    assert max(map(len, names(endpoint("PROPFIND", "/abcdefghi" * 30), endpoint("PROPFIND", "/abcdefghi" * 31)))) <= 100


def test_backends_whose_names_yaml_would_misread() -> None:
    """They are quoted."""
    assert 'legacy: "1.5"' in proposals([endpoint("GET", "/a")], "1.5")
    assert 'legacy: "null"' in proposals([endpoint("GET", "/a")], "null")
