"""Signing in and out: with a token, or by a link that is good once; `organisation` has the third way. A link only signs
in when its button is pressed: what fetches addresses ahead (mail scanners, chats) must not use it up."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.access.auditor import act_now
from gateway.access.keyring import SignedIn
from gateway.access.organisation import Organisation
from gateway.access.refusals import Refusal
from gateway.admin.admission import ATTEMPTS, COOKIE, PRINCIPAL, remote
from gateway.admin.orders import STEERING, address_of
from gateway.admin.pages import rendering
from gateway.admin.pages.rendering import clock_of, html
from gateway.errors import StoreUnavailable
from gateway.telemetry.logging import log

ORGANISATION: web.AppKey[Organisation] = web.AppKey("organisation")
"""Where an organisation's people sign in."""
BEGIN = "/sign-in/oidc"


async def sign_in(request: web.Request) -> web.Response:
    code = request.query.get("code", "")
    name, role, fault = "", "", ""
    if code:
        try:
            link = request.app[STEERING].keyring.peek(code)
            name, role = link.name, str(link.role)
        except Refusal as refusal:
            code, fault = "", refusal.detail
    return form_page(request, request.query.get("next", "/"), code=code, name=name, role=role, fault=fault)


def error_page(request: web.Request, status: int, detail: str) -> web.Response:
    """What went wrong, as a page; where nobody has signed in, the form for that, which leads back."""
    if status != 401:
        return rendering.error_page(request, status, detail)
    return form_page(request, str(request.rel_url) if request.method == "GET" else "/", 401)


def form_page(
    request: web.Request, to: str, status: int = 200, *, fault: str = "", code: str = "", name: str = "", role: str = ""
) -> web.Response:
    """The form, which leads on to an address; `fault` is what went wrong before."""
    settings, to = request.app[STEERING].loaded.estate.gateway.admin, own_address(to)
    organisation, way_out, who = "", "", request.get(PRINCIPAL)
    if settings.oidc is not None:
        # The whole address: a browser that came by another name would not have the cookie with it when it comes back
        organisation = f"{address_of(request.app[STEERING])}{BEGIN}?{urlencode({'next': to})}"
        way_out = request.app[ORGANISATION].way_out(settings.oidc) if "out" in request.query else ""
    context: dict[str, Any] = {
        "at": "",
        "title": "Sign in",
        "who": None,
        "environment": settings.name,
        "path": request.rel_url,
        "clock": clock_of(request),
        "is_live": False,
        "next": to,
        "organisation": organisation,
        "way_out": way_out,
        "code": code,
        "name": name,
        "role": role,
        "fault": fault,
        "csrf": who.csrf if who is not None else "",
    }
    return html("sign_in.html", context, status)


async def signed_in(request: web.Request) -> web.StreamResponse:
    """The form is sent. What was not good counts, and after too many of those nothing is looked at for a while."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refusal(403, "Sign in on the page itself.")
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    attempts, address, keyring = request.app[ATTEMPTS], remote(request), request.app[STEERING].keyring
    attempts.check(address)
    code, to = form.get("code", ""), form.get("next", "/")
    try:
        signed = await (
            keyring.by_link(code, form.get("name", "")) if code else keyring.by_token(form.get("token", "").strip())
        )
    except Refusal as refusal:
        if refusal.status == 400:
            return form_page(request, to, 400, fault=refusal.detail, code=code)
        attempts.failed(address)
        return form_page(request, to, refusal.status, fault=refusal.detail)
    how = {"by": "link"} if code else {"by": "token", "token": signed.session.token}
    raise await welcome(request, signed, to, how)


async def welcome(request: web.Request, signed: SignedIn, to: str, how: Mapping[str, str]) -> web.HTTPSeeOther:
    """Somebody has proved who they are, and `how`, which is written down: the answer that lets them in."""
    steering, session = request.app[STEERING], signed.session
    act = act_now(
        who=session.name,
        role=str(session.role),
        via="session",
        address=remote(request),
        action="sign_in",
        subject="",
        reason="",
        before={},
        after=dict(how),
    )
    try:
        await steering.auditor.record(act)
    except StoreUnavailable as error:  # it waits to be written; and who can mend things must be able to come in
        log().error("sign_in_not_written_down", why=str(error))
    answer = web.HTTPSeeOther(own_address(to))
    secure = steering.loaded.estate.gateway.admin.secure or request.secure
    answer.set_cookie(COOKIE, signed.cookie, httponly=True, samesite="Lax", secure=secure, path="/")
    return answer


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the session here. The provider's own goes on: the page has a link to where that is ended."""
    who = request[PRINCIPAL]
    if who is not None and who.via == "session":
        await request.app[STEERING].keyring.sign_out(who.id)
    answer = web.HTTPSeeOther("/sign-in?out")
    answer.del_cookie(COOKIE, path="/")
    raise answer


def own_address(to: str) -> str:
    """Where to go on: a path of ours, never another site's (`//host`, `/\\host`)."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
