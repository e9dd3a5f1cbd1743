"""`banyan schema` prints what editors need."""

import json

from gateway.config.schema import json_schema
from tests.cli.conftest import Banyan


def test_the_schema_is_printed(banyan: Banyan) -> None:
    """It is the JSON Schema that the loader's own classes give."""
    ran = banyan("schema")
    assert (ran.code, json.loads(ran.out)) == (0, json_schema())
