"""What a system that samples, encodes, classifies or edits must do: the checks of abilities among those of `common_checks.py`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward.core import (
    BadInput,
    Batch,
    Classifies,
    Compares,
    Describes,
    Edits,
    Encodes,
    Parses,
    Samples,
    System,
    Weighs,
)
from tests.cases import MOMENTS, TOTAL, Case, Made, at


def images_of(system: System, seed: int | None = 3) -> Tensor | None:
    """A few new examples; None where the system invents none without being shown something."""
    assert isinstance(system, Samples)
    try:
        return system.sample(5, seed=seed)
    except BadInput:
        assert isinstance(system, Edits), "only a system that edits may refuse to sample"
        return None


def codes_of(system: System, batch: Batch) -> Tensor | None:
    """Codes of a batch, with its labels where the system asks for them; None where it encodes nothing without being shown more."""
    assert isinstance(system, Encodes)
    x = batch["image"] if "image" in batch else batch["row"]
    for label in (None, batch.get("label", torch.zeros(len(x), dtype=torch.int64)).clamp(min=0)):
        try:
            return system.encode(x, label)
        except BadInput:
            continue
    assert isinstance(system, Edits), "only a system that edits may refuse to encode"
    return None


def it_samples(case: Case, folder: Path) -> None:
    """As many as are asked for, images in [-1, 1] at the stage's resolution; the same seed, the same bytes."""
    system, made = at(case, 0)
    system.eval()
    for seen in MOMENTS[::3]:
        system.enter(system.schedule(seen, TOTAL))
        if not isinstance(system, Samples) or (found := images_of(system)) is None:
            return
        batch = made.batch(system.stage, 0, 0, 1)
        shape = (batch["image"] if "image" in batch else batch["row"]).shape[1:]
        assert found.shape == (5, *shape) and torch.isfinite(found).all() and not found.requires_grad
        assert "row" in batch or found.abs().max() <= 1
        state = torch.get_rng_state()
        assert torch.equal(system.sample(5, seed=3), found)
        assert torch.equal(torch.get_rng_state(), state), "a seed was given, yet the caller's generator moved"
        assert not torch.equal(system.sample(5, seed=4), found)
        assert system.sample(0, seed=3).shape == (0, *shape)
        if system.labels:
            assert not torch.equal(system.sample(5, label=0, seed=3), system.sample(5, label=1, seed=3))
            each = system.sample(3, label=torch.tensor([1, 0, 1]), seed=3)
            torch.testing.assert_close(each[1], system.sample(3, label=0, seed=3)[1])


def it_refuses_labels_that_it_does_not_know(case: Case, folder: Path) -> None:
    """A label outside 0..K-1, or any label where it was told none: one sentence."""
    system = case.build().eval()
    if not isinstance(system, Samples) or images_of(system) is None:
        return
    wrong: list[Any] = [system.labels, -1, torch.full((2,), system.labels)]
    for label in wrong:
        assert refuses(lambda label=label: system.sample(2, label=label, seed=0)), f"label {label} of {system.labels} is taken"  # type: ignore[misc]
    if system.labels and isinstance(system, Encodes):
        code = codes_of(system, Made.accepted_by(system).batch(system.stage, 0, 0, 1))
        assert code is not None and refuses(lambda: system.decode(code, system.labels))


def refuses(ask: Callable[[], object]) -> bool:
    """Whether it is refused, in one sentence."""
    try:
        ask()
    except BadInput as error:
        return len(str(error)) > 20 and "\n" not in str(error)
    return False


