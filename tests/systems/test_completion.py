"""Completion: what each stage asks for, what critics are shown, and that what is seen stays."""

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy, softplus

from pushforward.core import Adam, BadInput
from pushforward.data import masks
from pushforward.nets.painters import hole_of
from pushforward.recipes import train
from pushforward.recipes.named import RECIPES
from pushforward.systems.completion import Completion, reconstruction
from pushforward.systems.parsing import Parsing

SIDE = 16


def parser_of(shape: tuple[int, ...] = (3, SIDE, SIDE)) -> Parsing:
    torch.manual_seed(1)
    return Parsing(Parsing.Config(shape, parts=4, width=4))


def system_of(parser: Parsing | None = None, **settings: Any) -> Completion:
    torch.manual_seed(0)
    middle = {"code": 8} if settings.get("form") == "paper" else {}
    return Completion(Completion.Config(**({"shape": (3, SIDE, SIDE), "width": 4} | middle | settings)), parser)


def batch_of(mask: str = "square", count: int = 6) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(2)
    image = torch.rand(count, 3, SIDE, SIDE, generator=chance) * 2 - 1
    image = (image + image.flip(3)) / 2  # its own mirror image, so that mirroring does not matter where the mask is one too
    hole = masks.holes(mask, count, SIDE, SIDE, chance)
    return {"image": image, "mask": hole, "source": image * (1 - hole)}


def at(system: Completion, progress: float) -> Completion:
    system.enter(system.schedule(round(1000 * progress), 1000))
    return system


def test_critics_and_parser_join_one_after_the_other() -> None:
    system = system_of(critics="local+global")
    for progress, expected in ((0.0, {"generator"}), (0.75, {"local", "generator"}), (0.9, {"local", "global", "generator"})):
        assert {player.name for player in at(system, progress).players() if player.plays} == expected
    system = system_of(parser_of())
    for progress, expected in ((0.74, {"generator"}), (0.75, {"patch", "generator"})):
        assert {player.name for player in at(system, progress).players() if player.plays} == expected
    terms = {progress: at(system, progress).generator_loss(batch_of())[1] for progress in (0.89, 0.9)}  # type: ignore[arg-type]
    assert "parsing" not in terms[0.89] and "parsing" in terms[0.9]


def test_critics_play_from_the_first_that_joins() -> None:
    """The global one may be asked before the local one."""
    for progress, playing in ((0.89, False), (0.9, True), (0.96, True)):
        assert at(system_of(critics="local+global", second=0.95), progress).criticised() == playing
    assert not at(system_of(critics="none"), 1.0).criticised()


@pytest.mark.parametrize("kind", ["centre", "eyes", "left", "all of it"])
def test_every_hole_has_the_same_share_of_the_reconstruction(kind: str) -> None:
    mask = torch.ones(3, 1, SIDE, SIDE) if kind == "all of it" else masks.holes(kind, 3, SIDE, SIDE, torch.Generator().manual_seed(0))
    apart = torch.rand(3, 3, SIDE, SIDE)
    within = (apart * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3)) / 3
    beyond = (apart * (1 - mask)).sum((1, 2, 3)) / (1 - mask).sum((1, 2, 3)).clamp_min(1) / 3
    torch.testing.assert_close(reconstruction(apart, mask, 0.25), within / 4 + 3 * beyond / 4)


def squares(x: torch.Tensor) -> torch.Tensor:
    """Means over squares of two pixels a side, which overlap."""
    return (x[..., 1:, 1:] + x[..., 1:, :-1] + x[..., :-1, 1:] + x[..., :-1, :-1]) / 4


def far_off(config: Completion.Config, image: torch.Tensor, y: torch.Tensor, within: torch.Tensor, fine: bool = True) -> torch.Tensor:
    """The reconstruction, of its squares where not all is seen: a share of the hole, and the rest of what is around it."""
    if not fine:
        image, y, within = map(squares, (image, y, within))
    apart = (image - y).abs() if config.distance == "l1" else (image - y).square()
    means = [(apart * weight).mean((1, 2, 3)) / weight.mean() for weight in (within, 1 - within)]
    far = means[0] / 4 + means[1] * 3 / 4 if config.form == "paper" else (means[0] + means[1]) / 2
    return ((far + 1e-3).log() if config.distance == "log" else far).mean()


