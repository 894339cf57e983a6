"""How the classification VAE learns: from labels, without, and from few; and what it must not see."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data import Dataset, Shuffled, hide_labels, labelled_indices
from pushforward.data.augment import VIEWS, View
from pushforward.systems import classification_vae
from pushforward.training import Trainer
from tests.systems.labelled import CLASSES, made, taught
from tests.systems.reference import digits

SEMI = {"consistency": 1.0, "mutual_information": 0.5, "average": 200, "settle": 0.3}


# ---------------------------------------------------------------- no label leaks


@cache
def two_worlds(keep: int) -> tuple[Dataset, Dataset]:
    """The same images and the same `keep` labels; of all labels that are hidden, most differ."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(60) % CLASSES
    image = torch.randint(0, 256, (60, 1, 6, 6), dtype=torch.uint8, generator=generator)
    kept = labelled_indices(label, keep, seed=1)
    other = label.clone()
    for place in range(60):  # the choice of labels reads all of them: change those that leave it as it is
        tried = other.clone()
        tried[place] = (tried[place] + 1) % CLASSES
        if place not in kept and torch.equal(labelled_indices(tried, keep, seed=1), kept):
            other = tried
    assert torch.equal(label[kept], other[kept]) and (label != other).sum() > 30
    first = Dataset("made", image=image, label=label, classes=("a", "b", "c"))
    return first, replace(first, label=other)


def bits_of_a_training(data: Dataset, labelled: int, settings: dict[str, object]) -> dict[str, bytes]:
    """Every bit of what ten rounds leave behind: weights, averages, running statistics, moments and reported terms."""
    system = made(**settings)
    trainer = Trainer(system, Shuffled(data, labelled=labelled), 160, precision="float32", device="cpu", clip=5.0)
    for _ in trainer.rounds():
        pass
    left = system.state_dict() | trainer.state()
    return {key: value.contiguous().numpy().tobytes() for key, value in left.items()}


@pytest.mark.parametrize("labelled", [0, 6], ids=["as-they-come", "labelled-first"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"form": "lecture"},
        {"code_sees_label": True},
        {"form": "lecture", "code_sees_label": True, "likelihood": "cross-entropy"},
        {"form": "bound", "views": "small-digits", "net": "convolution", "shape": (1, 8, 8), **SEMI},
        {"form": "lecture", "views": "small-digits", **SEMI},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())) or "bound",
)
def test_hidden_labels_change_no_bit_of_a_training(settings: dict[str, object], labelled: int) -> None:
    one, other = two_worlds(9)
    if "shape" in settings:
        one, other = (replace(data, image=data.image.repeat(1, 1, 2, 2)[..., :8, :8]) for data in (one, other))
    hidden = [hide_labels(data, 9, seed=1) for data in (one, other)]
    assert torch.equal(hidden[0].label, hidden[1].label)
    left, right = (bits_of_a_training(data, labelled, settings) for data in hidden)
    assert left.keys() == right.keys() and [key for key in left if left[key] != right[key]] == []
    assert bits_of_a_training(one, labelled, settings) != left, "labels that are not hidden do make a difference"


@pytest.mark.parametrize("form", ["bound", "lecture"])
def test_an_unlabelled_image_is_unlabelled_even_where_the_data_know_its_label(form: str) -> None:
    """In a batch of 6 labelled and 16 unlabelled images, 6 of 22 are asked for their class."""
    data, system = two_worlds(9)[0], made(form=form)
    batch = Shuffled(data, labelled=6).batch(system.stage, 0, 0, 1)
    assert (batch["label"][6:] == UNLABELLED).all() and (batch["label"][:6] != UNLABELLED).all()
    assert system.loss(batch)[1]["right"][1].item() == pytest.approx(6 / 22)


# ---------------------------------------------------------------- it learns


@pytest.mark.parametrize("form", ["bound", "lecture"])
@pytest.mark.parametrize(
    "labels, labelled, least", [(None, 0, 0.85), (100, 32, 0.6), (0, 0, 0.0)], ids=["supervised", "semi-supervised", "unsupervised"]
)
def test_it_learns_from_all_some_or_no_labels(form: str, labels: int | None, labelled: int, least: float) -> None:
    train, test = digits(labels)
    system = made((1, 8, 8), 10, form=form, width=64, batch_size=64, rate=3e-3)
    trainer = Trainer(system, Shuffled(train, labelled=labelled), 64 * 120, device="cpu")
    early: dict[str, float] = {}
    for _ in trainer.rounds():
        if trainer.seen == 64 * 10:
            early = trainer.report()
        if trainer.seen == 64 * 110:
            trainer.report()
    late = trainer.report()
    assert late["vae/distortion"] < early["vae/distortion"] - 20
    assert all(abs(value) < float("inf") for value in late.values())
    batch = test.batch(torch.arange(len(test)))
    right = (system.eval().logits(batch["image"]).argmax(1) == batch["label"]).float().mean()
    if labels == 0:
        assert late["vae/label_loss"] == 0 and late["vae/accuracy"] == 0
    else:
        assert right > least and late["vae/accuracy"] > 0.6
    means = system.decode(system.encode(batch["image"]), system.logits(batch["image"]).argmax(1))
    assert (means - batch["image"]).square().mean() < (batch["image"] - batch["image"].mean(0)).square().mean()


