"""The loop. It knows players, not papers.

One round: players' modules to train mode -> the players that play -> the rule -> averages -> adapt -> seen += batch_size -> next stage.
Random numbers of a step are a function of (seed, seen, player, turn, shard), batches of (seed, stream, seen): nothing random is saved.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from pushforward.core import BadInput, Batch, Moments, Player, Source, System, Terms
from pushforward.training import machines
from pushforward.training.averages import Averages
from pushforward.training.fields import Field
from pushforward.training.rules import UNCOMPILED, Alternating, Rule

LIMIT = 1e18
"""A loss or gradient above this counts as infinite: little more and its square leaves float32."""


class Diverged(ArithmeticError):
    """A loss or a gradient is NaN or infinite: names the player, the term and the images seen."""


class Trainer:
    """Trains any system on any source.

    system: moved to `device` and laid out for speed; source: batches; images: how many to train for in all.
    precision: "float32" or "bfloat16" (autocast); clip: largest norm of a player's gradient, 0 for none;
    shards: parts a batch is cut into, each evaluated on its own (gradient accumulation, and the unit that ranks share).
    """

    def __init__(
        self,
        system: System,
        source: Source,
        images: int,
        *,
        rule: Rule | None = None,
        seed: int = 0,
        shards: int = 1,
        precision: machines.Precision = "auto",
        clip: float = 0.0,
        compiled: bool = False,
        device: torch.device | str | None = None,
    ):
        self.device = torch.device(device) if device else machines.usual_device()
        self.system, self.source, self.images = system.to(self.device), source, images
        self.rule, self.seed, self.shards, self.clip = rule or Alternating(), seed, shards, clip
        self.compiled = compiled and system.compiles and machines.can_compile()
        system.eval()  # parts that belong to no player stay so from the first round on
        machines.lay_out(system)
        self.precision = machines.choose_precision(precision, system, self.device)
        self.seen, self.slower = 0, 1.0
        self.averages = Averages()
        self.memory: dict[str, Field] = {}
        self.sums: dict[str, Tensor] = {}
        self.counted: dict[str, int] = {}
        self.enter()
        machines.check_shards(shards, self.stage.batch_size, system)
        everyone = system.players()
        self.modules = {player.name: player.module for player in everyone}
        self.weights = {name: list(module.parameters()) for name, module in self.modules.items()}
        self.running = [b for m in self.modules.values() for b in m.buffers()]
        self.moments: dict[str, Moments] = {player.name: {} for player in everyone}
        self.players: list[Player] = everyone
        self.batches: dict[tuple[int, int], Batch] = {}
        self.terms: dict[str, Terms] = {}
        self.losses: dict[str, Callable[[Batch], tuple[Tensor, Terms]]] = {}
        self.movers: set[str] = set()

    def rounds(self) -> Iterator[None]:
        """Train to the end, pausing after every round: `for _ in trainer.rounds(): ...`. The caller's generators are left alone."""
        with machines.generators_left_alone():
            while self.seen < self.images:
                self.round()
                yield

    def round(self) -> None:
        """One round of the game."""
        era, images = self.stage.era, self.stage.batch_size
        for module in self.modules.values():  # paused players' too, but never the whole system: frozen parts stay in eval
            if not module.training:
                module.train()
        self.players = [player for player in self.system.players() if player.plays]
        self.batches, self.terms = {}, {}
        self.rule.round(self)
        for player in self.players:
            if player.average:
                self.averages.follow(player.average, player.module, images)
            self.system.adapt(player.name, self.terms[player.name])
        self.count()
        self.seen += images
        self.enter()
        if self.stage.era != era:
            self.forget()
            self.survey()

    def survey(self) -> None:
        """Let the system look at all examples, in the precision of the training, drawing nothing from the caller's generators."""
        machines.sow(self.device, machines.seed_of(self.seed, self.seen, "survey"))
        with torch.no_grad(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            self.system.survey(self.source)

    def enter(self) -> None:
        """Make the stage of `seen` the current one."""
        stage = self.system.schedule(self.seen, self.images)
        self.stage = replace(stage, rate=stage.rate * self.slower)
        self.system.enter(self.stage)

    def forget(self) -> None:
        """Clear optimiser moments and the rule's memory: what was learned of the slopes of another era misleads."""
        self.memory = {}
        self.moments = {name: {} for name in self.moments}

    def field(self, movers: list[Player], turn: int = 0) -> Field:
        """Each mover's gradient of its own loss, averaged over shards and ranks; everyone else frozen.

        Raises:
            Diverged: a loss or gradient is not finite.
        """
        self.freeze_others({player.name for player in movers})
        weights = [[w for w in self.weights[player.name] if w.requires_grad] for player in movers]
        before = [b.clone() for b in self.running] if self.shards > 1 else []
        found = []
        for shard in machines.mine(self.shards):
            for buffer, old in zip(self.running, before, strict=False):
                buffer.copy_(old)  # each shard starts from the same running statistics
            losses, terms = zip(*(self.evaluate(player, turn, shard) for player in movers), strict=True)
            slopes = [torch.autograd.grad(loss, own, allow_unused=True) for loss, own in zip(losses, weights, strict=True)]
            field: Field = {w: g for own, gs in zip(weights, slopes, strict=True) for w, g in zip(own, gs, strict=True) if g is not None}
            changes = [b - old for b, old in zip(self.running, before, strict=False) if b.is_floating_point()]
            found.append([*field.values(), *(t.detach() for ts in terms for t in ts.values()), *changes])
        mean = iter(machines.mean_over_shards(found, self.shards))
        field = {w: next(mean) for w in field}
        told = {player.name: {key: next(mean) for key in ts} for player, ts in zip(movers, terms, strict=True)}
        for buffer, old in zip(self.running, before, strict=False):
            if buffer.is_floating_point():  # counters stand where each shard left them
                buffer.copy_(old + next(mean))
        self.terms |= told
        return self.checked(field, told)

    def twist(self, along: Field) -> tuple[Field, Field]:
        """J^T f and J f for a field f, J the Jacobian of all players' gradients together: second slopes, nobody frozen.

        Raises:
            BadInput: losses are compiled, and have no second slopes.
        """
        if self.compiled:
            raise BadInput(UNCOMPILED)
        self.freeze_others({player.name for player in self.players})
        weights, before = list(along), [b.clone() for b in self.running]
        found = []
        for shard in machines.mine(self.shards):
            slopes: list[Tensor] = []
            own: list[Tensor] = []
            for player in self.players:
                loss, mine = self.evaluate(player, 0, shard)[0], [w for w in self.weights[player.name] if w in along]
                slopes += torch.autograd.grad(loss, mine, create_graph=True, materialize_grads=True)
                own += mine
            found.append([*products(slopes, own, weights, along)])
        for buffer, old in zip(self.running, before, strict=True):
            buffer.copy_(old)  # `field` has moved them already
        mean = iter(machines.mean_over_shards(found, self.shards))
        return {w: next(mean) for w in weights}, {w: next(mean) for w in weights}

    def rotation(self) -> float | None:
        """How much the game turns where it stands, from 0 (all descend together) to 1 (players only orbit, as in v = a b): |A F| / (|S F| +
        |A F|), S and A the symmetric and antisymmetric part of the Jacobian of the field F. None for a lone player, or compiled losses."""
        if len(self.players) < 2 or self.compiled:
            return None
        told, running = dict(self.terms), [b.clone() for b in self.running]
        self.batches = {}
        now = self.field(self.players)
        along, against = self.twist(now)
        with torch.no_grad():
            straight, turning = (torch.stack(torch._foreach_norm([along[w] + sign * against[w] for w in now])).norm() for sign in (1, -1))
            for buffer, old in zip(self.running, running, strict=True):
                buffer.copy_(old)
        self.batches, self.terms = {}, told
        return float(turning / (straight + turning).clamp(min=1e-30))

    def checked(self, field: Field, told: dict[str, Terms]) -> Field:
        """`field`, each player's gradient cut to the clipping norm; refused where a loss or gradient is not finite."""
        for name, terms in told.items():
            own = [field[w] for w in self.weights[name] if w in field]
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(own))) if own else terms["loss"].new_zeros(())
            if not norm + terms["loss"].abs() < LIMIT:
                raise Diverged(self.blame(name, field, terms))
            if self.clip and own:
                torch._foreach_mul_(own, torch.clamp(self.clip / (norm + 1e-6), max=1.0))
        return field

    def blame(self, player: str, field: Field, terms: Terms) -> str:
        """Which of a player's terms or gradients is not finite."""
        when = f"player '{player}' is not finite after {self.seen} images"
        for name, value in terms.items():
            if name != "loss" and not finite(value):
                return f"The term '{name}' of {when}"
        if not finite(terms["loss"]):
            return f"The loss of {when}"
        names = [key for key, w in self.modules[player].named_parameters() if w in field and not finite(field[w])]
        return f"The gradient of '{names[0] if names else 'all weights'}' of {when}"

    def evaluate(self, player: Player, turn: int, shard: int) -> tuple[Tensor, Terms]:
        """A player's loss and terms on its batch of this turn and shard, with the random numbers that belong to it."""
        if (turn, shard) not in self.batches:
            self.batches[turn, shard] = machines.moved(self.source.batch(self.stage, turn, shard, self.shards), self.device)
        machines.sow(self.device, machines.seed_of(self.seed, self.seen, player.name, turn, shard))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            loss, terms = self.loss_of(player)(self.batches[turn, shard])
        return loss, {"loss": loss} | terms

    def loss_of(self, player: Player) -> Callable[[Batch], tuple[Tensor, Terms]]:
        """A player's loss, compiled once where that was asked for."""
        if not self.compiled:
            return player.loss
        if player.name not in self.losses:
            self.losses[player.name] = torch.compile(player.loss, dynamic=False)
        return self.losses[player.name]

    def freeze_others(self, names: set[str]) -> None:
        """Only the movers' weights ask for gradients."""
        if names == self.movers:
            return
        for name, own in self.weights.items():
            for weight in own:
                weight.requires_grad_(name in names)
        self.movers = names

    def move(self, field: Field) -> None:
        """One optimiser step of each player that has a gradient in `field`, at the stage's rate."""
        for player in self.players:
            own: list[Tensor] = [w for w in self.weights[player.name] if w in field]
            if own:
                # the fused kernel is silently wrong where a gradient lies otherwise in memory than its weight
                slopes = [g if g.stride() == w.stride() else as_laid_out(g, w) for w, g in ((w, field[w]) for w in own)]
                player.optimiser.step(own, slopes, self.moments[player.name], self.stage.rate)

    def count(self) -> None:
        """Add this round's scalar terms to the sums that the next report averages."""
        for player, terms in self.terms.items():
            for name, value in terms.items():
                if value.ndim == 0:
                    key = f"{player}/{name}"
                    self.sums[key] = self.sums[key] + value.double() if key in self.sums else value.double()
                    self.counted[key] = self.counted.get(key, 0) + 1

    def report(self) -> dict[str, float]:
        """Mean of each term over the rounds since the last report that had it; starts the next."""
        latest = [f"{player}/{name}" for player, terms in self.terms.items() for name in terms]  # an order that needs no saving
        names = sorted(self.sums, key=lambda key: (latest.index(key) if key in latest else len(latest), key))
        means = {key: self.sums[key].item() / self.counted[key] for key in names}
        self.sums, self.counted = {}, {}
        return means

    def state(self) -> dict[str, Tensor]:
        """All that a checkpoint needs beside the system's weights: optimiser moments, the rule's memory, the report's sums."""
        names: dict[Tensor, str] = {w: f"{player}/{key}" for player, module in self.modules.items() for key, w in module.named_parameters()}
        moments = {
            f"moment/{names[w]}/{key}": value for own in self.moments.values() for w, kept in own.items() for key, value in kept.items()
        }
        remembered = {f"memory/{kept}/{names[w]}": value for kept, field in self.memory.items() for w, value in field.items()}
        return moments | remembered | {f"sum/{key}": value for key, value in self.sums.items()}

    def restore(self, state: dict[str, Tensor], seen: int, slower: float, counted: dict[str, int]) -> None:
        """Undo `state`: afterwards training goes on as if it had never stopped. The system's weights are restored by the caller."""
        self.forget()
        weights = {f"{player}/{key}": w for player, module in self.modules.items() for key, w in module.named_parameters()}
        owner = {w: name for name, own in self.weights.items() for w in own}
        self.sums = {}
        for key, value in state.items():
            kind, _, rest = key.partition("/")
            if kind == "sum":
                self.sums[rest] = value.to(self.device)
            elif kind == "memory":
                kept, _, name = rest.partition("/")
                self.memory.setdefault(kept, {})[weights[name]] = as_laid_out(value, weights[name])
            else:
                name, _, moment = rest.rpartition("/")
                weight = weights[name]
                moved = as_laid_out(value, weight) if value.shape == weight.shape and moment != "step" else value.to(self.device, copy=True)
                self.moments[owner[weight]].setdefault(weight, {})[moment] = moved
        self.seen, self.slower, self.counted = seen, slower, dict(counted)
        self.enter()


