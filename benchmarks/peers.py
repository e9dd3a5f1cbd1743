"""Other proxies with the features that the gateway has on, and the origins behind them all.

Nothing here starts a process: each function writes a configuration and gives the command that runs it in the
foreground, with one worker. What each does less than the gateway: README.md.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import CannotMeasure, needed
from benchmarks.estate import COOKIE, pattern_of
from benchmarks.origin import SMALL

CONNECTIONS = 8_192
KEPT = 1_000_000_000
"""Requests that a kept connection may carry: more than any benchmark sends."""


class Site(NamedTuple):
    """What a peer is configured for: a folder to write to, its port, the origins' ports, and how many routes."""

    folder: Path
    port: int
    legacy: int
    new: int
    routes: int


Command = list[str | Path]


def beginning_of(route: int) -> str:
    """Where a route's paths begin. Peers match templates by that, in a tree, which is less work than ours."""
    return pattern_of(route).partition("{")[0]


# ------------------------------------------------------------------------------------------------ nginx


def nginx_site(folder: Path, name: str, port: int, location: str) -> Command:
    """A backend that does what this location says, for every path."""
    return _nginx(
        folder,
        f"origin-{name}",
        f"""
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ {location} }}
  }}""",
    )


def nginx_origin(folder: Path, name: str, port: int) -> Command:
    """A backend that answers 250 bytes, and counts."""
    return _nginx(
        folder,
        f"origin-{name}",
        f"""
  default_type application/json;
  add_header X-Origin {name};
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 '{SMALL.decode()}'; }}
    location = /count {{ stub_status; }}
  }}""",
    )


def nginx(site: Site) -> Command:
    """`split_clients` by the cookie; a location for each route; the log buffered. Counts totals, not routes."""
    kept = f"keepalive 256; keepalive_requests {KEPT}; keepalive_timeout 600s;"
    locations = "\n".join(
        f"    location {'= ' if n % 2 else ''}{beginning_of(n)} {{ set $route route-{n}; proxy_pass http://$side; }}"
        for n in range(site.routes)
    )
    return _nginx(
        site.folder,
        "nginx",
        f"""
  upstream legacy {{ server 127.0.0.1:{site.legacy}; {kept} }}
  upstream new {{ server 127.0.0.1:{site.new}; {kept} }}
  split_clients $cookie_{COOKIE} $side {{ 50% new; * legacy; }}
  map $http_x_request_id $id {{ default $http_x_request_id; "" $request_id; }}
  log_format record '$time_iso8601 $request_method $route $side $status $request_time $bytes_sent $id';
  server {{
    listen 127.0.0.1:{site.port} backlog=4096;
    access_log {site.folder}/nginx.log record buffer=64k flush=1s;
    set $route none;
    proxy_http_version 1.1;
    proxy_max_temp_file_size 0;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Request-ID $id;
    proxy_set_header Via "1.1 peer";
    add_header Via "1.1 peer" always;
    add_header X-Request-ID $id always;
    location = /count {{ stub_status; access_log off; }}
{locations}
  }}""",
    )


def _nginx(folder: Path, name: str, http: str) -> Command:
    program = needed("nginx")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"  {kind}_temp_path {folder}/{name}-{kind};" for kind in kinds)
    configuration = folder / f"{name}.conf"
    configuration.write_text(
        f"""{"user root;" if os.getuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log {folder}/{name}.errors error;
events {{ worker_connections {CONNECTIONS}; }}
http {{
  access_log off;
  keepalive_requests {KEPT};
  keepalive_timeout 600s;
{temporary}{http}
}}
"""
    )
    return [program, "-p", folder, "-e", f"{folder}/{name}.errors", "-c", configuration]


# ------------------------------------------------------------------------------------------------ HAProxy


