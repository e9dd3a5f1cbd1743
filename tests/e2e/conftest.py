"""A gateway and its origin for each module; modules that need another routes.yaml bring their own `gateway`."""

from collections.abc import Generator, Iterator

import pytest

from tests.support.gateway import Gateway, one_backend
from tests.support.origin import Origin


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture(scope="module")
def gateway(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), one_backend(origin)) as gateway:
        yield gateway


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what running gateways logged beside a failure."""
    report = yield
    if report.failed:
        report.sections += [(f"log of {each.folder.name}", each.log[-4000:]) for each in Gateway.running]
    return report
