"""The services that replace the legacy back office, one endpoint at a time: small and quick.

Their paths are partly their own. They answer as the contract promises, as the legacy system does: that is what makes
a flip safe.
"""

from aiohttp import web

from gateway.demo import contract
from gateway.demo.serving import application, document, json_body, soap, tenancy_of

THINK = 0.002


def housing() -> web.Application:
    """Repairs and tenancies."""
    app = application("new", THINK)
    app.add_routes(
        [
            web.get("/housing/repairs", list_repairs),
            web.post("/housing/repairs", report_repair),
            web.get("/housing/repairs/{id}", show_repair),
            web.post("/housing/tenancies/search", search_tenancies),
        ]
    )
    return app


def rents() -> web.Application:
    """Rent accounts, as REST for new front ends and as SOAP for old ones."""
    app = application("new", THINK)
    app.add_routes(
        [
            web.get("/v2/accounts/{account}/balance", show_balance),
            web.get("/v2/accounts/{account}/charges", show_charges),
            web.post("/soap/rents", soap),
        ]
    )
    return app


SERVICES = {"housing-new": housing, "rents-new": rents}
"""Backends of routes.yaml that this module serves."""


async def list_repairs(request: web.Request) -> web.Response:
    return document(contract.repair_list(tenancy_of(request)))


async def show_repair(request: web.Request) -> web.Response:
    return document(contract.repair(request.match_info["id"]))


async def report_repair(request: web.Request) -> web.Response:
    repair = contract.reported(tenancy_of(request), await json_body(request))
    response = document(repair, missing=400, status=201)
    if repair:
        response.headers["Location"] = f"/housing/repairs/{repair['id']}"
    return response


async def search_tenancies(request: web.Request) -> web.Response:
    return document(contract.tenancies_found(await json_body(request)), missing=400)


async def show_balance(request: web.Request) -> web.Response:
    return document(contract.balance(request.match_info["account"]))


async def show_charges(request: web.Request) -> web.Response:
    return document(contract.charges(request.match_info["account"]))
