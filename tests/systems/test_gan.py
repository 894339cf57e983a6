"""The GAN's parts: D at its best, penalties, options, and that two dimensions are learned."""

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from pushforward.core import SGD, BadInput, Player
from pushforward.data import DataSpec, Shuffled, open_data
from pushforward.maths.game_values import squared_slope
from pushforward.systems.gan import GAN
from pushforward.training import Trainer, find_rule


def gan(**settings: Any) -> GAN:
    torch.manual_seed(0)
    usual = {"shape": (2,), "latent": 2, "width": 16, "batch_size": 32}
    return GAN(GAN.Config(**(usual | settings)))


def losses(system: GAN) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    batch = {"row": torch.randn(32, 2, generator=torch.Generator().manual_seed(1))}
    torch.manual_seed(1)
    d, g = (player.loss(batch) for player in system.players())
    return {"loss": d[0], **d[1]}, {"loss": g[0], **g[1]}


class OnlyTheDiscriminator(GAN):
    """The generator is a point x = z + 1 of N(1, 1), and does not move."""

    Config = GAN.Config

    def made(self, x: torch.Tensor) -> torch.Tensor:
        return torch.randn_like(x) + 1

    def players(self) -> list[Player]:
        return super().players()[:1]


def test_at_its_best_the_discriminator_says_p_over_p_plus_q() -> None:
    """p = N(0, 1), q = N(1, 1): D within .02 of p / (p + q), and v within .01 of 2 JSD - log 4."""
    system = OnlyTheDiscriminator(GAN.Config((1,), "non_saturating", latent=1, width=32, layers=2, r1=0, r2=0, rate=3e-3, batch_size=1024))
    rows = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))
    train, _ = open_data(DataSpec("memory", held_out=0.0), rows.numpy())
    assert train.centre is not None and train.scale is not None
    for _ in Trainer(system, Shuffled(train, 0), 1024 * 1500, device="cpu").rounds():
        pass
    x = torch.linspace(-2, 3, 101)[:, None]
    with torch.no_grad():
        says = system.discriminator(x).double().sigmoid()[:]
    p, q = (torch.exp(-((x[:, 0].double() - m) ** 2) / 2) for m in (0, 1))
    assert (says - p / (p + q)).abs().max() < 0.02
    grid = torch.linspace(-9, 10, 50_001, dtype=torch.float64)
    p, q = (torch.exp(-((grid - m) ** 2) / 2) / (2 * np.pi) ** 0.5 for m in (0, 1))
    best = (p.log() - q.log()).clamp(-60, 60)
    known = float(((p * logsigmoid(best) + q * logsigmoid(-best)).sum()) * (grid[1] - grid[0]))
    with torch.no_grad():
        logits = system.discriminator(grid[:, None].float()).double()
    reached = float(((p * logsigmoid(logits) + q * logsigmoid(-logits)).sum()) * (grid[1] - grid[0]))
    assert -log(4) < known < 0 and reached == pytest.approx(known, abs=0.01) and reached <= known + 1e-9


def slope(system: GAN, x: torch.Tensor) -> float:
    x = x.clone().requires_grad_()
    return float(squared_slope(system.discriminator(x), x).detach())


@pytest.mark.parametrize(("r1", "r2"), [(0.5, 2.0), (0.5, 0.0), (0.0, 2.0)])
def test_penalties_add_up(r1: float, r2: float) -> None:
    system, without = gan(r1=r1, r2=r2), gan(r1=0, r2=0)
    batch = {"row": torch.randn(32, 2, generator=torch.Generator().manual_seed(1))}
    torch.manual_seed(5)
    loss = float(system.discriminator_loss(batch)[0].detach())
    torch.manual_seed(5)
    made = system.made(batch["row"]).detach()
    torch.manual_seed(5)
    plain = float(without.discriminator_loss(batch)[0].detach())
    assert loss - plain == pytest.approx(r1 / 2 * slope(system, batch["row"]) + r2 / 2 * slope(system, made), rel=1e-3)


