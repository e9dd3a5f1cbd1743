"""The control process: the configuration that serves, and everything that is not traffic.

A stable, valid file becomes the new table; an invalid one changes nothing and is reported until a good one comes. A
file that looks cut off is held until a person accepts it.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client.core import Metric

from gateway import __version__
from gateway.access.eyes import FourEyes
from gateway.config.changes import ReloadResult, describe_changes, reason_to_hold
from gateway.config.check import Files, Loaded, load
from gateway.config.flips import Flipped
from gateway.config.live import settled_changes
from gateway.core.captured import CapturedRequest, Passing, Recorded, Sample, Seconds, Skipped
from gateway.core.crosswalk import Pair, made_by
from gateway.core.matching import RoutingTable, compiled
from gateway.core.model import Estate, Observation
from gateway.core.policies import NO_STANDING, Standing
from gateway.core.retrying import seconds_of
from gateway.core.ways import field
from gateway.core.writing import Asked
from gateway.errors import CommandError, ConfigError
from gateway.processes.readings import read
from gateway.processes.supervisor import Supervisor
from gateway.telemetry.access import AccessWriter
from gateway.telemetry.exporting import Telemetry
from gateway.telemetry.logging import log
from gateway.telemetry.metrics import Traffic
from gateway.writes.moving import moved

if TYPE_CHECKING:
    from gateway.access.auditor import Auditor
    from gateway.access.keyring import Keyring, Times
    from gateway.access.provenance import Provenance
    from gateway.processes.copying import Copying
    from gateway.rollouts.capturing import Captures
    from gateway.rollouts.desk import Desk
    from gateway.rollouts.discovery import Discovery
    from gateway.rollouts.replaying import Replays
    from gateway.rollouts.revisions import Revisions
    from gateway.rollouts.room import Rollouts
    from gateway.rollouts.sharing import Sharing
    from gateway.rollouts.wishes import Wishes
    from gateway.store.repository import Store
    from gateway.store.writes import Owed
    from gateway.writes.clerk import Clerk, Reply
    from gateway.writes.desk import WritesDesk
    from gateway.writes.exchange import Exchange
    from gateway.writes.moving import Moving
    from gateway.writes.outbox import Outbox, Sent
    from gateway.writes.owing import Owing
    from gateway.writes.reconciling import Reconciling

_GRAVE = frozenset(
    """breaker_opened data_process_died data_process_killed data_process_not_started data_process_refused
    table_rejected""".split()  # noqa: SIM905 - a list of words reads better as words
)
"""Events that somebody should look at."""
WAITED = 2.0
"""Seconds between looks whether a file that waits may be taken."""
_MEANT = "If this is meant: banyan reload --accept"


class Held(NamedTuple):
    """A file that waits, why, and who brought it by which reason, where that was somebody's lever."""

    candidate: Loaded
    reason: str
    by: str
    why: str


Prepared = tuple[RoutingTable, list[Flipped]]


