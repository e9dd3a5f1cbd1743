"""People ask where traffic goes, and move it: what they order holds, is remembered, and says how to go back."""

import asyncio
from pathlib import Path
from time import time

import pytest

from gateway.core.events import Event
from gateway.core.policies import Standing
from gateway.errors import CommandError
from tests.rollouts.running import ROUTES, Running, running, sample, until

WHO = ("ann", "500s since 02:40")


async def override(
    found: Running, name: str, serve: str, seconds: float | None = None, *, writes: bool = False
) -> dict[str, object]:
    return await found.desk.override(name, serve, seconds, writes=writes, by="ann", reason="500s")


# ------------------------------------------------------------------------------------------------ overrides


async def test_an_override_holds_at_once_and_is_told_everywhere(tmp_path: Path) -> None:
    """When the order returns, the traffic has been told; routes, status and the list show whose word it is."""
    async with running(tmp_path) as found:
        done = await override(found, "list", "25% new", 7_200)
        assert found.applied["list"] == Standing(override=2_500)
        assert done["holds"] is True
        assert str(done["message"]).startswith("list: 25% new by override until ")
        assert "banyan override list --clear" in str(done["message"])
        row = found.desk.routes()["list"]
        assert row["share"] == 25.0
        assert row["standing"].startswith("25% new by override until ")
        assert found.desk.texts()["overrides"] == {"list": row["standing"]}
        assert [(each["route"], each["by"], each["reason"]) for each in found.desk.overrides()] == [
            ("list", "ann", "500s")
        ]


async def test_the_writes_stay_while_some_are_owed(tmp_path: Path) -> None:
    """A copy that comes late would undo a newer write; reads move all the same."""
    text = ROUTES.replace("{name: list,", "{name: list, writes: {copy: true},")
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        found.owed = 2
        with pytest.raises(CommandError, match="The writes of list stay where they are: 2 of them are not delivered"):
            await override(found, "list", "legacy", writes=True)
        await override(found, "list", "legacy")
        await override(found, "list", "new", writes=True)  # where they are
        found.owed = -1
        with pytest.raises(CommandError, match="it is not known what is owed"):
            await override(found, "list", "legacy", writes=True)
        found.owed = 0
        await override(found, "list", "legacy", writes=True)
        assert found.applied["list"] == Standing(override=0, record="legacy")
        assert found.released == [(["list"], found.applied)]  # new writes were held until it was so
        found.owed = 1
        await override(found, "balance", "new", writes=True)  # it owes nothing to anybody


async def test_a_cleared_override_leaves_the_file_s_word(tmp_path: Path) -> None:
    """The answer says what the route goes by again: the file's share, or its ramp."""
    async with running(tmp_path) as found:
        await override(found, "list", "legacy")
        done = await found.desk.clear_override("list", *WHO)
        assert done["message"] == "The override of list is ended: it goes by the file again (`serve: new`)."
        assert "list" not in found.applied
        await override(found, "balance", "new")
        done = await found.desk.clear_override("balance", *WHO)
        assert done["message"] == "The override of balance is ended: it goes by its ramp again (`serve: ramp`)."
        assert found.desk.overrides() == []


async def test_an_override_ends_with_its_time(tmp_path: Path) -> None:
    """Nobody has to clear it; and it is told that it ended."""
    async with running(tmp_path) as found:
        await override(found, "list", "legacy", 0.05)
        await until(lambda: "list" not in found.applied)
        assert found.desk.routes()["list"] == {"share": 100.0, "standing": ""}
        events = (await found.desk.events(50, None, "list", None))["events"]
        assert [each["type"] for each in events] == ["override.ended", "override.set"]


async def test_an_override_ends_when_the_file_says_something_else(tmp_path: Path) -> None:
    """Whoever flips the route in the file is obeyed."""
    async with running(tmp_path) as found:
        await override(found, "list", "legacy")
        found.rollouts.follow(found.estate(ROUTES.replace("serve: new", "serve: 10% new")))
        assert found.desk.routes()["list"] == {"share": 10.0, "standing": ""}