@pytest.mark.parametrize(("settings", "rows"), [({"r2": 0.0}, {32}), ({"r1": 0.0}, {32}), ({}, {64})])
def test_a_penalty_of_one_side_goes_back_through_that_side_alone(settings: dict[str, Any], rows: set[int]) -> None:
    """Slopes at real examples do not pass through generated ones, nor the other way round; both together go once."""
    system, passes = gan(**settings), []
    first = next(part for part in system.discriminator.modules() if isinstance(part, torch.nn.Linear))
    first.register_full_backward_hook(lambda _, into, out: passes.append(len(out[0])))
    system.discriminator_loss({"row": torch.randn(32, 2)})
    assert set(passes) == rows and len(passes) == 1


def test_the_penalty_between_examples_leads_back_to_the_generator() -> None:
    """As rules of second order need it, which turn the field by how D's gradient changes with G."""
    batch = {"image": torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1}
    moved = []
    for weight in (0.0, 10.0):
        system = gan(shape=(1, 8, 8), net="residual", gradient_penalty=weight, objective="wasserstein", r1=0, r2=0)
        torch.manual_seed(5)
        moved.append(torch.autograd.grad(system.discriminator_loss(batch)[0], next(system.generator.parameters()))[0])
    assert not torch.allclose(*moved)


def test_momentum_and_averages_are_those_asked_for() -> None:
    """Negative momentum too; of uniform averages the twin is the mean of G's weights at the start and after every round."""
    system = gan(optimiser="sgd", momentum=-0.5, averaging="uniform", rate=0.05)
    assert [player.optimiser for player in system.players()] == [SGD(0.05, -0.5)] * 2
    train, _ = open_data(DataSpec("eight"))
    ways = [next(system.generator.parameters()).detach().clone()]
    for _ in Trainer(system, Shuffled(train, 0), 32 * 6, device="cpu").rounds():
        ways.append(next(system.generator.parameters()).detach().clone())
    torch.testing.assert_close(next(system.averaged.parameters()), torch.stack(ways).mean(0))
    with pytest.raises(BadInput, match=r"momentum is 0\.9, but Adam has its own"):
        gan(momentum=0.9)


def test_lazy_penalties_come_now_and_then_and_heavier() -> None:
    system, plain = gan(r1=1.0, r2=0.0, lazy=4), losses(gan(r1=0, r2=0))[0]["loss"]
    real = torch.randn(32, 2, generator=torch.Generator().manual_seed(1))
    assert float((losses(system)[0]["loss"] - plain).detach()) == pytest.approx(2 * slope(system, real), rel=1e-3)
    system.enter(system.schedule(32, 1000))
    assert float((losses(system)[0]["loss"] - plain).detach()) == 0


def test_adaptive_views_grow_while_real_examples_are_known_and_shrink_again() -> None:
    system = gan(shape=(1, 8, 8), augment="adaptive")
    assert float(system.strength) == 0
    for _ in range(100):
        system.adapt("discriminator", {"above": torch.tensor(0.9)})
    assert float(system.strength) == pytest.approx(100 * 32 / 500_000)
    for _ in range(200):
        system.adapt("discriminator", {"above": torch.tensor(0.5)})
    assert float(system.strength) == 0
    system.enter(system.schedule(3_200, 32_000))
    for _ in range(100):
        system.adapt("discriminator", {"above": torch.tensor(0.9)})
    assert float(system.strength) == pytest.approx(100 * 32 / 8_000), "a quarter of a short run"
    assert float(gan(shape=(1, 8, 8), augment="always").strength) == 1
    with pytest.raises(BadInput, match="rows of a table have no views"):
        gan(augment="always")


