"""`banyan openapi` prints what the gateway serves."""

import json
import os
from pathlib import Path

from gateway.admin.openapi import document
from gateway.config.check import load
from tests.cli.conftest import Banyan


def test_the_document_is_printed(banyan: Banyan, folder: Path) -> None:
    """It is the document that the admin port serves."""
    ran = banyan("openapi")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == document(load(folder / "routes.yaml", os.environ).estate)