def test_shards_without_an_unlabelled_image_tell_the_same_terms() -> None:
    train, _ = digits(890)  # of 899: most parts of a batch have no unlabelled image
    system = made((1, 8, 8), 10, width=16, batch_size=16, **SEMI)
    trainer = Trainer(system, Shuffled(train, 0), 16 * 8, shards=4, device="cpu")
    for _ in trainer.rounds():
        pass
    assert all(abs(value) < float("inf") for value in trainer.report().values())


# ---------------------------------------------------------------- teacher, pseudo-labels, thresholds


@pytest.mark.parametrize("views", ["none", "small-digits"])
def test_the_teacher_gets_no_gradient(views: str) -> None:
    system, batch = taught(views=views)
    loss, _ = system.loss(batch)  # type: ignore[arg-type]
    loss.backward()
    assert all(weight.grad is None and not weight.requires_grad for weight in system.averaged.parameters())
    assert any(weight.grad is not None and weight.grad.any() for weight in system.networks.parameters())
    for weight in system.averaged.parameters():  # even where somebody asks for one
        weight.requires_grad_()
    loss, _ = system.loss(batch)  # type: ignore[arg-type]
    assert all(slope is None for slope in torch.autograd.grad(loss, system.averaged.parameters(), allow_unused=True))


def test_adaptive_buffers_change_only_in_adapt() -> None:
    system, batch = taught()
    before = system.marginal.clone(), system.right.clone()
    _, terms = system.loss(batch)  # type: ignore[arg-type]
    system.logits(batch["image"]), system.sample(2, seed=0)
    system.enter(system.schedule(70, 100))
    assert torch.equal(system.marginal, before[0]) and torch.equal(system.right, before[1])
    system.adapt("vae", {key: term.detach() for key, term in terms.items()})
    torch.testing.assert_close(system.marginal, 0.99 * before[0] + 0.01 * terms["marginal"].detach())
    torch.testing.assert_close(system.right, 0.95 * before[1] + 0.05 * terms["right"].detach())
    torch.testing.assert_close(system.marginal.sum(), torch.tensor(1.0))
    without = made()
    uniform = without.marginal.clone()
    without.adapt("vae", {key: term.detach() for key, term in without.loss(batch)[1].items()})  # type: ignore[arg-type]
    assert torch.equal(without.marginal, uniform), "without a teacher there is no marginal to keep"


def test_the_accuracy_that_is_told_is_that_on_labelled_images() -> None:
    system, batch = taught(consistency=0.0, mutual_information=0.0)
    read = system.networks.heads(batch["image"])[0].argmax(1)
    batch["label"][:3] = torch.tensor([read[0], read[1], (read[2] + 1) % CLASSES])
    terms = {key: term.detach() for key, term in system.loss(batch)[1].items()}  # type: ignore[arg-type]
    for _ in range(200):
        system.adapt("vae", terms)
    assert system.loss(batch)[1]["accuracy"].item() == pytest.approx(2 / 3, abs=1e-3)  # type: ignore[arg-type]


def test_the_threshold_falls_after_the_first_third() -> None:
    system = made(threshold=0.95, last_threshold=0.6)
    required = []
    for seen in range(0, 1_001, 50):
        system.enter(system.schedule(seen, 1_000))
        required.append(system.required)
    assert required[:7] == [0.95] * 7
    assert required[-1] == pytest.approx(0.6) and required[13] == pytest.approx(0.775)
    assert all(after < before for before, after in pairwise(required[6:]))


