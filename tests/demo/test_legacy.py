"""The monolith's own habits; what it answers is compared with its replacements in their tests."""

from gateway.demo import legacy
from gateway.demo.rents_soap import NAMESPACE
from tests.demo.support import visiting


async def test_a_report_is_answered_as_if_the_world_knew_the_monoliths_host() -> None:
    """Location and cookie name the monolith's own host: work for a gateway."""
    async with visiting(legacy.back_office()) as client:
        host = f"{client.host}:{client.port}"
        report, cookie = {"fault": "tap", "room": "hall"}, {"Cookie": "tenancy=T100042"}
        async with client.post("/housing/repairs", json=report, headers=cookie) as response:
            id = (await response.json())["id"]
            assert f"http://{host}/housing/repairs/{id}" == response.headers["Location"]
            expected = f"last_report={id}; Domain={client.host}; Path=/housing"
            assert expected == response.headers["Set-Cookie"]


async def test_old_pages_and_letters_are_html() -> None:
    """Whatever else is asked for below /housing is a page, with its name made harmless."""
    async with visiting(legacy.back_office()) as client:
        for path, title in {
            "/housing/": "home",
            "/housing/a/%3Cb%3E": "a &lt;b&gt;",
            "/letters/T100042": "Letter T100042",
        }.items():
            async with client.get(path) as response:
                assert response.content_type == "text/html"
                assert f"<h1>{title}</h1>" in await response.text()


async def test_the_wsdl_is_there_in_any_spelling() -> None:
    """?wsdl and ?WSDL describe the service; without it there is a hint."""
    async with visiting(legacy.back_office()) as client:
        for query in ("wsdl", "WSDL"):
            async with client.get(f"/services/Rents.asmx?{query}") as response:
                text = await response.text()
                assert response.content_type == "text/xml"
                assert NAMESPACE in text
                assert f"http://{client.host}:{client.port}/services/Rents.asmx" in text
        async with client.get("/services/Rents.asmx") as response:
            assert response.status == 405
            assert "?wsdl" in await response.text()


async def test_a_tenancy_is_shown_by_its_id() -> None:
    """Tenancies are still the monolith's alone."""
    async with visiting(legacy.back_office()) as client:
        async with client.get("/housing/tenancies/T100042") as response:
            assert (await response.json())["account"] == "RA100042"
        async with client.get("/housing/tenancies/nobody") as response:
            assert response.status == 404