@pytest.mark.parametrize(
    "settings",
    [
        {"spectral": True, "objective": "hinge"},
        {"maxout": 3, "dropout": 0.5, "optimiser": "sgd", "objective": "minimax", "r1": 0, "r2": 0},
        {"gradient_penalty": 10.0, "turns": 5, "objective": "wasserstein", "r1": 0, "r2": 0},
        {"net": "mlp_2014", "maxout": 4, "shape": (1, 8, 8)},
    ],
)
def test_the_other_games_play(settings: dict[str, Any]) -> None:
    system = gan(**settings)
    examples = torch.rand(200, *system.config.shape, generator=torch.Generator().manual_seed(0))
    train, _ = open_data(DataSpec("memory", held_out=0.0), examples if examples.ndim == 4 else examples.numpy())
    trainer = Trainer(system, Shuffled(train, 0), 32 * 6, device="cpu")
    for _ in trainer.rounds():
        pass
    assert all(np.isfinite(value) for value in trainer.report().values())
    assert system.players()[0].turns == settings.get("turns", 1)


def test_the_generator_of_2014_starts_from_the_mean_image() -> None:
    examples = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    train, _ = open_data(DataSpec("memory", held_out=0.0), examples)
    system = gan(net="mlp_2014", maxout=4, shape=(1, 8, 8))
    for _ in Trainer(system, Shuffled(train, 0), 32 * 3, device="cpu").rounds():
        pass
    assert train.image is not None
    mean = train.image.double().div(255).mean(0)
    for generator in (system.generator, system.averaged):
        torch.testing.assert_close(generator.often, mean.logit().float(), rtol=1e-4, atol=1e-4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"maxout": 200}, "maxout is 200, but a layer has"),
        ({"maxout": 5, "shape": (1, 32, 32)}, "no layers of maxout units"),
        ({"net": "residual"}, "net is 'residual', whose convolutions need images, but the data are rows of 2 numbers"),
    ],
)
def test_networks_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        gan(**settings)


def test_spectral_residual_networks_start_and_judge_finitely() -> None:
    system = gan(shape=(1, 12, 12), net="residual", width=8, spectral=True, objective="hinge", r1=0.0, r2=0.0)
    assert torch.isfinite(system.judge({"image": torch.rand(4, 1, 12, 12)})).all()


def test_spectral_layers_have_norm_one() -> None:
    system = gan(spectral=True)
    system.discriminator.train()
    for _ in range(300):  # each forward pass is one step of a power iteration
        system.discriminator(torch.randn(8, 2))
    for part in system.discriminator.modules():
        if isinstance(part, torch.nn.Linear):
            assert float(torch.linalg.matrix_norm(part.weight.detach(), 2)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("objective", "calls"), [("relativistic", [True, False]), ("non_saturating", [True])])
def test_nothing_goes_back_through_d_on_real_examples_while_g_moves(objective: str, calls: list[bool]) -> None:
    system, backwards = gan(objective=objective), []
    system.discriminator.requires_grad_(False)
    system.discriminator.register_forward_hook(lambda _, __, logits: backwards.append(logits.requires_grad))
    losses(system)
    assert backwards[-len(calls) :] == calls
    system.discriminator.requires_grad_(True)  # where D's weights ask for slopes, as in slopes of slopes, D(x) has a part in them
    losses(system)
    assert all(backwards[-len(calls) :])


@pytest.mark.parametrize(("rule", "passes"), [("alternating", 1), ("simultaneous", 1), ("extragradient", 2)])
def test_both_players_play_on_one_pass_through_g(rule: str, passes: int) -> None:
    """G learns from the very examples that D has judged, and makes others where it has moved meanwhile."""
    system, made = gan(), []
    system.generator.register_forward_hook(lambda _, __, x: made.append(x.detach().clone()))
    train, _ = open_data(DataSpec("moons"))
    trainer = Trainer(system, Shuffled(train, 0), 32 * 3, rule=find_rule(rule), device="cpu")
    trainer.round()
    assert len(made) == passes and (passes == 1 or not torch.equal(*made))
    trainer.round()
    assert len(made) == 2 * passes and not torch.equal(made[0], made[passes])
