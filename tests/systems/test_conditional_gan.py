"""The conditional GAN: the three ways of telling D against their formulas, who learns what, where labels come from, and bad input."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import logsigmoid

import pushforward
from pushforward.core import BadInput
from pushforward.maths import one_hot
from pushforward.systems.conditional_gan import ConditionalGAN

K, N = 3, 24


def made(**settings: Any) -> ConditionalGAN:
    torch.manual_seed(0)
    usual = {"shape": (2,), "classes": K, "latent": 2, "width": 16, "batch_size": N, "r1": 0.0, "r2": 0.0}
    return ConditionalGAN(ConditionalGAN.Config(**(usual | settings)))


def batch() -> Any:
    chance = torch.Generator().manual_seed(1)
    return {"row": torch.randn(N, 2, generator=chance), "label": torch.arange(N) % K, "attributes": torch.rand(N, K, generator=chance)}


def logits(system: ConditionalGAN, x: Tensor, y: Tensor) -> Tensor:
    """D(x, y) as the module's docstring has it."""
    D, way = system.discriminator, system.config.conditioning
    if way == "concatenation":
        joint = torch.cat([D.reader(x), y], 1) @ D.joint.weight.T + D.joint.bias
        return D.head(torch.where(joint > 0, joint, 0.2 * joint))[:, 0]
    h = D.reader(x)
    told = (h @ D.naming.weight.T * y).sum(1) if way == "projection" else 0
    return D.head(h)[:, 0] + told


@pytest.mark.parametrize("way", ["projection", "concatenation", "auxiliary"])
@pytest.mark.parametrize("objective", ["relativistic", "non_saturating"])
def test_losses_are_the_game_on_what_d_says_of_x_and_y(way: str, objective: str) -> None:
    system, given = made(conditioning=way, objective=objective, **({"auxiliary": 0.7} if way == "auxiliary" else {})), batch()
    y = one_hot(given["label"], K)
    torch.manual_seed(5)
    z = torch.randn(N, 2)
    fake = system.generator(torch.cat([z, y], 1))
    real_says, fake_says = logits(system, given["row"], y), logits(system, fake, y)
    if objective == "relativistic":
        expected = [-logsigmoid(real_says - fake_says).mean(), -logsigmoid(fake_says - real_says).mean()]
    else:
        expected = [-(logsigmoid(real_says) + logsigmoid(-fake_says)).mean(), -logsigmoid(fake_says).mean()]
    if way == "auxiliary":
        for place, x in enumerate((given["row"], fake)):
            named = system.discriminator.naming(system.discriminator.reader(x)).log_softmax(1)
            expected[place] = expected[place] - 0.7 * (named * y).sum(1).mean()
    for player, loss in zip(system.players(), expected, strict=True):
        torch.manual_seed(5)
        torch.testing.assert_close(player.loss(given)[0], loss)


@pytest.mark.parametrize("way", ["projection", "auxiliary"])
@pytest.mark.parametrize(("r1", "r2"), [(0.5, 2.0), (0.5, 0.0), (0.0, 2.0)])
def test_penalties_add_up(way: str, r1: float, r2: float) -> None:
    system, given = made(conditioning=way, r1=r1, r2=r2), batch()
    without, y = made(conditioning=way), one_hot(given["label"], K)
    losses = []
    for each in (system, without):
        torch.manual_seed(5)
        losses.append(float(each.discriminator_loss(given)[0].detach()))
    torch.manual_seed(5)
    sides = (given["row"], system.generator(torch.cat([torch.randn(N, 2), y], 1)).detach())
    slopes = []
    for x in sides:
        x = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(logits(system, x, y).sum(), x)
        slopes.append(float(slope.square().sum(1).mean()))
    assert losses[0] - losses[1] == pytest.approx(r1 / 2 * slopes[0] + r2 / 2 * slopes[1], rel=1e-3)


@pytest.mark.parametrize("net", ["mlp_2014", "residual"])
def test_the_image_is_read_alone_and_the_class_stands_beside_its_features(net: str) -> None:
    system = made(shape=(1, 8, 8), conditioning="concatenation", net=net, width=4)
    x, y = torch.randn(2, 1, 8, 8), one_hot(torch.tensor([0, 2]), K)
    torch.testing.assert_close(system.discriminator(x, y)[0], logits(system, x, y))
    assert not torch.equal(system.discriminator(x, y)[0], system.discriminator(x, y.flip(0))[0])


