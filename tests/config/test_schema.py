from typing import Any

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
