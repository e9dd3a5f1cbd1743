"""The legacy housing back office of an invented council: one monolith with repairs, tenancies, rents, pages and SOAP.

It behaves as such systems do: slower than what replaces it, sure that the world knows it by its own host name
(`Location` and cookie domain of an answer are absolute), and older in its habits.
"""

from html import escape

from aiohttp import web

from gateway.demo import contract, rents_soap
from gateway.demo.council import COUNCIL
from gateway.demo.serving import application, document, json_body, soap, stamped, tenancy_of

THINK = 0.008


def back_office() -> web.Application:
    """The whole monolith."""
    app = application("legacy", THINK)
    app.add_routes(
        [
            web.get("/housing/repairs", list_repairs),
            web.post("/housing/repairs", report_repair),
            web.get("/housing/repairs/{id}", show_repair),
            web.get("/housing/tenancies/{id}", show_tenancy),
            web.post("/housing/tenancies/search", search_tenancies),
            web.get("/rents/{account}/balance", show_balance),
            web.get("/rents/{account}/charges", show_charges),
            web.get("/services/Rents.asmx", describe_soap),
            web.post("/services/Rents.asmx", soap),
            web.get("/letters/{id}", show_letter),
            web.get("/housing/{page:.*}", show_page),
        ]
    )
    return app


SERVICES = {"housing-legacy": back_office}
"""Backends of routes.yaml that this module serves."""


async def list_repairs(request: web.Request) -> web.Response:
    return document(stamped(contract.repair_list(tenancy_of(request))))


async def show_repair(request: web.Request) -> web.Response:
    return document(stamped(contract.repair(request.match_info["id"])))


async def report_repair(request: web.Request) -> web.Response:
    """Created, at an address and with a cookie that only make sense on the monolith's own host."""
    repair = contract.reported(tenancy_of(request), await json_body(request))
    response = document(repair, missing=400, status=201)
    if repair:
        response.headers["Location"] = f"http://{request.host}/housing/repairs/{repair['id']}"
        response.set_cookie("last_report", repair["id"], domain=request.host.partition(":")[0], path="/housing")
    return response


async def show_tenancy(request: web.Request) -> web.Response:
    return document(contract.tenancy(request.match_info["id"]))


async def search_tenancies(request: web.Request) -> web.Response:
    return document(contract.tenancies_found(await json_body(request)), missing=400)


async def show_balance(request: web.Request) -> web.Response:
    return document(contract.balance(request.match_info["account"]))


async def show_charges(request: web.Request) -> web.Response:
    return document(contract.charges(request.match_info["account"]))


async def describe_soap(request: web.Request) -> web.Response:
    """The WSDL, at ?wsdl in any spelling."""
    if request.query_string.lower() != "wsdl":
        return web.Response(status=405, text="This address speaks SOAP: POST an envelope, or GET ?wsdl.\n")
    wsdl = rents_soap.wsdl(f"http://{request.host}{request.path}")
    return web.Response(body=wsdl, content_type="text/xml", charset="utf-8")


async def show_letter(request: web.Request) -> web.Response:
    return _page(f"Letter {request.match_info['id']}")


async def show_page(request: web.Request) -> web.Response:
    return _page(request.match_info["page"].replace("/", " ").strip() or "home")


def _page(title: str) -> web.Response:
    name = escape(title)
    html = f"<!doctype html><html lang=en><title>{name}</title><h1>{name}</h1><p>{COUNCIL}: housing back office.</html>"
    return web.Response(text=html, content_type="text/html")