def haproxy(site: Site) -> Command:
    """A tree of beginnings; a hash of the cookie; the log a write per request, as HAProxy buffers none."""
    program = needed("haproxy")
    beginnings = site.folder / "haproxy.map"
    beginnings.write_text("".join(f"{beginning_of(n)} route-{n}\n" for n in range(site.routes)))
    configuration = site.folder / "haproxy.cfg"
    configuration.write_text(
        f"""global
  nbthread 1
  maxconn {CONNECTIONS}
  log stdout format raw local0
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 600s
  timeout server 60s
  timeout http-keep-alive 600s
  http-reuse always
frontend public
  bind 127.0.0.1:{site.port}
  log-format "%t %HM %[var(txn.route)] %s %ST %Ta %B %[var(txn.id)]"
  http-request set-var(txn.route) path,map_beg({beginnings},none)
  http-request return status 404 if {{ var(txn.route) -m str none }}
  http-request set-header X-Request-ID %[uuid()] unless {{ req.hdr(X-Request-ID) -m found }}
  http-request set-var(txn.id) req.hdr(X-Request-ID)
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  http-request set-header X-Forwarded-Proto http
  http-request add-header Via "1.1 peer"
  http-response add-header Via "1.1 peer"
  http-response set-header X-Request-ID %[var(txn.id)]
  default_backend sides
backend sides
  balance hash req.cook({COOKIE})
  hash-type map-based sdbm avalanche
  server legacy 127.0.0.1:{site.legacy} weight 50
  server new 127.0.0.1:{site.new} weight 50
"""
    )
    return [program, "-db", "-f", configuration]


# ------------------------------------------------------------------------------------------------ Envoy

_API = "type.googleapis.com/envoy."


def envoy(site: Site) -> Command:
    """A tree of beginnings (its usual list is searched in order); weighted clusters by cookie; statistics by route."""
    program = os.environ.get("ENVOY_BIN") or shutil.which("envoy")
    if program is None or not Path(program).exists():
        raise CannotMeasure("there is no `envoy`; set ENVOY_BIN to where its program is")
    bootstrap = {
        "static_resources": {
            "listeners": [{"address": _address(site.port), "tcp_backlog_size": 4_096, "filter_chains": [_http(site)]}],
            "clusters": [_cluster("legacy", site.legacy), _cluster("new", site.new)],
        }
    }
    configuration = site.folder / "envoy.json"
    configuration.write_text(json.dumps(bootstrap))
    return [program, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c", configuration]


def _http(site: Site) -> dict[str, object]:
    record = "%START_TIME% %REQ(:METHOD)% %ROUTE_NAME% %UPSTREAM_CLUSTER% %RESPONSE_CODE% %DURATION% %BYTES_SENT%"
    log = {
        "@type": _API + "extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(site.folder / "envoy.log"),
        "log_format": {"text_format_source": {"inline_string": f"{record} %REQ(X-REQUEST-ID)%\n"}},
    }
    host = {"header": {"key": "x-forwarded-host", "value": "%REQ(:AUTHORITY)%"}}
    router = {"@type": _API + "extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": _API + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "public",
        "use_remote_address": True,
        "via": "1.1 peer",
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "access_log": [{"name": "file", "typed_config": log}],
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {
            "request_headers_to_add": [host | {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
            "virtual_hosts": [{"name": "all", "domains": ["*"], "matcher": {"matcher_tree": _routes(site.routes)}}],
        },
    }
    return {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}


def _routes(count: int) -> dict[str, object]:
    path = {"@type": _API + "type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": ":path"}
    actions = {beginning_of(n): {"action": {"name": "route", "typed_config": _route(n)}} for n in range(count)}
    return {"input": {"name": "path", "typed_config": path}, "prefix_match_map": {"map": actions}}


def _route(n: int) -> dict[str, object]:
    sides = {"clusters": [{"name": "legacy", "weight": 50}, {"name": "new", "weight": 50}], "use_hash_policy": True}
    return {
        "@type": _API + "config.route.v3.Route",
        "name": f"route-{n}",
        "stat_prefix": f"route-{n}",
        "match": {"prefix": beginning_of(n)},
        "route": {"weighted_clusters": sides, "hash_policy": [{"cookie": {"name": COOKIE}}]},
    }


def _cluster(name: str, port: int) -> dict[str, object]:
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    return {"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name, "endpoints": [endpoint]}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


PEERS: dict[str, Callable[[Site], Command]] = {"nginx": nginx, "haproxy": haproxy, "envoy": envoy}
