"""`evaluate` of what a system invents: copies, noise and collapse are told apart, each number beside its floor."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

import pushforward
from pushforward.core import BadInput, Classifies, Compares, Samples
from pushforward.data import Dataset, DataSpec, faces, open_data
from pushforward.evaluation import samples
from pushforward.evaluation.feature_nets import FeatureNet, cached, feature_net
from pushforward.evaluation.samples import of_samples

TRAIN, TEST = open_data(DataSpec("digits"))
assert TEST is not None


class Pretends(Samples):
    """Gives back what it is told to."""

    labels = 0

    def __init__(self, images: Tensor):
        self.images = images

    def sample(self, count: int, label: "int | Tensor | None" = None, seed: int | None = None) -> Tensor:
        chosen = torch.randint(0, len(self.images), (count,), generator=torch.Generator().manual_seed(seed or 0))
        return self.images[chosen]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> FeatureNet:
    folder = tmp_path_factory.mktemp("reader") / "run"
    pushforward.train("classifier", "digits", run=folder, images=12_000, quiet=True, width=64)
    found = feature_net(str(folder), "digits", (1, 8, 8))
    assert found is not None
    return found


def test_copies_look_right_and_are_found_out(net: FeatureNet) -> None:
    assert TEST is not None
    found = of_samples(Pretends(samples.every(TRAIN, len(TRAIN))[0]), TRAIN, TEST, net, 10_000)
    assert found["samples"] == 898 and "SHA-256" in found["feature net"] and "caution" not in found
    assert found["precision"] == pytest.approx(found["precision, real against real"], abs=0.08)
    assert found["classes made"] == 10 and found["KL of classes to even"] < 0.02
    assert found["nearness to training"] > 0.95, "all of them are copies"
    assert found["near-duplicates"] > 300 and 500 < found["different examples, by birthdays"] < 2_000, "898 of 899 drawn with replacement"
    assert found["its width"] > 0 and found["its standard error"] > 0
    assert found["near-duplicates, real against real"] < 20, "training examples, each once"
    window, floor = (found[f"Parzen log-likelihood, historical{end}"] for end in ("", ", real against real"))
    assert window < floor < window + 5, "of the same examples, some of them several times"


def test_copies_are_found_out_by_few_samples_too(net: FeatureNet) -> None:
    """What was copied need not be among the training examples that samples are compared with: all are looked through."""
    copies = of_samples(Pretends(samples.every(TRAIN, len(TRAIN))[0]), TRAIN, TEST, net, 60)
    fresh = of_samples(Pretends(samples.every(TEST, len(TEST))[0]), TRAIN, TEST, net, 60)
    assert copies["samples"] == fresh["samples"] == 60 and "need more than" in copies["caution"]
    assert copies["nearness to training"] > 0.95 and fresh["nearness to training"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("count", "train", "said"), [(7, TRAIN, "but 7 samples are asked for"), (99, TRAIN.part(torch.arange(9)), "but 9 training")]
)
def test_too_few_are_said_to_be_too_few(net: FeatureNet, count: int, train: Dataset, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        of_samples(Pretends(torch.zeros(1, 1, 8, 8)), train, TEST, net, count)


def test_noise_is_far_and_covers_nothing(net: FeatureNet) -> None:
    assert TEST is not None
    noise = Pretends(torch.rand(500, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    found = of_samples(noise, TRAIN, TEST, net, 300)
    assert found["Frechet distance"] > 10 * found["Frechet distance, real against real"]
    assert found["coverage"] < 0.5 * found["coverage, real against real"] and found["nearness to training"] < 0.05


def test_collapse_is_precise_and_recalls_nothing(net: FeatureNet) -> None:
    assert TEST is not None
    one_class = Pretends(samples.every(TRAIN, len(TRAIN))[0][TRAIN.label == 3])
    found = of_samples(one_class, TRAIN, TEST, net, 300)
    assert found["precision"] > 0.7 and found["coverage"] < 0.3 and found["recall"] < 0.6
    assert found["KL of classes to even"] > 1.5 and found["classifier score"] < 2


def test_classes_are_compared_one_by_one_where_they_are_asked_for(net: FeatureNet) -> None:
    assert TEST is not None and TRAIN.label is not None

    class Told(Pretends):
        """Real examples of the class asked for, but a two for every three."""

        labels = 10

        def sample(self, count: int, label: "int | Tensor | None" = None, seed: int | None = None) -> Tensor:
            chance = torch.Generator().manual_seed(seed or 0)
            y = torch.as_tensor(label).expand(count)
            assert TRAIN.label is not None
            of = [(TRAIN.label == int(k if k != 3 else 2)).nonzero().flatten() for k in y]
            return self.images[torch.stack([own[torch.randint(len(own), (), generator=chance)] for own in of])]

    found = of_samples(Told(samples.every(TRAIN, len(TRAIN))[0]), TRAIN, TEST, net, 898)
    assert 0.75 < found["read as asked"] < 0.91, "the reader errs, too"
    worst, floor = found["Frechet distance of a class, worst"], found["Frechet distance of a class, worst, real against real"]
    assert worst > 5 * floor and found["Frechet distance of a class, mean"] < worst / 3
    assert found["coverage of a class, worst"] < 0.3 < found["coverage of a class, mean"]


class Halves(torch.nn.Module):
    """Features of a user's own: the mean of each half."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.stack([x[..., :4].mean((1, 2, 3)), x[..., 4:].mean((1, 2, 3))], 1)