@pytest.mark.parametrize("form", ["gated", "paper"])
@pytest.mark.parametrize("distance", ["log", "l1", "l2"])
def test_each_stage_is_made_of_its_parts(distance: str, form: str) -> None:
    parser = parser_of()
    system, batch = system_of(parser, form=form, critics="local+global", distance=distance), batch_of("centre")
    image, mask = batch["image"], batch["mask"]

    def asked(progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        torch.manual_seed(3)
        y = system.completed(batch)[2]  # type: ignore[arg-type]
        torch.manual_seed(3)
        return y, at(system, progress).generator_loss(batch)[0]  # type: ignore[arg-type]

    y, loss = asked(0.1)
    expected = far_off(system.config, image, y, mask)
    torch.testing.assert_close(loss, expected)
    answer = image * (1 - mask) + y * mask
    weight = system.config.adversarial
    expected = (
        far_off(system.config, image, y, mask, fine=False) + weight * softplus(-system.critics["local"](hole_of(answer, mask))).mean()
    )
    torch.testing.assert_close(asked(0.8)[1], expected)
    parts = cross_entropy(parser.parse(answer), parser.parse(image).argmax(1))
    expected = expected + weight * softplus(-system.critics["global"](answer)).mean() + system.config.parsing * parts
    torch.testing.assert_close(asked(0.9)[1], expected)


def test_what_is_finer_is_the_critics_where_there_are_any() -> None:
    """A checkerboard on what G paints is no error of means over squares."""
    board = ((torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2 * 2 - 1).float()
    terms = {}
    for settings in ({"critics": "none"}, {"lowpass": 1}, {}):
        system, batch = at(system_of(adversarial=0.0, **settings), 0.8), batch_of("centre")  # type: ignore[arg-type]
        system.painted_by = lambda *_, image=batch["image"], **__: image + board  # type: ignore[method-assign,assignment]
        torch.manual_seed(0)
        terms[str(settings)] = float(system.generator_loss(batch)[1]["reconstruction"].exp())  # type: ignore[arg-type]
    whole, all_of_it, squares_alone = terms.values()
    assert whole == all_of_it == pytest.approx(1, abs=0.01) and squares_alone == pytest.approx(1e-3)


def test_the_recipe_of_2017_has_the_weights_of_the_authors_code() -> None:
    """Sums over 128 x 128 pixels and three values, converted to means; and a rate of critics of 2e-4."""
    config = system_of(**RECIPES["completion_2017"]().settings).config
    assert config.adversarial == pytest.approx(300 / (128 * 128 * 3)) and config.parsing == pytest.approx(0.05 / 3)
    assert (config.form, config.critics, config.distance, config.critic_rate) == ("paper", "local+global", "l1", 2e-4)


def test_the_critic_of_patches_is_asked_too() -> None:
    system, batch = at(system_of(critics="patch"), 0.8).eval(), batch_of("centre")  # so that spectral normalisation stays as it is
    torch.manual_seed(3)
    image, mask, y, answer = system.completed(batch)  # type: ignore[arg-type]
    torch.manual_seed(3)
    expected = far_off(system.config, image, y, mask, fine=False) - system.config.adversarial * system.critics["patch"](answer, mask).mean()
    torch.testing.assert_close(system.generator_loss(batch)[0], expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "holes"), [({}, [0, 0, 0, 0, 4, 4, 4, 4, 8, 8]), ({"guess": 0}, range(10)), ({"form": "paper"}, range(10))]
)
def test_images_share_holes_where_first_guesses_cost_by_holes(settings: dict[str, Any], holes: list[int]) -> None:
    batch = batch_of("strokes", 10)
    torch.manual_seed(0)
    image, mask, y, answer = system_of(critics="none", **settings).completed(batch)  # type: ignore[arg-type]
    assert torch.equal(mask, batch["mask"][list(holes)]) and len(batch["mask"].flatten(1).unique(dim=0)) == 10
    assert torch.equal(answer, torch.where(mask > 0, y, image))


def test_mirrored_images_have_the_same_hole() -> None:
    """A hole of the user's own is what a run is to fill."""
    batch = batch_of("left")
    batch["image"] = torch.rand_like(batch["image"])
    torch.manual_seed(0)
    image, mask, _, _ = system_of(critics="none").completed(batch)  # type: ignore[arg-type]
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(image, batch["image"], strict=True)]
    assert any(mirrored) and not all(mirrored) and torch.equal(mask, batch["mask"])


