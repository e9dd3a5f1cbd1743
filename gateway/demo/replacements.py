"""The services that replace the legacy back office, one endpoint at a time: small and quick.

Their paths are partly their own. They answer as the contract promises, as the legacy system does: that is what makes
a flip safe. Two faults are planted: in what rents make of a balance, which comparing finds, and in the rooms that can
be reported, which leaves writes undelivered.
"""

from aiohttp import web

from gateway.demo import contract, council
from gateway.demo.serving import application, document, json_body, soap, stamped, tenancy_of

THINK = 0.002
UNKNOWN_ROOM = "loft"


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
    return document(stamped(contract.repair_list(tenancy_of(request))))


async def show_repair(request: web.Request) -> web.Response:
    """The trades in the order of the alphabet: the contract promises none."""
    found = contract.repair(request.match_info["id"])
    return document(stamped(found and {**found, "trades": sorted(found["trades"])}))


async def report_repair(request: web.Request) -> web.Response:
    """The other planted fault: nobody thought of lofts."""
    report = await json_body(request)
    if isinstance(report, dict) and report.get("room") == UNKNOWN_ROOM:
        return document({"detail": f"There is no room {UNKNOWN_ROOM}."}, status=422)
    repair = contract.reported(tenancy_of(request), report)
    response = document(repair, missing=400, status=201)
    if repair:
        response.headers["Location"] = f"/housing/repairs/{repair['id']}"
    return response


async def search_tenancies(request: web.Request) -> web.Response:
    return document(contract.tenancies_found(await json_body(request)), missing=400)


async def show_balance(request: web.Request) -> web.Response:
    found = contract.balance(request.match_info["account"])
    return document(stamped(found and {**found, "balance": cut_off(found["balance"])}))


async def show_charges(request: web.Request) -> web.Response:
    return document(contract.charges(request.match_info["account"]))


def cut_off(amount: str) -> str:
    """The planted fault: pounds become a binary fraction, and what is below a penny is cut off instead of rounded.

    4.35 is kept as 4.34999..., so it comes out as 4.34; most amounts come out as they were.
    """
    return council.pounds(int(float(amount) * 100))