@pytest.mark.parametrize(("serve", "record"), [("legacy", "legacy"), ("new", "new")])
async def test_an_override_moves_writes_only_when_asked(tmp_path: Path, serve: str, record: str) -> None:
    """With `writes` the same side takes them; otherwise they stay where they are."""
    async with running(tmp_path) as found:
        await override(found, "list", serve)
        assert found.applied["list"].record is None
        await override(found, "list", serve, writes=True)
        assert found.applied["list"].record == record


async def test_writes_stay_where_an_override_has_given_them(tmp_path: Path) -> None:
    """Until somebody moves them, or ends it: not another override, and not a rollback, which says where they are."""
    async with running(tmp_path) as found:
        await override(found, "list", "legacy", writes=True)
        await override(found, "list", "50% new")
        assert found.applied["list"] == Standing(override=5_000, record="legacy")
        done = await found.desk.act("list", "rollback", *WHO)
        assert found.applied["list"] == Standing(override=0, record="legacy")
        assert "writes" not in done["message"]
        await override(found, "list", "new", writes=True)
        done = await found.desk.act("list", "rollback", *WHO)
        assert found.applied["list"] == Standing(override=0, record="new")
        assert "Its writes still go to new" in done["message"]
        await found.desk.clear_override("list", *WHO)
        assert "list" not in found.applied


async def test_an_order_that_says_nothing_of_writes_does_not_send_them_back(tmp_path: Path) -> None:
    """One that ends sooner than the override which holds them would: it is refused, and says what to do instead."""
    async with running(tmp_path) as found:
        await override(found, "list", "legacy", writes=True)
        with pytest.raises(CommandError, match="holds the writes of list on legacy, and this one would send them back"):
            await override(found, "list", "new", 7_200)
        await override(found, "list", "new")
        assert found.applied["list"] == Standing(override=10_000, record="legacy")
        await override(found, "list", "new", 7_200, writes=True)
        await override(found, "list", "legacy", 60)  # its record is the file's as well
        await override(found, "list", "legacy", 7_200, writes=True)
        await override(found, "list", "new", 9_000)
        with pytest.raises(CommandError, match="would send them back"):
            await override(found, "list", "new", 60)


async def test_an_override_that_holds_writes_is_not_ended_while_some_are_owed(tmp_path: Path) -> None:
    """They would go back to the file's record, past what has yet to be delivered there."""
    text = ROUTES.replace("{name: list,", "{name: list, writes: {copy: true},")
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        await override(found, "list", "legacy", writes=True)
        found.owed = 2
        with pytest.raises(CommandError, match="The writes of list stay where they are: 2 of them are not delivered"):
            await found.desk.clear_override("list", *WHO)
        assert found.applied["list"] == Standing(override=0, record="legacy")
        found.owed = 0
        await found.desk.clear_override("list", *WHO)
        found.owed = 2
        await override(found, "list", "legacy")
        await found.desk.clear_override("list", *WHO)  # it holds none


@pytest.mark.parametrize("serve", ["ramp", "retired", "newer", "25%", "101% new", ""])
async def test_what_an_override_cannot_serve_is_refused(tmp_path: Path, serve: str) -> None:
    """The words are those of the file, but for those that are no side."""
    async with running(tmp_path, stored=False) as found:
        with pytest.raises(CommandError, match="write legacy, new, or a share such as 25% new"):
            await override(found, "list", serve)
        assert found.desk.overrides() == []


async def test_writes_are_not_shared(tmp_path: Path) -> None:
    """A share of writes is refused: half of them here and half there is no state that anybody wants."""
    async with running(tmp_path, stored=False) as found:
        with pytest.raises(CommandError, match="Writes cannot be shared"):
            await override(found, "list", "25% new", writes=True)


async def test_what_does_not_hold_yet_says_so(tmp_path: Path) -> None:
    """When the data process does not go by it, nobody is told that it does."""
    async with running(tmp_path, stored=False) as found:
        found.holds = False
        done = await override(found, "list", "legacy")
        assert done["holds"] is False
        assert str(done["message"]).endswith(" The data process does not go by it yet: see `banyan status`.")


# ------------------------------------------------------------------------------------------------ ramps


