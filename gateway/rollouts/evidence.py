"""What each ramp's present stage has seen: counted here as it happens, and taken from the store for other replicas.

Only what began after the stage did counts for it. When a stage ends, what it saw is added to what came before: legacy's
part of that is what a stage of all traffic is held against.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.core.evidence import NO_EVIDENCE, Evidence, Verdict
from gateway.core.gathering import Gatherer
from gateway.core.model import Observation, Outcome, Side
from gateway.core.planning import safe_methods
from gateway.core.policies import Guards
from gateway.core.positions import Position
from gateway.rollouts.standings import RampOf
from gateway.store.values import Document, StoredEvidence

BEFORE = -1
"""The stage under which the evidence of all earlier ones is stored."""
_FAILED = (Outcome.BACKEND_ERROR, Outcome.TIMEOUT)
_REFUSED = Outcome.REFUSED


@dataclass
class Stage:
    """One journey's present stage.

    `counted` was seen here before this process began, `others` on other replicas; `before` by the earlier stages.
    `loaded` tells that the store has been asked, `carried` that what it had of `before` is in there.
    """

    position: Position
    guards: Guards
    routes: frozenset[str]
    gatherers: dict[str, Gatherer] = field(default_factory=dict)
    counted: Evidence = NO_EVIDENCE
    others: Evidence = NO_EVIDENCE
    before: Evidence = NO_EVIDENCE
    others_before: Evidence = NO_EVIDENCE
    loaded: bool = False
    carried: bool = False

    @property
    def generation(self) -> str:
        """What tells this stage's evidence from that of the same stage at another time."""
        return f"{self.position.settings}-{self.position.since:.3f}"

    def gatherer(self, route: str) -> Gatherer:
        found = self.gatherers.get(route)
        if found is None:
            found = self.gatherers[route] = Gatherer(self.guards)
        return found

    def own(self) -> Evidence:
        return sum((each.evidence() for each in self.gatherers.values()), self.counted)


class StageEvidence:
    """The evidence of all ramps, as far as this replica knows it. `replica` is its name in the store."""

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._stages: dict[str, Stage] = {}
        self._journeys: dict[str, str] = {}
        self._safe: dict[str, frozenset[bytes]] = {}

    def follow(self, ramps: Iterable[RampOf], positions: Mapping[str, Position]) -> None:
        """Go by these positions: a stage that has begun meanwhile has seen nothing yet."""
        stages = {}
        for journey, ramp, routes in ramps:
            position = positions.get(journey)
            if position is None:
                continue
            self._safe |= {route.name: safe_methods(route) for route in routes}
            names, old = frozenset(route.name for route in routes), self._stages.get(journey)
            stage = Stage(position, ramp.guards, names)
            if old is not None and old.generation == stage.generation:
                stage = old
                stage.position, stage.routes = position, names
            else:
                if old is not None:
                    stage.carried = old.loaded or old.carried
                    stage.before, stage.others_before = old.before + old.own(), old.others_before + old.others
            stages[journey] = stage
        self._stages = stages
        self._journeys = {route: journey for journey, stage in stages.items() for route in stage.routes}

    # -------------------------------------------------------------------------------------------- counting

    def observed(self, batch: Iterable[Observation]) -> None:
        """Count live attempts of safe requests: a ramp moves no others, and sides must not be told apart by writes.

        Copies, testers and what the gateway refused are no evidence either.
        """
        journeys = self._journeys
        if not journeys:
            return
        for each in batch:
            journey = journeys.get(each.route)
            if journey is None or each.role != "live" or not each.side or each.method not in self._safe[each.route]:
                continue
            stage = self._stages[journey]
            if each.at >= stage.position.since and each.error != "client_gone" and each.outcome != _REFUSED:
                side: Side = "new" if each.side == "new" else "legacy"
                failed = each.outcome in _FAILED
                stage.gatherer(each.route).attempted(side, failed, None if failed else each.duration, each.at)

    def judged(
        self, route: str, verdict: Verdict, control_side: Side, at: float, request: bytes = b"", shape: str = ""
    ) -> str:
        """Count a verdict; the journey that it is evidence for, "" where it is none."""
        journey = self._journeys.get(route, "")
        stage = self._stages.get(journey)
        if stage is None or at < stage.position.since:
            return ""
        stage.gatherer(route).judged(verdict, control_side, at, request, shape)
        return journey

    # -------------------------------------------------------------------------------------------- asking

    def of(self, journey: str) -> tuple[Evidence, Evidence]:
        """What the present stage has seen, and what the earlier ones saw; on all replicas."""
        stage = self._stages.get(journey)
        if stage is None:
            return NO_EVIDENCE, NO_EVIDENCE
        return stage.own() + stage.others, stage.before + stage.others_before

    # -------------------------------------------------------------------------------------------- the store

    def stages(self) -> list[Stage]:
        return list(self._stages.values())

    def to_store(self) -> list[StoredEvidence]:
        """All that was seen here, of the stages that were asked for before: what the store has must not be lost."""
        found = []
        for journey, stage in self._stages.items():
            if not stage.loaded:
                continue
            position = stage.position
            found.append(StoredEvidence(journey, stage.generation, position.stage, stage.own().to_plain()))
            found.append(StoredEvidence(journey, position.settings, BEFORE, stage.before.to_plain()))
        return found

    def take(self, stage: Stage, present: Mapping[str, Document], before: Mapping[str, Document]) -> bool:
        """Take up what the store has of a stage: of other replicas, and at first also what this one saw in the past.

        Whether the others have seen more by now.
        """
        known, stage.others = stage.others, _sum(present, but=self._replica)
        stage.others_before = _sum(before, but=self._replica)
        if not stage.loaded:
            stage.loaded = True
            stage.counted = _sum({name: each for name, each in present.items() if name == self._replica})
            if not stage.carried:
                stage.before += _sum({name: each for name, each in before.items() if name == self._replica})
        return stage.others != known


def _sum(documents: Mapping[str, Document], but: str = "") -> Evidence:
    found = (Evidence.from_plain(each) for replica, each in documents.items() if replica != but)
    return sum(found, NO_EVIDENCE)