def test_layers_of_the_critic_of_patches_stretch_nothing() -> None:
    critic, batch = system_of(critics="patch").critics["patch"].train(), batch_of("centre")
    for _ in range(50):
        critic(batch["image"], batch["mask"])
    weights = [part.weight.detach().flatten(1) for part in critic.modules() if isinstance(part, torch.nn.Conv2d)]
    assert len(weights) > 1
    for weight in weights:
        assert float(torch.linalg.matrix_norm(weight, 2)) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("settings", "share"), [({}, 0.2), ({"slower": 1.0}, 1.0), ({"critics": "none"}, 1.0)])
def test_the_rate_of_the_generator_waits_for_critics_and_falls_in_the_last_stage(settings: dict[str, Any], share: float) -> None:
    system, rates = system_of(**settings), []
    for progress in (system.config.second - 0.01, system.config.second, system.config.third, (1 + system.config.third) / 2, 1.0):
        optimiser = at(system, progress).players()[-1].optimiser
        assert isinstance(optimiser, Adam)
        rates.append(optimiser.rate / system.config.rate)
    assert rates == pytest.approx([1, share, share, share / 2, 0])


def test_critics_learn_to_tell_images_from_answers() -> None:
    batch = batch_of("centre")
    for critics in ("local+global", "patch"):
        system = at(system_of(critics=critics), 1.0).eval()  # so that spectral normalisation stays as it is
        for name in system.critics:
            torch.manual_seed(3)
            image, mask, _, answer = system.completed(batch)  # type: ignore[arg-type]
            torch.manual_seed(3)
            real, made = (system.logits(name, system.seen_by(name, x, mask), mask) for x in (image, answer))
            loss, terms = system.critic_loss(name, batch)  # type: ignore[arg-type]
            hinge = (1 - real).clamp(min=0).mean() + (1 + made).clamp(min=0).mean()
            torch.testing.assert_close(loss, hinge if name == "patch" else (softplus(-real).mean() + softplus(made).mean()) / 2)
            assert float(terms["real"]) == pytest.approx(float(real.detach().mean()), abs=1e-6)


@pytest.mark.parametrize("critics", ["local+global", "patch"])
def test_r1_is_half_the_mean_squared_slope_at_what_critics_see_of_true_images(critics: str) -> None:
    batch = batch_of("centre")
    for name in system_of(critics=critics).critics:
        losses = []
        for r1 in (0.0, 0.6):
            torch.manual_seed(3)
            losses.append(at(system_of(critics=critics, r1=r1), 1.0).eval().critic_loss(name, batch)[0])  # type: ignore[arg-type]
        system = system_of(critics=critics).eval()
        x = system.seen_by(name, batch["image"], batch["mask"]).clone().requires_grad_()
        (slope,) = torch.autograd.grad(system.logits(name, x, batch["mask"]).reshape(len(x), -1).mean(1).sum(), x)
        assert float(slope.square().sum()) > 0
        torch.testing.assert_close(losses[1] - losses[0], 0.3 * slope.square().sum((1, 2, 3)).mean(), rtol=1e-3, atol=1e-7)


def test_a_penalty_without_critics_is_refused_and_first_guesses_of_many_channels_are_small() -> None:
    with pytest.raises(BadInput, match="r1 is 1, but there are no critics"):
        system_of(critics="none", r1=1.0)
    for channels, side in ((3, 64), (4, 55), (48, 16)):
        guess = system_of(shape=(channels, 64, 64)).guess
        assert guess is not None and guess.small == (channels, side, side)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"form": "paper", "guess": 16}, "has no first guess"),
        ({"code": 7}, "code is 7, but the gated form"),
        ({"parsing": 0.1}, "Give --parser RUN"),
        ({"critics": "local+global", "shape": (3, 16, 3)}, "at least 4 pixels, but these have 3"),
    ],
)
def test_settings_without_effect_and_images_too_small_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        system_of(**settings)


