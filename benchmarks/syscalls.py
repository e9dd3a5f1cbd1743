"""Shows by strace that a write is on the disk before the client has its first byte."""

import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import sleep

from benchmarks.common import CannotMeasure, Crew, Gateway, wait_until
from benchmarks.ledgers import Ledgers
from benchmarks.report import Finding, say

ROUNDS = 20
PAUSE = 0.1
"""Seconds between writes."""
_CALLS = "fsync,fdatasync,write,sendto,sendmsg,writev"
_SENT = re.compile(r"POST /copied/1\?ref=(\d+) ")
_LINE = re.compile(r"^(\d+) +(\d+\.\d+) (\w+)\((.*)$")


def synced_before_answered(routes_yaml: Callable[[Ledgers], str]) -> list[Finding]:
    """One write after the other, and the order of what the processes asked of the system."""
    if not shutil.which("strace"):
        say("not measured: strace is not installed")
        return []
    with ExitStack() as stack:
        ledgers = stack.enter_context(Ledgers())
        crew = stack.enter_context(Crew())
        gateway = crew.gateway(routes_yaml(ledgers))
        trace = crew.folder / "trace"
        _one(gateway, 0)  # the store is open
        tracer = subprocess.Popen(
            ["strace", "-f", "-ttt", "-s", "40", "-e", f"trace={_CALLS}", "-o", str(trace)]
            + [word for pid in gateway.pids() for word in ("-p", str(pid))],
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: trace.exists() and tracer.poll() is None, "strace does not start", tracer)
            sleep(1.0)
            for number in range(1, ROUNDS + 1):
                _one(gateway, number)
                sleep(PAUSE)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
        return _findings(trace)


def _one(gateway: Gateway, number: int) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("POST", f"/copied/1?ref={number}", b"body")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 201:
        raise CannotMeasure(f"a write was answered {answer.status}")


def _findings(trace: Path) -> list[Finding]:
    """For each write: was there a sync before it went to the record, and another one before its answer?

    A write's number is first sent to the record, and then to the other side, whose syncs are over long before the next
    write.
    """
    sent: set[str] = set()
    before = after = answered = 0
    synced, counts_from = False, 0.0
    for line in trace.read_text(errors="replace").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        now, call, rest = float(found[2]), found[3], found[4]
        write = _SENT.search(rest)
        if call in ("fsync", "fdatasync"):
            synced = synced or now >= counts_from
        elif write is not None and write[1] not in sent and write[1] != "0":
            sent.add(write[1])
            before += synced
            synced = False
        elif "HTTP/1.1 201" in rest and answered < len(sent):
            answered += 1
            after += synced
            synced, counts_from = False, now + PAUSE / 2
    return [
        Finding("trace: writes", len(sent), at_least=ROUNDS),
        Finding("trace: sent to the record after a sync", before, at_least=len(sent)),
        Finding("trace: answered after another sync", after, at_least=len(sent)),
    ]