def test_classes_are_no_longer_held_to_be_equal_in_the_last_third() -> None:
    system = made()
    balance = []
    for seen in (0, 30, 50, 70, 100):
        system.enter(system.schedule(seen, 100))
        balance.append(system.balance)
    assert balance == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_second_graph_teaches_what_the_network_sees_alike() -> None:
    """It is made at its share of the run, saved with the system, and read by place in the data."""
    data = hide_labels(two_worlds(9)[0], 30)
    data = replace(data, neighbours=3)
    system = made(graph_again=0.5, consistency=1.0)
    trainer = Trainer(system, Shuffled(data), 64, device="cpu")
    for _ in trainer.rounds():
        assert len(system.graph.guess) == (60 if trainer.seen >= 32 else 0)
    batch = data.batch(torch.arange(60))
    system.enter(system.schedule(40, 64))
    guess = system.graph.says(batch, system.stage.progress)
    assert guess is not None and set(guess.tolist()) <= {UNLABELLED, *range(CLASSES)}
    known = data.label != UNLABELLED
    assert torch.equal(guess[known], data.label[known])
    assert system.graph.says(batch, 0.9) is None and system.graph.says(batch, 0.3) is None
    twin = made(graph_again=0.5)
    twin.load_state_dict(system.state_dict())
    assert torch.equal(twin.graph.guess, system.graph.guess)


def test_unlabelled_images_are_read_in_milder_views_once_the_run_is_calm(monkeypatch: pytest.MonkeyPatch) -> None:
    system, batch = taught(views="digits", calm=0.5)
    seen: list[tuple[int, View]] = []
    monkeypatch.setattr(classification_vae, "see", lambda x, view: seen.append((len(x), view)) or x)
    weak, middling, strong = VIEWS["digits"]
    known = int((batch["label"] != UNLABELLED).sum())
    hidden = len(batch["label"]) - known
    for progress, unlabelled in ((0.0, strong), (0.49, strong), (0.5, middling), (0.99, middling)):
        system.enter(replace(system.stage, progress=progress))
        seen.clear()
        system.loss(batch)
        assert seen == [(known, middling), (hidden, unlabelled), (hidden, weak)]


def test_a_run_on_views_ends_with_normalisation_measured_on_images_as_they_are() -> None:
    data = two_worlds(9)[0]
    system = made(views="small-digits", average=100)
    norm = next(part for part in system.averaged.modules() if isinstance(part, torch.nn.BatchNorm1d))
    seen: list[Tensor] = []
    system.averaged.trunk.layers[1].register_forward_hook(lambda layer, given, made: seen.append(made))  # type: ignore[union-attr, operator]
    rounds = Trainer(system, Shuffled(data), 48, device="cpu").rounds()
    before = []
    for _ in rounds:
        before.append(norm.running_mean.clone())
    image = data.batch(torch.arange(60))["image"]
    first = system.averaged.trunk.layers[1](image.flatten(1))  # type: ignore[union-attr, operator]
    torch.testing.assert_close(norm.running_mean, first.mean(0).detach())
    torch.testing.assert_close(norm.running_var, first.var(0).detach())
    assert not torch.allclose(before[-2], before[-1], atol=1e-3) and norm.momentum == 0.1 and not norm.training
    assert made().schedule(48, 48).era == 0, "without views there is nothing to measure anew"


def test_answers_come_from_the_averaged_weights() -> None:
    system, batch = taught()
    image = batch["image"]
    torch.testing.assert_close(system.logits(image), system.averaged.heads(image)[0].detach())
    assert not torch.equal(system.logits(image), system.networks.heads(image)[0])
    assert system.players()[0].average.twin is system.averaged
    trained = made()
    for _ in Trainer(trained, Shuffled(two_worlds(9)[0]), 48, device="cpu").rounds():
        pass
    for key, value in trained.networks.state_dict().items():
        assert torch.equal(trained.averaged.state_dict()[key], value), "with a half-life of 0 they are the weights themselves"


def test_a_young_average_follows_quickly() -> None:
    system = made(average=1_000)
    lives = []
    for seen in (0, 100, 1_000, 100_000):
        system.enter(system.schedule(seen, 100_000))
        lives.append(system.players()[0].average.half_life)
    assert lives == [0, 35, 350, 1_000]


def test_what_it_refuses() -> None:
    system, batch = taught()
    system.accept(batch)  # type: ignore[arg-type]
    for wrong in (CLASSES, -2):
        with pytest.raises(BadInput, match=rf"{wrong}.*0\.\.{CLASSES - 1}"):
            system.accept(batch | {"label": torch.full((12,), wrong)})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="Bernoulli"):
        made(likelihood="bernoulli").accept(batch)  # type: ignore[arg-type]


def test_codes_and_images_of_a_class() -> None:
    system, batch = taught(code_sees_label=True)
    image = batch["image"]
    assert not torch.equal(system.encode(image, torch.tensor(0)), system.encode(image, torch.tensor(1)))
    code = system.encode(image)
    assert not torch.equal(system.decode(code, 0), system.decode(code, 1))
    plain = made().eval()
    torch.testing.assert_close(plain.encode(image), plain.encode(image, torch.arange(12) % CLASSES))
