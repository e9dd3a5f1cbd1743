"""What every answer of the admin room has in common: problem documents for errors, fields that keep it from caches.

A page of another site can make a browser ask this machine's loopback under a name of its own (DNS rebinding), so a
server that listens on loopback only answers to loopback's names.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.access.refusals import Refusal
from gateway.admin.orders import STEERING
from gateway.core.matching import host_name
from gateway.errors import CommandError, StoreUnavailable
from gateway.telemetry.logging import log

LOOPBACK_ONLY: web.AppKey[bool] = web.AppKey("loopback_only", bool)
_LOOPBACK_NAMES = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
_FIELDS = {
    "Server": "banyan",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the host's name, answer errors as problem documents, and add the fields that every answer has."""
    if request.config_dict[LOOPBACK_ONLY] and not _is_ours(request):
        answer: web.StreamResponse = problem(421, "This address only answers to localhost, 127.0.0.1 and [::1].")
    else:
        answer = await _answer(request, handler)
    for name, value in _FIELDS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Server"] = _FIELDS["Server"]
    return answer


def _is_ours(request: web.Request) -> bool:
    """Whether the host's name is one of loopback, or the one that browsers find the pages under by routes.yaml."""
    host = host_name(request.headers.get("Host", "").encode())
    url = request.config_dict[STEERING].loaded.estate.gateway.admin.url
    return host in _LOOPBACK_NAMES or (url != "" and host == host_name(url.partition("://")[2].encode()))


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except CommandError as error:
        return _told(request, 400, str(error))
    except StoreUnavailable as error:
        return _told(request, 503, str(error))
    except Refusal as error:
        return _told(request, error.status, error.detail, error.headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allow = error.headers.get("Allow")
        return _told(request, error.status, _DETAILS.get(error.status, ""), {"Allow": allow} if allow else {})
    except web.RequestPayloadError:
        return _told(request, 400, "The body is not what its head says.")
    except Exception:
        gone = request.transport is None or request.transport.is_closing()
        if gone or request.writer.output_size:  # an answer is under way: all that can be done is to cut it off
            raise
        log().exception("admin_failed", method=request.method, path=request.path)
        return _told(request, 500, "This went wrong in the gateway itself. Its log has more.")


def _told(
    request: web.Request, status: int, detail: str, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """An error, as whoever asks reads it: a page for a browser, a problem document for all others."""
    tell = request.config_dict.get(TELL)
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith(_DOCUMENTS)
    if tell is None or not wants_page:
        return problem(status, detail, headers)
    answer = tell(request, status, detail)
    answer.headers.update(headers or {})
    return answer


TELL: web.AppKey[Callable[[web.Request, int, str], web.Response]] = web.AppKey("tell")
"""Makes a page of an error."""
_DOCUMENTS = ("/api/", "/livez", "/readyz", "/metrics", "/openapi.json", "/static/")


_DETAILS = {
    404: "There is nothing here. /api/v1/status, /api/v1/routes, /metrics, /livez and /readyz are.",
    405: "This address does not take this method. /api/v1/openapi.json tells what each takes.",
    413: "The request is too long.",
}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")
