"""Games that are broken on purpose, each told by name, and sound ones that raise no alarm; what the probe sees; how much a game turns."""

from pathlib import Path
from typing import Any

import pytest
import torch

import pushforward
from pushforward.core import Batch, find_system
from pushforward.data import DataSpec, open_data
from pushforward.runs import GivenUp, Run
from pushforward.runs.probe import middles, probed
from pushforward.systems.gan import GAN
from pushforward.training import Trainer, find_rule
from pushforward.training.health import advice

NO_PENALTY = {"r1": 0.0, "r2": 0.0}
FEW = torch.rand(24, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LINE = torch.randn(500, 1, generator=torch.Generator().manual_seed(0)).numpy()
SMALL = {"net": "mlp", "layers": 1, "width": 4, "latent": 1}

BROKEN: dict[str, tuple[Any, dict[str, Any]]] = {
    "The discriminator has won": (
        "digits",
        NO_PENALTY | {"objective": "minimax", "rate": 2e-4, "faster_discriminator": 20.0, "images": 8_000},
    ),
    "The discriminator is too weak": ("digits", {"faster_discriminator": 0.001, "rate": 1e-3, "images": 8_000}),
    "The discriminator knows its training examples by heart": (
        FEW,
        NO_PENALTY | {"objective": "non_saturating", "rate": 1e-3, "width": 256, "held_out": 0.5, "images": 15_000},
    ),
    "Collapse": ("digits", {"r2": 0.0, "rate": 2e-3, "faster_discriminator": 20.0, "images": 8_000}),
    "A class is missing": (
        "digits",
        NO_PENALTY | {"objective": "non_saturating", "r1": 0.1, "latent": 1, "rate": 1e-3, "images": 8_000},
    ),
    "The discriminator's slopes explode": (
        "digits",
        NO_PENALTY | {"objective": "wasserstein", "rate": 1e-3, "faster_discriminator": 20.0, "images": 8_000},
    ),
    "The discriminator grows steep at generated examples": (
        "digits",
        {"objective": "minimax", "net": "residual", "width": 16, "r1": 30.0, "r2": 0.0, "rate": 1e-4, "faster_discriminator": 20.0}
        | {"images": 8_000},
    ),
    "The players orbit": (
        LINE,
        NO_PENALTY | SMALL | {"objective": "wasserstein", "optimiser": "sgd", "rate": 0.03, "rule": "simultaneous", "images": 20_000},
    ),
    "The discriminator has died": (
        "digits",
        {"net": "residual", "width": 8, "rate": 0.03, "r1": 1e3, "r2": 1e3, "batch_size": 16, "images": 8_000},
    ),
    "Pixels are saturated": ("digits", {"rate": 0.1, "images": 6_000}),
}
FOLLOWS: dict[str, set[str]] = {
    "The discriminator has won": {"Collapse"},
    "The discriminator is too weak": {"Pixels are saturated", "A class is missing"},
    "The discriminator knows its training examples by heart": {"Collapse"},
    "Collapse": set(),
    "A class is missing": {"Collapse"},
    "The discriminator's slopes explode": {"Collapse", "A class is missing"},
    "The discriminator grows steep at generated examples": {"A class is missing"},
    "The players orbit": {"The discriminator is too weak", "Collapse"},
    "The discriminator has died": {"The discriminator is too weak"},
    "Pixels are saturated": {"A class is missing", "The discriminator's slopes explode"},
}
"""What else may be said, being what comes of it."""
SOUND: dict[str, tuple[str, str, dict[str, Any]]] = {
    "usual": ("gan", "digits", {"rate": 2e-3}),
    "non-saturating with R1": ("gan", "digits", {"objective": "non_saturating", "r2": 0.0, "rate": 2e-3}),
    "least squares": ("gan", "digits", {"objective": "least_squares", "rate": 2e-3}),
    "hinge": (
        "gan",
        "digits",
        NO_PENALTY | {"objective": "hinge", "spectral": True, "rate": 5e-4, "faster_discriminator": 4.0, "images": 60_000},
    ),
    "Wasserstein": (
        "gan",
        "digits",
        NO_PENALTY | {"objective": "wasserstein", "gradient_penalty": 1.0, "turns": 5, "rate": 1e-3},
    ),
    "rows": ("gan", "moons", {"latent": 2, "rate": 1e-3}),
    "projection": ("conditional_gan", "digits", {"rate": 2e-3}),
    "auxiliary": ("conditional_gan", "digits", {"conditioning": "auxiliary", "rate": 2e-3}),
    "concatenation": ("conditional_gan", "digits", {"conditioning": "concatenation", "rate": 2e-3}),
}


def told(run: Run) -> list[str]:
    """What was said while a run was trained."""
    lines = run.metrics()
    return [
        words
        for place, line in enumerate(lines)
        for words in advice(line, line["seen"] / run.recipe.images, run.recipe.config, lines[: place + 1])
    ]


@pytest.mark.parametrize("words", BROKEN)
def test_what_is_broken_is_called_by_its_name(words: str, tmp_path: Path) -> None:
    data, options = BROKEN[words]
    run = pushforward.train("gan", data, run=tmp_path / "run", quiet=True, **options)
    said = told(run)
    named = [sentence for sentence in said if sentence.startswith(words)]
    assert len(named) >= 5, said
    assert all("--" in sentence for sentence in named)
    assert all(sentence.startswith((words, *FOLLOWS[words])) for sentence in said), said


@pytest.mark.parametrize("objective", ["least_squares", "hinge"])
def test_that_d_has_won_is_told_where_its_answers_are_no_logits(objective: str, tmp_path: Path) -> None:
    data, options = BROKEN["The discriminator has won"]
    run = pushforward.train("gan", data, run=tmp_path / "run", quiet=True, **options | {"objective": objective})
    assert len([sentence for sentence in told(run) if sentence.startswith("The discriminator has won")]) >= 5


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_raises_no_alarm(name: str, tmp_path: Path) -> None:
    system, data, options = SOUND[name]
    assert told(pushforward.train(system, data, run=tmp_path / "run", quiet=True, **({"images": 40_000} | options))) == []


def test_what_is_not_a_number_ends_the_run_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GivenUp, match="is not finite after"):
        pushforward.train(
            "gan", "digits", run=tmp_path / "run", quiet=True, optimiser="sgd", rate=1e8, objective="least_squares", images=3_000
        )