def it_encodes(case: Case, folder: Path) -> None:
    """Codes [N, latent] of examples, and examples back from codes."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Encodes) or (code := codes_of(system, batch)) is None:
        return
    x = batch["image"] if "image" in batch else batch["row"]
    assert code.ndim == 2 and len(code) == len(x) and code.shape[1] == getattr(system.config, "latent", code.shape[1])
    torch.testing.assert_close(codes_of(system, batch), code, rtol=0, atol=0)
    assert len(code.unique(dim=0)) == len(x), "different images have the same code"
    back = system.decode(code)
    assert back.shape == x.shape and torch.isfinite(back).all() and not back.requires_grad and not code.requires_grad
    assert "row" in batch or back.abs().max() <= 1


def it_answers_where_its_weights_lie(case: Case, folder: Path) -> None:
    """Everything it makes is made on the device of its weights; `meta` stands for a device that is not the CPU."""
    system, made = at(case, 0)
    batch = {key: value.to("meta") for key, value in made.batch(system.stage, 0, 0, 1).items()}  # type: ignore[attr-defined]
    label = 1 if getattr(system, "labels", 0) else None
    editing = isinstance(system, Edits) and "source" in batch
    system.to("meta").eval()
    if isinstance(system, Samples) and not editing:
        assert system.sample(3, label=label, seed=0).is_meta
    if isinstance(system, Encodes) and not editing:
        code = system.encode(batch["image"] if "image" in batch else batch["row"], label)
        assert code.is_meta and system.decode(code, label).is_meta
    if isinstance(system, Classifies):
        assert system.logits(batch["image"]).is_meta
    if editing:
        assert system.edit(batch, seed=0).is_meta  # type: ignore[attr-defined]


def read_alike(read: Callable[[Tensor], Tensor], image: Tensor, apart: float) -> Tensor:
    """What is read in images: finite, without slopes, and for each of them alike, up to `apart`, whatever else is in the batch."""
    found = read(image)
    assert torch.isfinite(found).all() and not found.requires_grad
    torch.testing.assert_close(read(image[:3]), found[:3], rtol=10 * apart, atol=apart)
    return found


def it_classifies(case: Case, folder: Path) -> None:
    """logits [N, K]; an image is read alike whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Classifies):
        return
    logits = read_alike(system.logits, made.batch(system.stage, 0, 0, 1)["image"], 1e-5)
    assert logits.shape == (system.stage.batch_size, made.classes)


def it_describes(case: Case, folder: Path) -> None:
    """Attributes in [0, 1], [N, A]."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Describes):
        return
    batch = made.batch(system.stage, 0, 0, 1)
    found = system.describe(batch["image"])
    assert found.shape == batch["attributes"].shape and found.min() >= 0 and found.max() <= 1 and not found.requires_grad


def it_compares(case: Case, folder: Path) -> None:
    """Features [N, d], those of an image whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Compares):
        return
    features = read_alike(system.features, made.batch(system.stage, 0, 0, 1)["image"], 1e-4)
    assert features.ndim == 2 and len(features) == system.stage.batch_size and features.std() > 0


def it_parses(case: Case, folder: Path) -> None:
    """Logits [N, P, H, W]; an image is parsed alike whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Parses):
        return
    image = made.batch(system.stage, 0, 0, 1)["image"]
    assert read_alike(system.parse, image, 1e-4).shape == (len(image), system.config.parts, *image.shape[2:])


def it_edits(case: Case, folder: Path) -> None:
    """Images in [-1, 1] of the size of the source; always the same without a seed, and the same for the same seed."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Edits):
        return
    if "source" not in batch:
        assert refuses(lambda: system.edit(batch))
        return
    found = system.edit(batch)
    assert found.shape[0] == len(batch["source"]) and found.shape[2:] == batch["source"].shape[2:]
    assert found.abs().max() <= 1 and not found.requires_grad
    assert torch.equal(system.edit(batch), found)
    assert torch.equal(system.edit(batch, seed=1), system.edit(batch, seed=1))


def it_weighs(case: Case, folder: Path) -> None:
    """Importance weights of each example, as many as are asked for, finite; a posterior, where there is one, for each."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Weighs):
        return
    if "label" in batch:
        batch["label"] = batch["label"].clamp(min=0)
    n = system.stage.batch_size
    for found in system.log_weights(batch, 3):
        assert found.shape == (3, n) and torch.isfinite(found).all() and not found.requires_grad
    assert all(len(part) == n for part in system.posterior(batch) or ())


ABILITIES = [
    it_samples,
    it_refuses_labels_that_it_does_not_know,
    it_encodes,
    it_answers_where_its_weights_lie,
    it_classifies,
    it_describes,
    it_compares,
    it_parses,
    it_edits,
    it_weighs,
]
