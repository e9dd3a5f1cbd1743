"""Signing in at the organisation's own provider: going there, and coming back.

Both are addresses that a browser follows, so neither carries a page's token: what proves that it was this browser that
wanted to sign in is the cookie that it was given on leaving. Each sign-in has a cookie of its own, for several tabs may
be at it.
"""

from hashlib import sha256

from aiohttp import web

from gateway.access.flows import LASTS
from gateway.access.refusals import Refusal
from gateway.admin.admission import ATTEMPTS, remote
from gateway.admin.orders import STEERING, address_of
from gateway.admin.pages.signing import BEGIN, ORGANISATION, form_page, own_address, welcome
from gateway.core.administering import Oidc

CALLBACK = f"{BEGIN}/callback"
_COOKIE = "banyan_signing_"


async def begun(request: web.Request) -> web.StreamResponse:
    """Go to the provider."""
    oidc, steering, to = _settings(request), request.app[STEERING], own_address(request.query.get("next", "/"))
    try:
        redirect = f"{address_of(steering)}{CALLBACK}"
        where, begun = await request.app[ORGANISATION].begin(oidc, redirect, to, remote(request))
    except Refusal as refusal:
        return form_page(request, to, refusal.status, fault=refusal.detail)
    answer = web.HTTPSeeOther(where)
    secure = steering.loaded.estate.gateway.admin.secure or request.secure
    # Lax: the browser comes back from another site, by a link
    answer.set_cookie(
        _cookie(begun.state),
        begun.cookie,
        max_age=round(LASTS),
        path=BEGIN,
        httponly=True,
        samesite="Lax",
        secure=secure,
    )
    raise answer


async def ended(request: web.Request) -> web.StreamResponse:
    """Come back from the provider. What was not good counts, as wrong tokens do."""
    oidc, attempts, address = _settings(request), request.app[ATTEMPTS], remote(request)
    attempts.check(address)
    name = _cookie(request.query.get("state", ""))
    try:
        proved = await request.app[ORGANISATION].end(oidc, request.cookies.get(name, ""), request.query)
    except Refusal as refusal:
        if refusal.status < 500 and name in request.cookies:  # any page can have a browser ask without one
            attempts.failed(address)
        failed = form_page(request, "/", refusal.status, fault=refusal.detail)
        failed.del_cookie(name, path=BEGIN)
        return failed
    person = proved.person
    signed = await request.app[STEERING].keyring.begin(person.name, person.role)
    how = {"by": "oidc", "issuer": oidc.issuer, "sub": person.subject}
    answer = await welcome(request, signed, proved.next, how)
    answer.del_cookie(name, path=BEGIN)
    raise answer


def _settings(request: web.Request) -> Oidc:
    oidc = request.app[STEERING].loaded.estate.gateway.admin.oidc
    if oidc is None:
        raise Refusal(404, "Nobody signs in here with an organisation: `gateway: {admin: {oidc: ...}}` is not set.")
    return oidc


def _cookie(state: str) -> str:
    """The cookie of one sign-in. It is named by what was drawn for that, though not in words that give it away."""
    return f"{_COOKIE}{sha256(state.encode('utf-8', 'replace')).hexdigest()[:12]}"