def test_the_auxiliary_classifier_learns_from_real_examples_alone() -> None:
    """In D's turn what it names generated examples has no slope; in G's turn D is frozen, and G is moved by it."""
    system, given = made(conditioning="auxiliary", objective="wasserstein", auxiliary=1.0), batch()
    weight = system.discriminator.naming.weight
    found = torch.autograd.grad(system.discriminator_loss(given)[0], weight)[0]
    named = system.discriminator.naming(system.discriminator.reader(given["row"]))
    alone = torch.autograd.grad(torch.nn.functional.cross_entropy(named, given["label"]), weight)[0]
    torch.testing.assert_close(found, alone)
    moved = []
    for one in (system, made_alike(system)):
        torch.manual_seed(3)
        moved.append(torch.autograd.grad(one.generator_loss(given)[0], [*one.generator.parameters()]))
    assert any(not torch.equal(a, b) for a, b in zip(*moved, strict=True))


def made_alike(system: ConditionalGAN) -> ConditionalGAN:
    """The same weights, and no wish that G's examples be named right."""
    other = made(conditioning="auxiliary", objective="wasserstein", auxiliary=0.0)
    other.load_state_dict(system.state_dict())
    return other


def test_attributes_are_told_on_a_scale_around_nothing() -> None:
    system, given = made(told="attributes", attributes=K, classes=0), batch()
    torch.testing.assert_close(system.y(given), 2 * given["attributes"] - 1)
    row = torch.tensor([0.0, 0.5, 1.0])
    torch.testing.assert_close(system.told(4, row, 0), torch.tensor([[-1.0, 0.0, 1.0]]).expand(4, -1))
    with pytest.raises(BadInput, match=r"3 attributes in \[0, 1\]"):
        system.told(4, torch.tensor([0.0, 0.5, 1.5]), 0)


def test_labels_come_from_folders_and_from_tables(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = chance.integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / kind / f"{number}.png")
    tiny = {"images": 128, "quiet": True, "width": 8, "latent": 2}
    told = pushforward.train("conditional_gan", tmp_path / "photos", run=tmp_path / "a", **tiny)
    assert told.open().labels == 2 and told.recipe.config["classes"] == 2
    x, y = chance.normal(size=(60, 3)).astype("float32"), np.arange(60) % 4
    rows = pushforward.train("conditional_gan", (x, y), run=tmp_path / "b", **tiny)
    system = rows.open()
    assert system.labels == 4 and system.sample(5, 3, seed=0).shape == (5, 3)  # type: ignore[attr-defined,operator]


@pytest.mark.parametrize("way", ["projection", "concatenation"])
def test_a_weight_of_a_classifier_that_is_not_there_is_refused(way: str) -> None:
    with pytest.raises(BadInput, match=rf"auxiliary is 2, but D of {way} has no auxiliary classifier\. Use --conditioning auxiliary"):
        made(conditioning=way, auxiliary=2.0)


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")
    with pytest.raises(BadInput, match=r"at least 2 classes, but the data have 1\. Use gan"):
        pushforward.train("conditional_gan", (rows, np.zeros(60, int)), run=tmp_path / "run", images=64, quiet=True)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["cat"], "all images of 'photos' lie in one sub-folder, 'cat'"),
        (["train/cat", "test/cat"], "all images of 'photos' lie in one sub-folder, 'cat'"),
        (["train", "test"], "'photos' has none"),
    ],
)
def test_a_folder_of_one_class_is_told_so(tmp_path: Path, folders: list[str], said: str) -> None:
    for folder in folders:
        (tmp_path / "photos" / folder).mkdir(parents=True)
        for place, grey in enumerate(range(0, 240, 10)):
            Image.new("L", (8, 8), grey).save(tmp_path / "photos" / folder / f"{place}.png")
    with pytest.raises(BadInput, match=f"needs classes, but {said}"):
        pushforward.train("conditional_gan", tmp_path / "photos", run=tmp_path / "run", images=64, quiet=True)


def test_data_without_labels_are_sent_to_the_gan(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ConditionalGAN needs classes, but .* has none. Name the column .*, or use gan\."):
        pushforward.train("conditional_gan", torch.randn(60, 2).numpy(), run=tmp_path / "run", images=64, quiet=True)


def test_attributes_that_data_do_not_have_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"was to be told attributes, but the data have none\. Name them in attributes_file"):
        pushforward.train("conditional_gan", torch.rand(60, 1, 8, 8), run=tmp_path / "run", told="attributes", images=64, quiet=True)


def test_data_with_attributes_are_told_how_to_tell_them() -> None:
    with pytest.raises(BadInput, match=r"have 0\. Use --told attributes"):
        made(classes=0, attributes=3)