def products(slopes: list[Tensor], own: list[Tensor], weights: list[Tensor], along: Field) -> list[Tensor]:
    """J^T f, then J f, in the order of `weights`; slopes: F, of the weights `own`, with the graph that made them."""
    moving = [(slope, w) for slope, w in zip(slopes, own, strict=True) if slope.requires_grad]
    if not moving:  # losses that are linear in everything
        return [torch.zeros_like(w) for w in [*weights, *weights]]
    F, f = [slope for slope, _ in moving], [along[w] for _, w in moving]
    u = [torch.zeros_like(slope, requires_grad=True) for slope in F]
    transposed = torch.autograd.grad(F, weights, f, retain_graph=True, materialize_grads=True)
    linear = torch.autograd.grad(F, weights, u, create_graph=True, materialize_grads=True)  # J^T u, whose slope by u is J
    bent = [(part, along[w]) for part, w in zip(linear, weights, strict=True) if part.requires_grad]
    straight = torch.autograd.grad([part for part, _ in bent], u, [v for _, v in bent], materialize_grads=True)
    forward = {w: part for (_, w), part in zip(moving, straight, strict=True)}
    return [*transposed, *(forward.get(w, torch.zeros_like(w)) for w in weights)]


def as_laid_out(value: Tensor, weight: nn.Parameter | Tensor) -> Tensor:
    """`value` in the memory order of `weight`, which fused optimisers rely on."""
    return torch.empty_like(weight).copy_(value)


def finite(value: Tensor) -> bool:
    """Whether all of `value` is finite and below `LIMIT`."""
    return bool((value.abs() < LIMIT).all())
