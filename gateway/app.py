"""The composition roots of the two processes: the only place that wires things together.

Each root imports what its process needs when it runs: the data process must stay small.
"""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from secrets import token_hex
from time import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.config.check import Loaded
    from gateway.processes.control import Control
    from gateway.processes.options import RunOptions
    from gateway.rollouts.sharing import Sharing
    from gateway.store.repository import Store
    from gateway.telemetry.metrics import Traffic

FIRST_LINK = 3_600.0
"""Seconds for which the link of a first start can be opened."""
RECENT = 100
"""Acts among which somebody is looked for who has been here."""
Tasks = list[asyncio.Task[None]]


def run_data(folder: Path, descriptor: int) -> int:
    """The data process: `descriptor` is the listening socket, inherited from control."""
    import uvloop

    from gateway.processes.data import DataProcess

    async def serve() -> None:
        await DataProcess(folder, socket.socket(fileno=descriptor)).run()

    _raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
    return 0


def run_control(options: "RunOptions") -> int:
    """The control process, until SIGTERM or SIGINT. Raises CommandError and ConfigError."""
    import uvloop

    from gateway.config.check import load
    from gateway.processes.supervisor import FolderLock
    from gateway.telemetry.logging import configure

    configure(options.log_level)
    loaded = load(options.config, os.environ)
    lock = FolderLock(options.data)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_control(options, loaded))
    finally:
        lock.release()


async def _control(options: "RunOptions", loaded: "Loaded") -> int:
    from gateway.processes.control import Control
    from gateway.processes.supervisor import Supervisor
    from gateway.telemetry.logging import log
    from gateway.telemetry.metrics import Traffic

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    traffic = Traffic()
    control = Control(options.config, loaded, os.environ, traffic)
    loop.add_signal_handler(signal.SIGHUP, control.reopen_logs)
    control.supervisor = Supervisor(
        options.data,
        options.listen,
        on_observations=control.observed,
        on_passed=control.passed,
        on_captured=control.captured,
        on_store=control.store,
        on_event=control.happened,
    )
    launching = loop.create_task(control.supervisor.start())
    await asyncio.sleep(0)  # the data process is on its way; importing aiohttp takes as long as it does to be there
    _evidence(control, options, loaded, traffic)
    _writes(control)
    _people(control, options)
    async with contextlib.AsyncExitStack() as ending:
        working = _set_going(control, options, loaded, ending)
        starting = loop.create_task(control.start(launching))
        ending.push_async_callback(_give_up, control, starting)
        await _open(control, options, ending)
        await starting
        gc.freeze()  # what is there by now stays: looking through it again and again would hold everything up
        gc.set_threshold(50_000, 20, 100)
        working += _watch(control, ending)
        log().info("listening", public=str(options.listen), admin=str(options.admin), data=str(options.data))
        await _until_stopped(stop, *working, *control.rollouts.tasks)
        log().info("draining", seconds=control.loaded.estate.gateway.drain_timeout)
        await control.supervisor.stop(control.loaded.estate.gateway.drain_timeout)
    log().info("gateway_stopped")
    return 0


def _evidence(control: "Control", options: "RunOptions", loaded: "Loaded", traffic: "Traffic") -> None:
    """The store, ramps and what they go by, copies and their comparing, and what is told of it elsewhere."""
    from gateway.processes.copying import Copying
    from gateway.rollouts.discovery import Discovery
    from gateway.rollouts.revisions import Revisions
    from gateway.rollouts.room import Rollouts
    from gateway.rollouts.sharing import Sharing
    from gateway.rollouts.wishes import Wishes
    from gateway.telemetry.exporting import Telemetry
    from gateway.writes.exchange import Exchange

    control.exchange = exchange = Exchange(lambda: control.store_now, control.know)
    control.rollouts = rollouts = Rollouts(
        options.data,
        partial(_opened, options, loaded),
        traffic,
        control.apply,
        control.ask,
        control.replay,
        control.order,
        exchange.pairs.are_one,
    )
    control.wishes = Wishes(rollouts.standings)
    control.telemetry = Telemetry(control.figures, rollouts.replica)
    control.copying = Copying(
        control.sampled,
        rollouts.judge,
        control.order,
        exchange.pairs,
        lambda seen: control.telemetry.observed([seen]),
    )
    control.sharing = Sharing(rollouts.replica, lambda: control.store_now, (control.supervisor, control.copying))
    control.discovery = Discovery(lambda: control.store_now)
    control.revisions = Revisions(lambda: control.store_now, lambda act: control.auditor.settle(act))


def _writes(control: "Control") -> None:
    """Writes that must not be lost: stored, delivered, held while the record moves, and shown to people."""
    from gateway.proxy.chance import fresh_digits
    from gateway.rollouts.desk import Desk
    from gateway.writes.clerk import Clerk
    from gateway.writes.desk import WritesDesk
    from gateway.writes.moving import Moving
    from gateway.writes.outbox import Outbox
    from gateway.writes.owing import Owing
    from gateway.writes.reconciling import Reconciling, Shell

    rollouts, supervisor, ours = control.rollouts, control.supervisor, token_hex(8)
    control.outbox = outbox = Outbox(f"{rollouts.replica} {ours}", lambda: control.store_now, control.deliver)
    control.owing = Owing(lambda: control.store_now)
    control.clerk = Clerk(
        rollouts.replica,
        lambda: control.store_now,
        lambda: {ours, *supervisor.sessions},
        outbox.due,
        control.record_of,
    )
    control.moving = Moving(lambda: control.store_now, control.clerk)
    control.reconciling = Reconciling(
        Shell(
            lambda: control.table,
            lambda: control.store_now,
            control.copying.read,
            rollouts.judgement,
            outbox.due,
            fresh_digits,
        )
    )
    control.writes = WritesDesk(lambda: control.store_now, outbox.due)
    control.desk = Desk(rollouts, supervisor.stands, control.moving)


