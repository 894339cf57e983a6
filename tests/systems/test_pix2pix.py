"""pix2pix's parts: what each objective asks for, patches, dropout as noise, jitter, and that a known rule is learned."""

from typing import Any

import pytest
import torch
from torch import distributions as D
from torch import nn
from torch.nn.functional import softplus

from pushforward.core import BadInput
from pushforward.data import Dataset, Shuffled
from pushforward.data.jitter import jittered
from pushforward.nets.unet import FIELDS, PatchCritic, UNet, fitting_field, smallest
from pushforward.systems.pix2pix import Pix2Pix
from pushforward.training import Trainer


def system_of(**settings: Any) -> Pix2Pix:
    torch.manual_seed(0)
    usual = {"shape": (3, 16, 16), "source": 2, "width": 8, "jitter": False, "dropout": 0.0, "batch_size": 2}
    return Pix2Pix(Pix2Pix.Config(**(usual | settings)))


def batch_of(side: int = 16) -> dict[str, torch.Tensor]:
    chance = torch.Generator().manual_seed(1)
    return {"source": torch.rand(2, 2, side, side, generator=chance), "image": torch.rand(2, 3, side, side, generator=chance) * 2 - 1}


@pytest.mark.parametrize("objective", ["l1", "gan", "cgan", "l1+gan", "l1+cgan"])
def test_each_objective_is_made_of_its_parts(objective: str) -> None:
    system, batch = system_of(objective=objective, norm="none"), batch_of()
    x, y = batch["source"], batch["image"]
    made = system.generator(x)
    expected = 100 * (y - made).abs().mean() if "l1" in objective else torch.zeros(())
    if objective != "l1":
        seen = torch.cat([x, made], 1) if "cgan" in objective else made
        true = torch.cat([x, y], 1) if "cgan" in objective else y
        (on_made, _), (on_real, _) = system.discriminator(seen)[0], system.discriminator(true)[0]
        expected = expected + softplus(-on_made).mean()
        loss, terms = system.discriminator_loss(batch)  # type: ignore[arg-type]
        torch.testing.assert_close(loss, (softplus(-on_real).mean() + softplus(on_made).mean()) / 2)
        assert float(terms["real"]) == pytest.approx(float(on_real.detach().sigmoid().mean()), abs=1e-6)
    torch.testing.assert_close(system.generator_loss(batch)[0], expected)  # type: ignore[arg-type]
    assert len(system.players()) == (1 if objective == "l1" else 2)


def test_several_scales_are_critics_of_their_own_whose_losses_add_up() -> None:
    """The second sees images at half the size."""
    system, batch = system_of(objective="l1+cgan", norm="none", scales=2, field=1, l1=0.0), batch_of()
    x, y = batch["source"], batch["image"]
    pairs = [torch.cat([x, image], 1) for image in (y, system.generator(x))]
    sizes = [pairs, [torch.nn.functional.avg_pool2d(pair, 2) for pair in pairs]]
    says = [[critic(pair)[0] for pair in each] for critic, each in zip(system.discriminator.scales, sizes, strict=True)]
    loss = sum((softplus(-real).mean() + softplus(made).mean()) / 2 for real, made in says)
    torch.testing.assert_close(system.discriminator_loss(batch)[0], loss)  # type: ignore[arg-type]
    torch.testing.assert_close(system.generator_loss(batch)[0], sum(softplus(-made).mean() for _, made in says))  # type: ignore[arg-type]