class Control:
    """What serves, what was refused or held, and the data process that does the serving."""

    def __init__(self, path: Path, loaded: Loaded, environ: Mapping[str, str], traffic: Traffic) -> None:
        self._path = path
        self._environ = environ
        self._traffic = traffic
        self._access = AccessWriter()
        self._loading = asyncio.Lock()
        self._read_unwatched = asyncio.Event()
        self._problems: tuple[str, ...] = ()
        self._held: Held | None = None
        self._waits = False
        self._loaded_at = datetime.now(UTC)
        self._beside = _paths(loaded.beside)
        self.loaded = loaded
        self.table: RoutingTable = compiled(loaded.estate)
        self.supervisor: Supervisor
        self.rollouts: Rollouts
        self.copying: Copying
        self.desk: Desk
        self.sharing: Sharing
        self.clerk: Clerk
        self.outbox: Outbox
        self.owing: Owing
        self.moving: Moving
        self.reconciling: Reconciling
        self.exchange: Exchange
        self.writes: WritesDesk
        self.admin_url = ""
        self.four_eyes = FourEyes()
        self.keyring: Keyring
        self.auditor: Auditor
        self.provenance: Provenance
        self.wishes: Wishes
        self.revisions: Revisions
        self.discovery: Discovery
        self.telemetry: Telemetry

    def observed(self, batch: list[Observation]) -> None:
        """The data process tells what it did."""
        self._traffic.observe(batch)
        self.rollouts.observed(batch)
        self.telemetry.observed(batch)
        self.discovery.observed(batch)
        self._access.write(batch)

    def passed(self, requests: list[Passing], skipped: Skipped) -> None:
        """The data process hands on what is to be asked of the other side, too."""
        if skipped:
            self.rollouts.sampled([], skipped, {})
        self.copying.take(requests)

    def sampled(self, samples: list[Sample], skipped: Skipped, seconds: Seconds) -> None:
        """Copies brought something."""
        self.rollouts.sampled(samples, skipped, seconds)

    def ask(self, number: int) -> bool:
        """Have the request of a sample asked once more of the side that served it; the answer comes with its number."""
        return self.copying.ask_again(number)

    async def replay(self, route: str, recorded: CapturedRequest, source: str) -> None:
        """Send a recorded request to both sides of a route."""
        await self.copying.replay(route, recorded, source)

    def captured(self, number: int, taken: list[Recorded], dropped: dict[str, int]) -> None:
        """The data process hands over what passed on a route that is being captured."""
        self.captures.captured(number, taken, dropped)

    def store(self, session: str, batch: list[Asked], reply: "Reply") -> None:
        """The data process asks for something to be stored."""
        self.clerk.take(session, batch, reply)

    def record_of(self, name: str) -> str | None:
        """The side that has a route's writes now; None where there is no such route."""
        planned = self.table.routes.get(name)
        return None if planned is None else planned.record

    async def deliver(self, owed: "Owed") -> "Sent":
        """Send a side a write that it is owed."""
        from gateway.writes.outbox import Sent

        side: Any = owed.side
        planned = self.table.routes.get(owed.route)
        exchanges = planned is not None and planned.crosswalk is not None
        if exchanges and not await self.exchange.look():  # they may have been made a moment ago, by another gateway
            raise CommandError("The store does not tell what its identifiers mean.")
        answer = await self.copying.deliver(owed.route, side, owed.id, owed.kept)
        asked = seconds_of(field(answer.fields, b"retry-after"))
        made = None
        if planned is not None and planned.crosswalk is not None and not answer.error and answer.status < 400:
            made = made_by(planned.crosswalk, side, answer.fields, answer.body or b"")
        return Sent(answer, asked, made)

    def know(self, pairs: list[Pair]) -> None:
        """There are identifiers that are new to this gateway, or it knows them all by now."""
        self.supervisor.know(pairs, complete=self.exchange.pairs.complete)

    def apply(self, standings: Mapping[str, Standing]) -> None:
        """Traffic goes by these overrides and positions of ramps from now on."""
        self._traffic.standings = standings
        self.table.stand(standings)
        self.copying.stand(standings)
        self.supervisor.stand(standings)

    def happened(self, event: str, **fields: object) -> None:
        """Something about the data process is worth a line in the log."""
        level = "error" if event in _GRAVE else "info"
        getattr(log(), level)(event, **fields)
        if event == "data_process_died":
            self.clerk.look()

    async def start(self, launching: "asyncio.Task[None]") -> None:
        """Serve the configuration that was loaded, once the data process is there. Raises CommandError."""
        self._follow()
        await self._note_start()
        await asyncio.gather(launching, self.rollouts.start(self.loaded.estate), self._exchange(self.loaded.estate))
        await self.copying.follow(self.loaded.estate)
        await self.supervisor.serve(self.loaded.estate)
        log().info(
            "gateway_started", revision=self.supervisor.revision, routes=len(self.loaded.estate.routes), pid=os.getpid()
        )

    async def _note_start(self) -> None:
        """The file that a gateway begins with may have been changed while none ran. What the last process has taken and
        could not tell the store any more is told already."""
        act = self.provenance.of_start(self.loaded.estate.digest)
        untold = [each for each in await self.auditor.untold() if each.via == "file"]
        known = bool(untold) and untold[-1].after.get("digest") == act.after["digest"]
        self.revisions.note(None, self.loaded, act.who, act.reason, None if known else act)

    def reopen_logs(self) -> None:
        self._access.reopen()

    def close(self) -> None:
        self._access.close()

    # -------------------------------------------------------------------------------------------- configuration

    async def watch(self) -> None:
        """Take each change of the file, for as long as this runs."""
        known = self.loaded.files + self.loaded.beside
        doubt = self._read_unwatched
        async for _ in settled_changes(self._path, known=known, beside=lambda: self._beside, doubt=doubt):
            await self._reload(accept=False, asked=False)

    async def reload(self, *, accept: bool, by: str = "", why: str = "", flipped: str = "") -> ReloadResult:
        """Read the file now, because a person asked for it, who has just `flipped` a route, if one is named. The watch
        has to look afresh after that: what it last saw may be older than what serves now."""
        self._read_unwatched.set()
        return await self._reload(accept=accept, asked=True, by=by, why=why, flipped=flipped)

    async def flip(self, name: str, serve: str, by: str, why: str) -> dict[str, Any]:
        """Change in the file what serves a route, and serve that. Raises CommandError."""
        from gateway.config.edit import flip, write

        try:
            change = await asyncio.to_thread(flip, self._path, name, serve, self._environ)
        except ConfigError as error:
            raise CommandError(
                f"The file has problems, so nothing can be flipped in it: {error.problems[0]}"
            ) from error
        try:
            await asyncio.to_thread(write, change)
        except CommandError as error:
            raise CommandError(f"{error}. Or flip it beside the file: an override is live at once.") from error
        result = await self.reload(accept=False, by=by, why=why, flipped=name)
        holds, same = result.outcome in ("accepted", "unchanged"), change.old_text == change.new_text
        says = f"{change.file}:{change.line} says {change.after.strip()!r}"
        message = f"{says}, and it is served."
        if not holds:
            message = f"{says}{' already' if same else ' now'}, but it is not served: {result.message}"
        elif result.outcome == "unchanged" and self._traffic.standings.get(name, NO_STANDING).override is not None:
            holds = False
            message = f"{says} already, but an override holds. To end it: banyan override {name} --clear --reason ..."
        return {"message": message, "holds": holds, "line": change.line, "before": change.before, "after": change.after}

    async def revert(self, number: int, by: str, why: str) -> dict[str, Any]:
        """Put an earlier configuration in the place of the present one, and serve it. Raises CommandError."""
        digest = await self.revisions.put_back(number, self._path, self.loaded, self._environ)
        result = await self.reload(accept=True, by=by, why=why)
        holds = result.outcome in ("accepted", "unchanged")
        return {"message": f"Configuration {digest} is back. {result.message}", "holds": holds}

    async def try_sides(self, method: str, url: str, headers: Sequence[str], body: bytes, side: str) -> dict[str, Any]:
        """Ask legacy, new or both the same, with nobody waiting for it. Raises CommandError."""
        from gateway.rollouts.trying import tried

        return await tried(self.table, self.copying.read, self.rollouts.judgement, method, url, headers, body, side)

    @property
    def store_now(self) -> "Store | None":
        """The store, where it has been opened."""
        return self.rollouts.keeper.store

    def signed_in_for(self) -> "Times":
        """How long browsers stay signed in."""
        from gateway.access.keyring import Times

        admin = self.loaded.estate.gateway.admin
        return Times(admin.idle, admin.lasts)

    async def discovered(self) -> dict[str, Any]:
        """What catch-all routes are asked for."""
        return await self.discovery.found()

    async def configurations(self) -> dict[str, Any]:
        """What served, the latest first."""
        return await self.revisions.listed()

    async def _reload(
        self, *, accept: bool, asked: bool, by: str = "", why: str = "", flipped: str = ""
    ) -> ReloadResult:
        """Read the file and serve it, if it is valid and nothing speaks for holding it (unless `accept`).

        What a person `asked` for also reads certificates again, which may have been renewed in place.
        """
        async with self._loading:
            try:
                candidate = await asyncio.to_thread(load, self._path, self._environ)
            except ConfigError as error:
                self._beside = error.beside
                return self._refuse(tuple(str(problem) for problem in error.problems))
            self._beside = _paths(candidate.beside)
            old, new = self.loaded.estate.gateway.tls, candidate.estate.gateway.tls
            if (old is None) != (new is None):
                return self._refuse(("`gateway.tls` was switched on or off. That needs a restart of the gateway.",))
            same = (candidate.files, candidate.beside) == (self.loaded.files, self.loaded.beside)
            if same and self._traffic.config_ok and not (asked and new):
                return ReloadResult("unchanged", "The file is what serves already.", (), self.supervisor.revision)
            held = self._held
            if held is None or held.candidate.estate.digest != candidate.estate.digest:
                held = Held(candidate, "", by, why)
            if accept:
                return await self._accept(Held(candidate, "", by, why), await self._prepared(candidate))
            if reason := reason_to_hold(self.loaded, candidate):
                self._waits = False
                return self._hold(held._replace(reason=reason))
            self.wishes.renew(flipped)
            self.wishes.see(self.loaded.estate, candidate.estate)
            result = None
            while result is None:  # until no record was moved by an override while it was looked at
                result = await self._accept_or_hold(held)
            return result

    async def _accept_or_hold(self, held: Held) -> ReloadResult | None:
        """Serve a file that waits for nothing; None where it has to be looked at anew."""
        candidate, self._waits = held.candidate, False
        if reason := self._gone_back(candidate.estate):
            return self._hold(held._replace(reason=reason))
        moving = moved(self.loaded.estate, candidate.estate, self._traffic.standings)
        with self.moving.still(moving):
            waits = await self.moving.reason_to_wait(moving)
            self._waits = waits is not None
            if waits is not None:
                return self._hold(held._replace(reason=waits))
            prepared = await self._prepared(candidate)
            if reason := self._gone_back(candidate.estate):  # meanwhile
                return self._hold(held._replace(reason=reason))
            if moved(self.loaded.estate, candidate.estate, self._traffic.standings) != moving:
                return None
            return await self._accept(held, prepared)

    def _gone_back(self, estate: Estate) -> str | None:
        """Why a file that has waited is not taken by itself any more."""
        back = self.wishes.gone_back(self.loaded.estate)
        if not back:
            return None
        moving = moved(self.loaded.estate, estate, self._traffic.standings)
        first = "; deliver what is owed first (banyan outbox)" if moving else ""
        return f"{' and '.join(back[:3])} was rolled back or overridden while the file waited{first}"

    def _refuse(self, problems: tuple[str, ...]) -> ReloadResult:
        if problems != self._problems:
            log().error("configuration_refused", problems=list(problems), serving=self.loaded.estate.digest)
        self._problems, self._held = problems, None
        self._traffic.config_ok = False
        message = "The file has problems; the last good one goes on serving."
        return ReloadResult("refused", message, problems, self.supervisor.revision)

    async def take_what_waited(self) -> None:
        """A file that was held because writes are owed is taken once they are not, for as long as this runs."""
        while True:
            await asyncio.sleep(WAITED)
            if self.loaded.estate.gateway.otlp is not None:
                await self.look()
            if self._waits:
                await self._reload(accept=False, asked=False)

    def _hold(self, held: Held) -> ReloadResult:
        if self._held is None or self._held.reason.partition(", and ")[0] != held.reason.partition(", and ")[0]:
            log().warning("configuration_held", reason=held.reason, serving=self.loaded.estate.digest)
        self._held, self._problems = held, ()
        self._traffic.config_ok = False
        meant = "It is taken when they are; at once: banyan reload --accept" if self._waits else _MEANT
        message = f"{held.reason}. The last good one goes on serving. {meant}"
        return ReloadResult("held", message, (), self.supervisor.revision)

    async def _prepared(self, candidate: Loaded) -> Prepared:
        """What it takes a while to make of a file."""
        table = await asyncio.to_thread(compiled, candidate.estate)
        journal = await asyncio.to_thread(self.provenance.journal)
        await self._exchange(candidate.estate)
        return table, journal

    async def _accept(self, held: Held, prepared: Prepared) -> ReloadResult:
        """Serve a file. Where it has nobody's name (`by`), nobody's lever brought it, and it is put into the audit."""
        (candidate, _, by, why), (table, journal), old = held, prepared, self.loaded.estate
        changes = describe_changes(old, candidate.estate)
        try:
            revision = await self.supervisor.serve(candidate.estate)
        except CommandError as error:
            return self._refuse((str(error),))
        table.stand(self._traffic.standings)  # and nobody may change them before the table is the one that serves
        self.loaded, self.table = candidate, table
        act = self.provenance.of(journal, changes, old, candidate.estate)
        self.rollouts.follow(candidate.estate)
        await self.copying.follow(candidate.estate)
        self._held, self._problems, self._waits = None, (), False
        self._loaded_at = datetime.now(UTC)
        self._follow()
        if by:
            self.revisions.note(old, candidate, by, why)
        else:
            await self.auditor.begin(act)
            self.revisions.note(old, candidate, act.who, act.reason, act)
        for change in changes[:50]:
            log().info("route_changed", route=change.name, field=change.field, before=change.before, after=change.after)
        log().info("configuration_accepted", revision=revision, digest=candidate.estate.digest, changes=len(changes))
        return ReloadResult("accepted", f"{len(changes)} changes are being served.", (), revision)

    async def _exchange(self, estate: Estate) -> None:
        await self.exchange.follow(wanted=any(route.crosswalk is not None for route in estate.routes))

    def _follow(self) -> None:
        estate = self.loaded.estate
        self._traffic.config_ok = True
        self._traffic.follow(estate)
        self.discovery.follow(estate)
        self.telemetry.follow(estate)
        self._access.configure(estate.gateway.access_log, {route.name: route.pattern for route in estate.routes})

    # -------------------------------------------------------------------------------------------- what others ask

    @property
    def captures(self) -> "Captures":
        return self.rollouts.captures

    @property
    def replays(self) -> "Replays":
        return self.rollouts.replays

    def status(self) -> dict[str, Any]:
        """Everything about this gateway that a person or a probe may want to know, as plain JSON values."""
        supervisor = self.supervisor
        return {
            "version": __version__,
            "pid": os.getpid(),
            "ready": supervisor.serving,
            "data": {
                "pid": supervisor.pid,
                "serving": supervisor.serving,
                "revision": supervisor.live_revision,
                "restarts": supervisor.restarts,
                **{
                    key: supervisor.stats.get(key)
                    for key in (
                        "connections",
                        "pools",
                        "guards",
                        "addresses",
                        "dropped",
                        "unstored",
                        "late",
                        "stall_max",
                        "busy_max",
                    )
                },
            },
            "store": {
                "available": self.rollouts.keeper.available,
                "why": self.rollouts.keeper.why,
                "replica": self.rollouts.replica,
                "share": self.sharing.count,
            },
            **self.desk.texts(),
            "config": {
                "file": str(self._path.absolute()),
                "digest": self.loaded.estate.digest,
                "revision": supervisor.revision,
                "loaded_at": self._loaded_at.isoformat(timespec="seconds"),
                "last_reload_ok": self._traffic.config_ok,
                "problems": list(self._problems),
                "held": self._held.reason if self._held else None,
            },
        }

    def traffic(self) -> dict[str, dict[str, Any]]:
        return self._traffic.by_route()

    async def metrics(self) -> bytes:
        """Prometheus' text. Read here, and rendered in a thread: with many routes that takes a third of a second."""
        await self.look()
        return await asyncio.to_thread(self._traffic.render)

    async def look(self) -> None:
        """See how the gauges stand, in the loop in which they change."""
        self._traffic.readings = read(self, loaded_at=self._loaded_at.timestamp(), held=self._held is not None)

    def figures(self) -> list[Metric]:
        """The same metrics, as families; of the last look, for whoever asks in another thread."""
        return self._traffic.families()

    def order(self, *message: object) -> bool:
        return self.supervisor.order(*message)


def _paths(files: Files) -> tuple[Path, ...]:
    return tuple(path for path, _ in files)
