"""In CI nothing may be skipped: a test that quietly does not run protects nobody. And the databases, for all tests."""

import os

import pytest

from tests.support.databases import empty, in_memory, local, place, remote, server, store, template

__all__ = ["empty", "in_memory", "local", "place", "remote", "server", "store", "template"]

_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and os.environ.get("CI") == "true":
        print(f"\nCI must skip nothing, but skipped: {', '.join(_skipped)}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