def _people(control: "Control", options: "RunOptions") -> None:
    """Who may come in, and what they did."""
    from gateway.access.auditor import Auditor
    from gateway.access.keyring import Keyring
    from gateway.access.provenance import Provenance

    control.keyring = Keyring(lambda: control.store_now, control.signed_in_for)
    control.auditor = Auditor(options.data, lambda: control.store_now)
    control.provenance = Provenance(options.data)


def _set_going(control: "Control", options: "RunOptions", loaded: "Loaded", ending: contextlib.AsyncExitStack) -> Tasks:
    """Everything that goes on by itself from the first moment on; at the `ending` it is stopped, last first."""
    ending.callback(control.close)
    ending.push_async_callback(control.telemetry.close)
    ending.push_async_callback(control.rollouts.close)
    sharing = _share(options, loaded, control.sharing, ending)
    ending.callback(control.copying.close)
    tasks = _spawned(
        ending,
        control.keyring.run(),
        control.auditor.run(),
        control.revisions.run(),
        control.discovery.run(),
        control.clerk.run(),
        control.clerk.look_after(),
        control.outbox.run(),
        control.owing.run(),
        control.exchange.run(),
        control.take_what_waited(),
    )
    ending.push_async_callback(control.outbox.close)
    return [*tasks, *sharing]


async def _open(control: "Control", options: "RunOptions", ending: contextlib.AsyncExitStack) -> None:
    """The admin room, on its port and on the control socket. Raises CommandError when the port is taken."""
    from gateway.admin.api import admin_app, command_app
    from gateway.admin.serving import address_for_browsers, serve, serve_unix
    from gateway.processes.channel import CONTROL_SOCKET, listen_unix

    admin = await serve(admin_app(control), options.admin)
    control.admin_url = address_for_browsers(admin.addresses[0])
    ending.push_async_callback(admin.cleanup)
    orders = await serve_unix(command_app(control), listen_unix(options.data / CONTROL_SOCKET))
    ending.push_async_callback(orders.cleanup)


def _watch(control: "Control", ending: contextlib.AsyncExitStack) -> Tasks:
    """What goes on once something serves: the file is watched, recordings are replayed, somebody is greeted."""
    from gateway.rollouts.daily import Daily

    daily = Daily(control.rollouts.replays, lambda: control.table, lambda: control.store_now, time)
    watching = _spawned(ending, control.watch(), daily.run())
    _spawned(ending, _greet(control))  # comes to its end
    return watching


def _spawned(ending: contextlib.AsyncExitStack, *works: Coroutine[None, None, None]) -> Tasks:
    """Tasks that are cancelled at the ending."""
    tasks = [asyncio.get_running_loop().create_task(work) for work in works]
    for task in tasks:
        ending.callback(task.cancel)
    return tasks


async def _greet(control: "Control") -> None:
    """Where nobody was ever given a token, print a link that signs the first person in: they own the terminal."""
    from gateway.admin.orders import address_of
    from gateway.core.access import Role

    await control.keyring.looked.wait()
    oidc = control.loaded.estate.gateway.admin.oidc
    acts = (await control.auditor.latest(RECENT))["acts"]
    if oidc is None and control.keyring.is_new and all(each["via"] == "file" for each in acts):
        code = control.keyring.link(Role.APPROVER, FIRST_LINK)
        link = f"{address_of(control)}/sign-in?code={code}"
        sys.stderr.write(f"The pages, for whoever opens this first, within an hour: {link}\n")
        sys.stderr.flush()


async def _opened(options: "RunOptions", loaded: "Loaded") -> "Store":
    """The store, imported when it is first wanted: that takes a while."""
    from gateway.store.repository import Store

    settings = loaded.estate.gateway.store
    return await Store.open(options.store or settings.url, options.data, upgrade=settings.upgrade)


def _share(options: "RunOptions", loaded: "Loaded", sharing: "Sharing", ending: contextlib.AsyncExitStack) -> Tasks:
    """Share what backends can bear with the gateways on the same store, if that is one that others may use."""
    from gateway.store.addresses import address_of

    if address_of(options.store or loaded.estate.gateway.store.url, options.data).file is not None:
        sharing.alone()
        return []
    ending.push_async_callback(sharing.close)
    return _spawned(ending, sharing.run())


async def _give_up(control: "Control", starting: "asyncio.Task[None]") -> None:
    """However far the start has come, leave nothing half-started. After an orderly stop there is nothing to do."""
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    control.supervisor.give_up()


async def _until_stopped(stop: asyncio.Event, *tasks: "asyncio.Task[None]") -> None:
    """Until a signal comes. What should go on for ever must not end unnoticed: it ends the process with its error."""
    stopped = asyncio.get_running_loop().create_task(stop.wait())
    await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()
    stopped.cancel()


def _raise_file_limit() -> None:
    """Each connection is a file: allow as many as the system lets us."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
