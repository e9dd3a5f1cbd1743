from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from gateway.config.edit import starter
from gateway.config.routes import RouteSpec
from gateway.config.schema import BackendSpec, GatewaySpec, WholeSpec, json_schema
from gateway.config.yamlmarks import read
from gateway.core.model import Backend, Gateway


def test_the_starter_file_fits_the_schema() -> None:
    """The schema that editors use accepts what `banyan init` writes."""
    value = read(starter().encode(), "starter.yaml", {}).value
    assert len(WholeSpec.model_validate(value).routes) == len(value["routes"])


def test_editors_get_every_key_with_a_description() -> None:
    """Whoever hovers over a key of a route in an editor is told what it does."""
    schema = json_schema()
    described = {
        name: field for name, field in _properties(schema, "RouteSpec").items() if _has_description(schema, field)
    }
    assert set(described) == set(RouteSpec.model_fields)


def test_the_schema_knows_no_empty_values() -> None:
    """What the loader refuses, the editor underlines: a key left empty."""
    assert {"type": "null"} not in _properties(json_schema(), "BackendSpec")["timeout"].get("anyOf", [])
    assert _properties(json_schema(), "RouteSpec")["safe"].get("type") == "boolean"


def test_editors_offer_only_defaults_that_can_be_written() -> None:
    """A default that an editor fills in is accepted by the loader."""
    backend = _properties(json_schema(), "BackendSpec")
    assert (backend["host"]["default"], backend["max_idle"]["default"]) == ("own", 256)
    assert "default" not in backend["idle"]
    assert "default" not in backend["timeout"]


SAMPLE = """\
version: 1
gateway:
  capture: 1MiB
  otlp: {endpoint: "http://collector:4318", headers: {Authorization: "Bearer ${OTLP_TOKEN}"}, traces: 5%, metrics: off}
  webhooks: [{url: "https://hooks.example", secret: "${WEBHOOK_SECRET}", events: [rolled_back]}]
  keep: {traffic: 400d, examples: 3}
  store: {url: "${DATABASE_URL}", upgrade: manual}
  admin:
    url: https://banyan.example.org
    oidc: {issuer: "https://l.example", client_id: b, client_secret: s, roles: {viewer: [staff]}, scopes: [openid]}
routes:
  - name: a
    match: GET /a
    serve: ramp
    shadow: {share: 25%, noise: 1%}
    compare: {ignore: [/at], unordered: {/items: id, /tags: null}, tolerance: {/sum: 0.01}, map: {/state: {A: true}}}
    ramp:
      stages: [1%, 100%]
      only: {days: [Mon, Wed-Fri], hours: "09:00-17:00", timezone: UTC}
      guards: {parity: off, errors: +1%, latency_p99: 2x}
    replay: {from: a.har, daily: "02:30"}
  - {name: b, match: GET /b, shadow: 5%, compare: {unordered: [/items]}}
"""


def test_editors_accept_evidence_as_the_loader_does() -> None:
    """Short forms and long ones; what the loader refuses is underlined."""
    validator = Draft202012Validator(json_schema())
    value: Any = read(SAMPLE.encode(), "x", {"WEBHOOK_SECRET": "whsec_", "DATABASE_URL": "postgresql://h/d"}).value
    assert [error.message for error in validator.iter_errors(value)] == []
    wrong: list[dict[str, object]] = [
        {"shadow": "lots"},
        {"serve": "climb"},
        {"ramp": {"guards": {"latency_p42": "2x"}}},
        {"replay": {"source": "x"}},
    ]
    for fields in wrong:
        assert not validator.is_valid({**value, "routes": [{**value["routes"][0], **fields}]})


def test_defaults_are_those_of_the_core() -> None:
    """A default is written once: in the core's model."""
    spec = GatewaySpec()
    assert {name: getattr(spec, name) for name in ("drain_timeout", "keep_alive", "max_body", "served_by")} == {
        name: getattr(Gateway(), name) for name in ("drain_timeout", "keep_alive", "max_body", "served_by")
    }
    backend = Backend("a", "h", 80)
    fields = BackendSpec.model_fields
    assert (fields["max_idle"].default, fields["idle"].default) == (backend.max_idle, backend.idle)
    assert fields["host"].default == backend.host_header


def _properties(schema: dict[str, Any], name: str) -> dict[str, Any]:
    properties: dict[str, Any] = schema["$defs"][name]["properties"]
    return properties


def _has_description(schema: dict[str, Any], field: dict[str, Any]) -> bool:
    if "description" in field:
        return True
    reference = field.get("$ref", "").rpartition("/")[2]
    return "description" in schema["$defs"].get(reference, {})
