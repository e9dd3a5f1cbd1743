"""Signing in and out: with a token, or by a link that is good once. A link only signs in when its button is pressed:
what fetches addresses ahead (mail scanners, chats) must not use it up."""

from aiohttp import web

from gateway.access.keyring import SignedIn
from gateway.access.refusals import Refusal
from gateway.admin.admission import ATTEMPTS, COOKIE, PRINCIPAL, remote
from gateway.admin.orders import STEERING
from gateway.admin.pages import rendering
from gateway.admin.pages.rendering import clock_of, html


async def sign_in(request: web.Request) -> web.Response:
    code = request.query.get("code", "")
    name, role, fault = "", "", ""
    if code:
        try:
            link = request.app[STEERING].keyring.peek(code)
            name, role = link.name, str(link.role)
        except Refusal as refusal:
            code, fault = "", refusal.detail
    return _form(request, code=code, name=name, role=role, fault=fault)


def error_page(request: web.Request, status: int, detail: str) -> web.Response:
    """What went wrong, as a page; where nobody has signed in, the form for that, which leads back."""
    if status != 401:
        return rendering.error_page(request, status, detail)
    return _form(request, 401, next=_own(str(request.rel_url)) if request.method == "GET" else "/")


def _form(request: web.Request, status: int = 200, **given: str) -> web.Response:
    context = {
        "at": "",
        "title": "Sign in",
        "who": None,
        "environment": request.app[STEERING].loaded.estate.gateway.admin.name,
        "path": request.rel_url,
        "clock": clock_of(request),
        "is_live": False,
        "next": _own(request.query.get("next", "/")),
        "code": "",
        "name": "",
        "role": "",
        "fault": "",
        **given,
    }
    return html("sign_in.html", context, status)


async def signed_in(request: web.Request) -> web.StreamResponse:
    """The form is sent. What was not good counts, and after too many of those nothing is looked at for a while."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refusal(403, "Sign in on the page itself.")
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    attempts, address, keyring = request.app[ATTEMPTS], remote(request), request.app[STEERING].keyring
    attempts.check(address)
    code = form.get("code", "")
    try:
        signed = await (
            keyring.by_link(code, form.get("name", "")) if code else keyring.by_token(form.get("token", "").strip())
        )
    except Refusal as refusal:
        if refusal.status == 400:
            return _form(request, 400, fault=refusal.detail, code=code)
        attempts.failed(address)
        return _form(request, refusal.status, fault=refusal.detail)
    return _welcome(request, signed, _own(form.get("next", "/")))


def _welcome(request: web.Request, signed: SignedIn, to: str) -> web.StreamResponse:
    settings = request.app[STEERING].loaded.estate.gateway.admin
    answer = web.HTTPSeeOther(to)
    secure = settings.secure or request.secure
    answer.set_cookie(COOKIE, signed.cookie, httponly=True, samesite="Lax", secure=secure, path="/")
    raise answer


async def sign_out(request: web.Request) -> web.StreamResponse:
    who = request[PRINCIPAL]
    if who is not None and who.via == "session":
        await request.app[STEERING].keyring.sign_out(who.id)
    answer = web.HTTPSeeOther("/sign-in")
    answer.del_cookie(COOKIE, path="/")
    raise answer


def _own(to: str) -> str:
    """Where to go on: a path of ours, never another site's (`//host`, `/\\host`)."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