def test_what_d_gives_a_class_alike_is_no_judgement() -> None:
    """D(x, y) of relativistic pairs may float by c(y): what it tells real from generated examples by is left."""
    label = torch.arange(12) % 3
    offset, gap = torch.tensor([-5.0, 0.0, 9.0], dtype=torch.float64)[label], 0.8
    logits = {"real": offset + gap / 2, "made": offset - gap / 2}
    batch: Batch = {"label": label}  # type: ignore[typeddict-item]
    torch.testing.assert_close(logits["real"] - middles(logits, batch, batch, True), torch.full((12,), gap / 2, dtype=torch.float64))
    other: Batch = {"label": torch.tensor([2, 7])}  # type: ignore[typeddict-item]
    torch.testing.assert_close(middles(logits, batch, other, True), torch.tensor([9.0, 4 / 3], dtype=torch.float64))
    assert float(middles(logits, batch, batch, False)) == pytest.approx(4 / 3)


def test_the_probe_sees_what_it_should() -> None:
    train, test = open_data(DataSpec("digits"))
    torch.manual_seed(0)
    system = GAN(GAN.Config((1, 8, 8), objective="non_saturating"))
    state = torch.get_rng_state()
    found = probed(system, train, test)
    assert torch.equal(torch.get_rng_state(), state) and found == probed(system, train, test)
    assert {"real", "made", "held_out", "spread", "distance", "rarest_kind", "outside", "slope_real"} <= {key[6:] for key in found}
    assert abs(found["judge/real"] - 0.5) < 0.1 and found["judge/spread"] < 0.2 and found["judge/rarest_kind"] == 0
    with torch.no_grad():
        system.discriminator.head.bias += 3
    assert probed(system, train, test)["judge/made"] > 0.9, "nothing is taken off where logits do not float"
    some = train.labelled(train.label.where(torch.arange(len(train)) % 3 == 0, torch.tensor(-1)))
    assert 0 <= probed(system, some, None)["judge/rarest_kind"] < 2
    assert "judge/rarest_kind" not in probed(system, train.labelled(torch.full_like(train.label, -1)), None)
    assert "judge/held_out" not in probed(system, train, None)
    assert probed(find_system("vae")(find_system("vae").Config((1, 8, 8))), train, test) == {}  # type: ignore[call-arg]


@pytest.mark.parametrize(("curvature", "turns"), [(0.0, 1.0), (1.0, 0.5), (1e6, 0.0)])
def test_rotation_is_one_on_ab_and_none_where_both_descend(curvature: float, turns: float) -> None:
    kind = find_system("bilinear_game")
    system = kind(kind.Config(curvature_a=curvature, curvature_b=curvature))  # type: ignore[call-arg]

    class Nothing:
        def batch(self, *where: Any) -> dict[str, Any]:
            return {}

    trainer = Trainer(system, Nothing(), 10, rule=find_rule("simultaneous"), device="cpu")  # type: ignore[arg-type]
    assert trainer.rotation() == pytest.approx(turns, abs=1e-5)


def test_rotation_is_measured_every_200_rounds_and_at_the_end(tmp_path: Path) -> None:
    run = pushforward.train("gan", data=LINE, run=tmp_path / "run", images=4_000, batch_size=8, **SMALL)
    seen = {key: [line["seen"] for line in run.metrics() if f"judge/{key}" in line] for key in ("real", "rotation")}
    assert seen["rotation"] == [1_600, 3_200, 4_000] and len(seen["real"]) > 20