async def test_a_ramp_is_told_by_each_of_its_names(tmp_path: Path) -> None:
    """A journey and its routes ramp together, so any of the names will do; others are refused with what to do."""
    async with running(tmp_path) as found:
        assert found.desk.ramp("rents")["routes"] == ["lines", "balance"]
        assert found.desk.ramp("balance")["ramp"] == found.desk.ramp("lines")["ramp"] == "rents"
        assert [each["ramp"] for each in found.desk.ramps()] == ["rents"]
        with pytest.raises(CommandError, match="does not ramp"):
            found.desk.ramp("list")
        with pytest.raises(CommandError, match="no route and no journey"):
            found.desk.ramp("rentz")


async def test_a_ramp_that_is_promoted_moves_all_its_routes(tmp_path: Path) -> None:
    """The share, the words and the answer are those of the new stage."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        done = await found.desk.act("balance", "promote", *WHO)
        assert done["message"] == "rents is at stage 2 of 5, 5 %, by your word. To go back: banyan rollback rents"
        assert (done["ramp"]["stage"], done["ramp"]["share"], done["ramp"]["by"]) == (2, 5.0, "ann")
        assert {name: row["standing"] for name, row in found.desk.routes().items() if row["standing"]} == {
            "lines": "5 %, climbing",
            "balance": "5 %, climbing",
        }
        assert found.desk.texts()["ramps"] == {"rents": "5 %, climbing"}


async def test_a_rollback_outlasts_a_restart(tmp_path: Path) -> None:
    """Rolled back, a ramp stays so in the next process, whatever the evidence, until a person resumes it."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await found.desk.act("rents", "rollback", *WHO)
        assert found.applied["balance"].ramp == 0
    async with running(tmp_path) as found:
        assert found.desk.routes()["balance"] == {"share": 0.0, "standing": "0 %, rolled back"}
        assert found.desk.ramp("rents")["why"] == "500s since 02:40"
        await until(lambda: found.rollouts.keeper.available)
        done = await found.desk.act("rents", "resume", *WHO)
        assert done["ramp"]["share"] == 1.0


async def test_a_rollback_ends_overrides_that_keep_traffic_on_new(tmp_path: Path) -> None:
    """An override goes before a ramp, so one to new would make rolling back a word without effect at 3 a.m."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await override(found, "balance", "new")
        await override(found, "lines", "legacy")
        done = await found.desk.act("rents", "rollback", *WHO)
        assert done["message"].endswith("banyan restart rents. The override of balance is ended, too.")
        assert {name: row["share"] for name, row in found.desk.routes().items() if name in ("balance", "lines")} == {
            "balance": 0.0,
            "lines": 0.0,
        }
        assert [each["route"] for each in found.desk.overrides()] == ["lines"]


async def test_nor_is_one_of_a_ramp_that_was_back(tmp_path: Path) -> None:
    """It ends the override that had new serve; an order to new that was looked at before is not carried out."""
    text = ROUTES.replace("name: balance\n    match: GET", "name: balance\n    writes: {copy: true}\n    match: ANY")
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await found.desk.act("rents", "rollback", *WHO)
        await override(found, "balance", "new")
        found.meanwhile = lambda: found.desk.act("rents", "rollback", "bob", "500s")
        with pytest.raises(CommandError, match="balance was rolled back or overridden meanwhile"):
            await override(found, "balance", "new", writes=True)
        assert found.applied["balance"][:2] == (None, None)


@pytest.mark.parametrize("order", ["clear", "writes"])
async def test_a_rollback_is_not_undone_by_what_was_ordered_before(tmp_path: Path, order: str) -> None:
    """An order that waits for what is owed looks again before it is carried out: the later word holds."""
    text = ROUTES.replace("{name: list,", "{name: list, writes: {copy: true},")
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        await override(found, "list", "legacy", writes=True)
        found.meanwhile = lambda: found.desk.act("list", "rollback", "bob", "500s")
        clear, move = found.desk.clear_override("list", *WHO), override(found, "list", "new", writes=True)
        ordered, other = (clear, move) if order == "clear" else (move, clear)
        other.close()
        with pytest.raises(CommandError, match="list was rolled back or overridden meanwhile, and nothing was done"):
            await ordered
        assert found.applied["list"] == Standing(override=0, record="legacy")
        assert [each["by"] for each in found.desk.overrides()] == ["bob"]


async def test_all_of_it_goes_back_whatever_a_guard_does_meanwhile(tmp_path: Path) -> None:
    """Who sends reads and writes to legacy undoes no rollback, and is not refused for one."""
    text = ROUTES.replace(
        "  - name: balance\n    match: GET", "  - name: balance\n    writes: {copy: true}\n    match: ANY"
    )
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await override(found, "balance", "new", writes=True)
        found.meanwhile = lambda: found.rollouts.actions.act("rents", "rollback", "", "too many errors")
        await override(found, "balance", "legacy", writes=True)
        assert found.applied["balance"][:2] == (0, "legacy")


async def test_a_ramp_that_is_back_takes_its_overrides_back_too(tmp_path: Path) -> None:
    """An override may have new serve all the same, and is ended."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await found.desk.act("rents", "rollback", *WHO)
        await override(found, "balance", "new")
        done = await found.desk.act("balance", "rollback", *WHO)
        assert done["message"] == "The ramp is on legacy already. The override of balance is ended, too."
        assert found.desk.routes()["balance"]["share"] == 0.0
        again = await found.desk.act("balance", "rollback", *WHO)
        assert (again["message"], again["holds"]) == ("The ramp is on legacy already.", True)