def test_matching_is_the_distance_of_the_critics_maps() -> None:
    system, batch = system_of(objective="l1+cgan", norm="none", matching=3.0, l1=0.0), batch_of()
    x, y = batch["source"], batch["image"]
    (logits, made), (_, real) = (system.discriminator(torch.cat([x, image], 1))[0] for image in (system.generator(x), y))
    apart = sum((a - b).abs().mean() for a, b in zip(made, real, strict=True)) / len(real)
    torch.testing.assert_close(system.generator_loss(batch)[0], softplus(-logits).mean() + 3 * apart)  # type: ignore[arg-type]
    system.generator_loss(batch)[0].backward()  # type: ignore[arg-type]
    plain = system_of(objective="l1+cgan", norm="none", l1=0.0)
    plain.generator_loss(batch)[0].backward()  # type: ignore[arg-type]
    moved = [(a.grad - b.grad).abs().max() for a, b in zip(system.generator.parameters(), plain.generator.parameters(), strict=True)]  # type: ignore[operator]
    assert max(moved) > 0


def test_r1_is_half_the_mean_squared_slope_at_true_images() -> None:
    batch = batch_of()
    losses = [system_of(objective="cgan", norm="none", r1=r1).discriminator_loss(batch)[0] for r1 in (0.0, 0.6)]  # type: ignore[arg-type]
    system, y = system_of(objective="cgan", norm="none"), batch["image"].clone().requires_grad_()
    logits, _ = system.discriminator(torch.cat([batch["source"], y], 1))[0]
    (slope,) = torch.autograd.grad(logits.mean((1, 2, 3)).sum(), y)
    torch.testing.assert_close(losses[1] - losses[0], 0.3 * slope.square().sum((1, 2, 3)).mean(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("field", FIELDS)
def test_an_answer_of_the_critic_sees_a_patch_of_just_that_size(field: int) -> None:
    torch.manual_seed(0)
    critic = PatchCritic(1, field, 4, "none").double()
    side = max(2 * field + 32, 96)
    x = torch.randn(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    logits, _ = critic(x)
    middle = logits.shape[-1] // 2
    (slope,) = torch.autograd.grad(logits[0, 0, middle, middle], x)
    touched = (slope[0, 0] != 0).nonzero()
    assert (touched.amax(0) - touched.amin(0) + 1).tolist() == [field, field]


def test_images_smaller_than_the_field_are_refused_and_the_usual_field_fits() -> None:
    with pytest.raises(BadInput, match="Patches of 70 pixels need images of at least 24, but these have 16"):
        system_of(field=70)
    with pytest.raises(BadInput, match="Patches of 1 pixels at 2 scales need images of at least 4, but these have 3"):
        system_of(shape=(3, 3, 3), scales=2)
    assert [fitting_field((side, side)) for side in (256, 128, 64, 32, 8, 4)] == [70, 70, 34, 16, 16, 1]
    assert all(smallest(field) <= 96 for field in FIELDS)
    with pytest.raises(BadInput, match="translates pairs of images"):
        system_of(source=0)


@pytest.mark.parametrize("size", [(16, 16), (13, 10), (64, 48)])
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("upwards", ["transposed", "resize"])
def test_networks_give_back_the_size_they_get(size: tuple[int, int], skips: bool, upwards: Any) -> None:
    made = UNet(2, 3, size, 4, "instance", upwards, 0.5, skips).eval()(torch.rand(2, 2, *size))
    assert made.shape == (2, 3, *size) and made.abs().max() <= 1


def test_noise_is_asked_for_and_a_batch_of_one_agrees_with_a_larger_one() -> None:
    system, batch = system_of(dropout=0.5).eval(), batch_of()
    assert torch.equal(system.edit(batch), system.edit(batch))  # type: ignore[arg-type]
    drawn = system.edit(batch, seed=1)  # type: ignore[arg-type]
    assert torch.equal(drawn, system.edit(batch, seed=1)) and not torch.equal(drawn, system.edit(batch, seed=2))  # type: ignore[arg-type]
    assert not torch.equal(drawn, system.edit(batch))  # type: ignore[arg-type]
    alone = system.edit({"source": batch["source"][:1]})
    torch.testing.assert_close(alone, system.edit(batch)[:1], rtol=1e-4, atol=1e-5)  # type: ignore[arg-type]
    assert not any(part.training for part in system.modules())
    plain = system.edit(batch)  # type: ignore[arg-type]
    assert torch.equal(system.train().edit(batch), plain), "while it is trained, too"  # type: ignore[arg-type]
    assert all(part.training for part in system.modules())


@pytest.mark.parametrize("settings", [{"dropout": 0.5}, {"code": 4, "objective": "l1+cgan"}])
def test_what_is_drawn_for_an_image_hangs_on_its_index_and_on_nothing_beside_it(settings: dict[str, Any]) -> None:
    system = system_of(**settings).eval()
    x = batch_of()["source"][:1].repeat(3, 1, 1, 1)
    one, other, again = system.edit({"source": x, "index": torch.tensor([7, 9, 7])}, seed=3)
    alone = system.edit({"source": x[:1], "index": torch.tensor([9])}, seed=3)[0]
    torch.testing.assert_close(alone, other, rtol=1e-4, atol=1e-5)
    assert torch.allclose(one, again, atol=1e-5) and not torch.allclose(one, other, atol=1e-3)


def test_networks_are_of_the_papers_size() -> None:
    """Isola et al. 2017: 54.4 million weights of the U-Net and 2.77 of the critic at 256 pixels; noise in the three innermost levels."""
    with torch.device("meta"):
        system = Pix2Pix(Pix2Pix.Config((3, 256, 256), source=3, width=64, field=70))
    generator, critic = (sum(w.numel() for w in part.parameters()) for part in (system.generator, system.discriminator))
    assert generator == pytest.approx(54.4e6, rel=2e-3) and critic == pytest.approx(2.77e6, rel=3e-3)
    noisy = [any(isinstance(part, nn.Dropout) and part.p > 0 for part in up.modules()) for up in system.generator.net.ups]
    assert noisy == [True] * 3 + [False] * 5


def test_the_rate_is_constant_for_half_of_the_run_and_falls_to_nothing() -> None:
    system = Pix2Pix(Pix2Pix.Config((3, 16, 16), source=3, width=4))
    assert [system.schedule(seen, 100).rate for seen in (0, 50, 75, 100)] == [1, 1, 0.5, 0]


def test_jitter_changes_a_source_and_its_image_alike() -> None:
    torch.manual_seed(0)
    image = torch.rand(50, 1, 24, 20) * 2 - 1
    for source in (image, (image > 0).float()):
        x, y = jittered(source, image)
        assert x.shape == source.shape and y.shape == image.shape and not torch.equal(y, image)
        if source is image:
            torch.testing.assert_close(x, y)
        else:
            assert set(x.unique().tolist()) == {0.0, 1.0} and ((x > 0) == (y > 0)).float().mean() > 0.8
    plain, _ = jittered(image, image, flips=False)
    assert (plain - image).abs().mean() < (plain.flip(3) - image).abs().mean()


def test_a_known_rule_is_learned() -> None:
    """Each part has a colour of its own: L1 falls far below that of the mean image."""
    parts = torch.randint(0, 3, (64, 4, 4), generator=torch.Generator().manual_seed(0)).repeat_interleave(4, 1).repeat_interleave(4, 2)
    colours = torch.tensor([[250, 20, 20], [20, 250, 20], [20, 20, 250]], dtype=torch.uint8)
    image = colours[parts].permute(0, 3, 1, 2).contiguous()
    data = Dataset("rule", image=image, parts=parts.byte(), part_names=("r", "g", "b"), translate=True)
    system = system_of(source=3, width=16, batch_size=8, rate=2e-3, objective="l1+cgan")
    for _ in Trainer(system, Shuffled(data, 0), 8 * 120, precision="float32", device="cpu").rounds():
        pass
    batch = data.batch(torch.arange(16))
    apart = float((system.eval().edit(batch) - batch["image"]).abs().mean())
    mean = float((batch["image"].mean(0) - batch["image"]).abs().mean())
    assert apart < 0.25 * mean


def coded(**settings: Any) -> Pix2Pix:
    return system_of(code=3, norm="none", **settings)


def test_a_code_is_paid_for_and_found_again() -> None:
    system, batch = coded(kl=0.5, recovery=2.0), batch_of()
    x, y = batch["source"], batch["image"]
    torch.manual_seed(3)
    loss, terms = system.generator_loss(batch)  # type: ignore[arg-type]
    torch.manual_seed(3)
    mean, log_var = system.generator.coder(y)  # type: ignore[misc]
    z = torch.randn_like(mean)
    made = system.generator(x, mean + (log_var / 2).exp() * torch.randn_like(mean))
    other = system.generator(x, z)
    rate = (D.kl_divergence(D.Normal(mean, (log_var / 2).exp()), D.Normal(torch.zeros(3), torch.ones(3)))).sum(1).mean()
    lost = (z - system.generator.coder(other)[0]).abs().mean()  # type: ignore[misc]
    (a, _), (b, _) = (system.discriminator(torch.cat([x, each], 1))[0] for each in (made, other))
    expected = 100 * (y - made).abs().mean() + softplus(-a).mean() + softplus(-b).mean() + 0.5 * rate + 2 * lost
    torch.testing.assert_close(loss, expected)
    for name, value in (("rate", rate), ("recovery", lost)):
        assert float(terms[name].detach()) == pytest.approx(float(value.detach()), rel=1e-5)


def test_what_reads_codes_does_not_learn_from_answers_to_drawn_ones() -> None:
    system, batch = coded(kl=0.0), batch_of()
    coder = system.generator.coder
    assert coder is not None
    made = torch.rand(2, 3, 16, 16, requires_grad=True)
    found = system.found_again(made)
    assert torch.equal(found, coder(made)[0])
    found.sum().backward()
    assert made.grad is not None and all(weight.grad is None for weight in coder.parameters())
    system.generator_loss(batch)[0].backward()  # type: ignore[arg-type]
    assert any(weight.grad is not None for weight in coder.parameters()), "codes of real images are learned"


def test_several_answers_are_learned_where_there_are_two() -> None:
    """Nothing in the source says whether an image is dark or light: without noise the answer is in between, with a code it is either."""
    light = (torch.arange(64) % 2).bool()
    image = torch.where(light[:, None, None, None], 230, 25).expand(64, 3, 16, 16).byte().contiguous()
    data = Dataset("two", image=image, parts=torch.zeros(64, 16, 16, dtype=torch.uint8), part_names=("all", "none"), translate=True)
    system = system_of(code=2, width=16, batch_size=8, rate=2e-3, l1=10.0, norm="none")
    for _ in Trainer(system, Shuffled(data, 0), 8 * 150, precision="float32", device="cpu").rounds():
        pass
    batch = data.batch(torch.zeros(32, dtype=torch.int64)) | {"index": torch.arange(32)}
    level = system.eval().edit(batch, seed=0).mean((1, 2, 3))
    assert level.min() < -0.5 and level.max() > 0.5, level
    assert torch.equal(system.edit(batch, seed=0), system.edit(batch, seed=0))
    assert (system.edit(batch) == system.edit(batch)[:1]).all(), "without a seed all codes are 0"


def test_a_code_without_a_critic_is_refused() -> None:
    with pytest.raises(BadInput, match="With --objective l1 nobody asks for several answers"):
        system_of(code=2, objective="l1")


@pytest.mark.parametrize("name", ["r1", "matching"])
def test_what_asks_something_of_d_is_refused_where_there_is_none(name: str) -> None:
    with pytest.raises(BadInput, match=f"there is no D, so that {name} would do nothing"):
        system_of(objective="l1", **{name: 1.0})


def test_weights_of_codes_are_refused_where_there_is_no_code() -> None:
    with pytest.raises(BadInput, match="Without a code kl would do nothing"):
        system_of(kl=0.1)