def test_critics_with_r1_learn_in_a_run() -> None:
    system = at(system_of(critics="local+global", r1=1.0), 1.0)
    for name, critic in system.critics.items():
        system.critic_loss(name, batch_of("strokes"))[0].backward()  # type: ignore[arg-type]
        assert all(bool(weight.grad is not None and weight.grad.isfinite().all()) for weight in critic.parameters())
        system.enter(system.stage)


def test_the_local_critic_is_shown_the_hole() -> None:
    batch = batch_of()
    cut = [x[:, hole[0] > 0].view(3, SIDE // 2, SIDE // 2) for x, hole in zip(batch["image"], batch["mask"], strict=True)]
    torch.testing.assert_close(hole_of(batch["image"], batch["mask"]), torch.stack(cut), rtol=0, atol=1e-6)
    rows = torch.linspace(-1, 1, SIDE).view(1, 1, -1, 1).expand(1, 3, SIDE, SIDE)
    lower = hole_of(rows, masks.holes("lower", 1, SIDE, SIDE, torch.Generator()))
    assert float(lower.min()) > 0 and lower.shape == (1, 3, SIDE // 2, SIDE // 2), "a half is cut out too, and resized"


@pytest.mark.parametrize("form", ["gated", "paper"])
@pytest.mark.parametrize("mask", ["square", "left", "eyes", "strokes", "mixed"])
def test_what_is_seen_stays_to_the_bit(form: str, mask: str) -> None:
    system, batch = system_of(form=form).eval(), batch_of(mask)
    made = system.edit({key: batch[key] for key in ("source", "mask")})  # type: ignore[typeddict-item]
    seen = (batch["mask"] == 0).expand_as(made)
    assert torch.equal(made[seen], batch["image"][seen]) and not torch.equal(made, batch["image"])
    for seed in (0, 1):
        other = system.edit({key: batch[key] for key in ("source", "mask")}, seed)  # type: ignore[typeddict-item]
        assert torch.equal(made, other) == (form == "gated"), "of the paper's form the noise in the hole is drawn"


def test_answers_do_not_depend_on_what_else_is_asked() -> None:
    system, batch = system_of(form="paper").eval(), batch_of("eyes")
    for seed in (None, 3):
        together = system.edit({key: batch[key] for key in ("source", "mask")}, seed)  # type: ignore[typeddict-item]
        alone = [system.edit({key: batch[key][i : i + 1] for key in ("source", "mask")}, seed) for i in range(6)]  # type: ignore[typeddict-item]
        torch.testing.assert_close(together, torch.cat(alone))


def test_the_papers_form_is_not_told_the_mask() -> None:
    system, x = system_of(form="paper").eval(), torch.rand(2, 3, SIDE, SIDE)
    whole = torch.zeros(2, 1, SIDE, SIDE)
    assert torch.equal(system.painted_by(system.averaged, x, whole), system.averaged(x))
    gated = system_of().eval()
    with torch.no_grad():
        for weight in gated.averaged.parameters():
            weight.add_(0.05)  # away from residual branches that start at zero
    assert not torch.equal(gated.averaged(x, x, whole), gated.averaged(x, x, whole + 1))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="parser is for images of 3x8x8, but these have 3x16x16"):
        system_of(parser_of((3, 8, 8)))
    with pytest.raises(BadInput, match="Completion paints images"):
        system_of(shape=(5,))
    batch = batch_of()
    with pytest.raises(BadInput, match="mask hides nothing"):
        system_of().accept(batch | {"mask": torch.zeros_like(batch["mask"])})  # type: ignore[typeddict-item]
    with pytest.raises(BadInput, match=r"parser is .*vae, a VAE, but one that parses is needed"):
        train("completion", "digits", mask="centre", images=16, parser="zoo/vae")
