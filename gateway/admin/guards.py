"""What every answer of the admin room has in common: problem documents for errors, fields that keep it from caches.

A page of another site can make a browser ask this machine's loopback under a name of its own (DNS rebinding), so a
server that listens on loopback only answers to loopback's names.
"""

from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.access.refusals import Refusal
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


def is_loopback(host: str) -> bool:
    """Whether a listening address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the host's name, answer errors as problem documents, and add the fields that every answer has."""
    if request.config_dict[LOOPBACK_ONLY] and _host(request) not in _LOOPBACK_NAMES:
        answer: web.StreamResponse = problem(421, "This address only answers to localhost, 127.0.0.1 and [::1].")
    else:
        answer = await _answer(request, handler)
    answer.headers.update(_FIELDS)
    return answer


def _host(request: web.Request) -> bytes:
    return host_name(request.headers.get("Host", "").encode())


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except CommandError as error:
        return problem(400, str(error))
    except StoreUnavailable as error:
        return problem(503, str(error))
    except Refusal as error:
        return problem(error.status, error.detail, error.headers)
    except web.HTTPException as error:
        allow = error.headers.get("Allow")
        return problem(error.status, _DETAILS.get(error.status, ""), {"Allow": allow} if allow else {})
    except web.RequestPayloadError:
        return problem(400, "The body is not what its head says.")
    except Exception:
        gone = request.transport is None or request.transport.is_closing()
        if gone or request.writer.output_size:  # an answer is under way: all that can be done is to cut it off
            raise
        log().exception("admin_failed", method=request.method, path=request.path)
        return problem(500, "This went wrong in the gateway itself. Its log has more.")


_DETAILS = {
    404: "There is nothing here. /api/v1/status, /api/v1/routes, /metrics, /livez and /readyz are.",
    405: "This address does not take this method. /api/v1/openapi.json tells what each takes.",
    413: "The request is too long.",
}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """A problem document (RFC 9457)."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")