async def test_a_ramp_that_has_not_begun_does_not_begin_after_a_rollback(tmp_path: Path) -> None:
    """The store is away, and so nobody knows where it stands; it stays back when the store is there again."""
    async with running(tmp_path) as found:  # another one has begun it, and let it go on
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await found.desk.act("rents", "promote", *WHO)
    found.rollouts.standings._path.unlink()
    async with running(tmp_path, stored=False) as found:
        await override(found, "balance", "new")
        done = await found.desk.act("balance", "rollback", *WHO)
        assert done["message"].endswith(" The override of balance is ended, too.")
        assert found.desk.routes()["balance"] == {"share": 0.0, "standing": "0 %, rolled back"}
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.keeper.available)
        await asyncio.sleep(0.2)
        assert found.desk.routes()["balance"] == {"share": 0.0, "standing": "0 %, rolled back"}


async def test_a_rollback_leaves_writes_that_an_override_has_moved(tmp_path: Path) -> None:
    """Reads go back at once; whether new's data may be left behind is not decided at night."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await override(found, "balance", "new", writes=True)
        done = await found.desk.act("rents", "rollback", *WHO)
        assert done["message"].endswith(
            "banyan restart rents. Reads of balance are on legacy, and its override keeps the writes on new: before "
            "the ramp can go on, banyan override balance --clear --reason ..."
        )
        assert (found.applied["balance"].override, found.applied["balance"].record) == (0, "new")


async def test_an_override_does_not_outlive_its_sides(tmp_path: Path) -> None:
    """A file that takes one away ends it, so that no write goes where nobody is; a rollback does not bring it back."""
    text = ROUTES.replace("legacy: office, new: repairs, serve: new}", "legacy: office, new: repairs, serve: legacy}")
    async with running(tmp_path) as found:
        found.rollouts.follow(found.estate(text))
        await override(found, "list", "legacy")
        await override(found, "list", "new", writes=True)
        await found.desk.act("list", "rollback", *WHO)
        assert found.applied["list"] == Standing(override=0, record="new")
        found.rollouts.follow(
            found.estate(text.replace("legacy: office, new: repairs, serve: legacy}", "legacy: office}"))
        )
        assert "list" not in found.applied
        await found.desk.act("list", "rollback", *WHO)
        assert found.applied["list"] == Standing(override=0)


async def test_a_route_that_does_not_ramp_is_rolled_back_by_an_override(tmp_path: Path) -> None:
    """Rolling back works for every route, without an end; that its writes stay on new is said."""
    async with running(tmp_path) as found:
        done = await found.desk.act("list", "rollback", *WHO)
        assert found.applied["list"] == Standing(override=0)
        assert (done["override"]["serve"], done["override"]["until"]) == ("legacy", None)
        assert done["message"] == (
            "list does not ramp, so this is an override without an end: legacy serves all its reads. To go back to the "
            "file: banyan override list --clear --reason ... Its writes still go to new: "
            "`banyan override list legacy --writes` moves them, too."
        )
        assert "writes" not in (await found.desk.act("rest", "rollback", *WHO))["message"]
        found.rollouts.follow(found.estate(ROUTES.replace("match: ANY /repairs", "match: GET /repairs")))
        assert "writes" not in (await found.desk.act("list", "rollback", *WHO))["message"]


@pytest.mark.parametrize(("name", "says"), [("gone", "is retired"), ("rentz", "no route and no journey")])
async def test_what_cannot_be_rolled_back_says_why(tmp_path: Path, name: str, says: str) -> None:
    """A mistyped name, or a route that answers 410, moves nothing."""
    async with running(tmp_path, stored=False) as found:
        with pytest.raises(CommandError, match=says):
            await found.desk.act(name, "rollback", *WHO)
        assert found.desk.overrides() == []


async def test_a_ramp_that_cannot_tell_where_it_stands_serves_legacy(tmp_path: Path) -> None:
    """Without a store a ramp does not begin, and says what it waits for; a retired route has no share."""
    async with running(tmp_path, stored=False) as found:
        assert found.desk.routes()["balance"] == {"share": 0.0, "standing": "0 %, not begun"}
        assert found.desk.routes()["gone"] == {"share": None, "standing": ""}
        assert [each["guard"] for each in found.desk.ramp("rents")["missing"]] == ["state"]
        with pytest.raises(CommandError, match="has not begun"):
            await found.desk.act("rents", "promote", *WHO)


# ------------------------------------------------------------------------------------------------ telling


async def test_comparisons_of_a_route_are_told(tmp_path: Path) -> None:
    """Since when, for how long, and what was seen; without a store, why there is no more."""
    async with running(tmp_path, stored=False) as found:
        found.rollouts.sampled([sample(b'{"at": 1}', b'{"at": 1}')], {}, {})
        await until(lambda: bool(found.rollouts.keeper.counts.verdicts))
        report = await found.desk.shadow("balance", 2)
        assert (report["hours"], report["verdicts"]["matched"]) == (2, 1)
        assert report["store"] == "The store cannot be had: The store is away."
        with pytest.raises(CommandError, match="no route 'rents'"):
            await found.desk.shadow("rents", 2)


async def test_events_of_a_route_are_those_of_its_ramp_too(tmp_path: Path) -> None:
    """Whoever asks about a route learns what happened to its traffic, whoever's word that was."""
    async with running(tmp_path) as found:
        await until(lambda: found.rollouts.standings.positions["rents"].stage == 0)
        await found.desk.act("rents", "pause", *WHO)
        await override(found, "balance", "legacy")
        await override(found, "list", "legacy")
        await until(lambda: not found.rollouts.teller.untold)
        told = (await found.desk.events(50, None, "balance", None))["events"]
        assert [(each["type"], each["by"]) for each in told] == [
            ("override.set", "ann"),
            ("ramp.paused", "ann"),
            ("ramp.promoted", ""),
            ("ramp.started", ""),
        ]
        everything = (await found.desk.events(2, None, None, None))["events"]
        assert [each["route"] for each in everything] == ["list", "balance"]
        older = (await found.desk.events(50, everything[-1]["id"], None, "rents"))["events"]
        assert [each["type"] for each in older] == ["ramp.paused", "ramp.promoted", "ramp.started"]


async def test_an_event_that_the_store_is_just_being_told_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may leave the list of the untold while the store, which did not have it yet, answers."""
    async with running(tmp_path, stored=False) as found:
        await override(found, "list", "legacy")

        class Telling:
            async def events(self, limit: int, **_: object) -> list[Event]:
                found.rollouts.teller.untold.clear()
                return []

        monkeypatch.setattr(found.rollouts.keeper, "opened", Telling)
        told = (await found.desk.events(50, None, "list", None))["events"]
        assert [each["type"] for each in told] == ["override.set"]


async def test_events_without_a_store_are_those_it_has_yet_to_be_told(tmp_path: Path) -> None:
    """What happens while the store is away is told all the same, and that it is not all."""
    async with running(tmp_path, stored=False) as found:
        await override(found, "list", "legacy")
        told = await found.desk.events(50, None, "list", None)
        assert [(each["type"], each["route"]) for each in told["events"]] == [("override.set", "list")]
        assert told["store"] == "The store cannot be had: The store is away."
        assert (await found.desk.events(50, None, "rest", None))["events"] == []
        assert time() - 10 < found.rollouts.teller.untold[-1].at <= time()