class Colours(Halves):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.nn.functional.conv2d(x, torch.ones(1, 3, 1, 1)))


class Wide(torch.nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


def test_a_net_trained_on_this_machine_is_found_by_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert feature_net("", "digits", (1, 8, 8), TRAIN.fingerprint) is None
    pushforward.train("reader", "digits", run=cached(TRAIN.fingerprint), images=256, quiet=True)
    found = feature_net("", "digits", (1, 8, 8), TRAIN.fingerprint)
    assert found is not None and TRAIN.fingerprint[:16] in found.name


def test_a_module_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    found = feature_net("test_sample_quality:Halves", "digits", (1, 8, 8))
    assert found is not None and "SHA-256" in found.name
    features, logits = found.read(torch.rand(600, 1, 8, 8))
    assert features.shape == (600, 2) and logits is None
    for wrong, words in (
        ("no.such:Net", "There is no feature net 'no.such:Net'"),
        ("test_sample_quality:TRAIN", "is a Dataset, but a feature net is a torch module"),
        ("test_sample_quality:Wide", "features are a tensor"),
        ("test_sample_quality:Colours", r"does not take images of shape \(1, 8, 8\) \(.+\); let it fit them to its size"),
    ):
        with pytest.raises(BadInput, match=words):
            feature_net(wrong, "digits", (1, 8, 8))


def test_images_of_another_size_are_fitted_to_a_net_and_that_is_said(tmp_path: Path) -> None:
    reader = pushforward.train("classifier", "digits", run=tmp_path / "reader", images=64, quiet=True).folder
    own, larger = (feature_net(str(reader), "digits", (1, side, side)) for side in (8, 16))
    assert own is not None and larger is not None and "resized" not in own.name
    assert larger.name == f"{own.name}, which reads 8x8 pixels: images of 16x16 are resized for it"
    assert larger.read(torch.zeros(3, 1, 16, 16))[0].shape == own.read(torch.zeros(3, 1, 8, 8))[0].shape


def test_what_is_read_at_once_is_what_is_read_apart(net: FeatureNet) -> None:
    x, _ = samples.every(TRAIN, 300)
    reader = pushforward.load(net.name.partition(", SHA")[0])
    assert isinstance(reader, Classifies) and isinstance(reader, Compares)
    features, logits = net.read(x)
    assert torch.allclose(features, reader.features(x)) and logits is not None and torch.allclose(logits, reader.logits(x))


def test_attributes_that_are_heeded_are_told_from_those_that_are_not() -> None:
    train, test = open_data(DataSpec("faces", size=16))
    assert test is not None

    class Draws(Pretends):
        """Faces with the attributes asked for, or with those of others."""

        config = SimpleNamespace(told="attributes")
        heeds = True

        def sample(self, count: int, label: "int | Tensor | None" = None, seed: int | None = None) -> Tensor:
            assert isinstance(label, Tensor)
            return faces.drawn(label if self.heeds else label.roll(1, 0), 16, seed or 0)[0]

    net, draws = feature_net("", "faces", (3, 16, 16)), Draws(torch.zeros(1))
    assert net is not None
    heeded = of_samples(draws, train, test, net, 200)
    draws.heeds = False
    ignored = of_samples(draws, train, test, net, 200)
    key = "attributes, apart from those asked"
    assert heeded[key] == pytest.approx(heeded[f"{key}, real against real"], abs=0.01) and heeded[key] < 0.2
    assert ignored[key] > 0.28 and heeded["attributes, apart from others"] > 0.28


def test_a_net_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    pushforward.train("vae", "digits", run=tmp_path / "vae", images=64, quiet=True)
    with pytest.raises(BadInput, match="is a VAE, which has no features"):
        feature_net(str(tmp_path / "vae"), "digits", (1, 8, 8))
    reader = pushforward.train("classifier", "digits", run=tmp_path / "reader", images=64, quiet=True).folder
    with pytest.raises(BadInput, match=r"reads images of shape \(1, 8, 8\), but these examples have shape \(3, 8, 8\)"):
        feature_net(str(reader), "photos", (3, 8, 8))
    assert feature_net("", "digits", (1, 8, 8)) is None and feature_net("", "moons", (2,)) == FeatureNet("the rows themselves", None)
    with pytest.raises(BadInput, match="at least 20, but 9 held-out"):
        of_samples(Pretends(torch.zeros(9, 1, 8, 8)), TRAIN, TEST.part(torch.arange(9)), FeatureNet("", None), 100)  # type: ignore[union-attr]
