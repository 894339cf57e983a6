"""The bound on examples that were held out: a mean over all of them, at the end of training, leaving everything as it was."""

import pytest
import torch

from pushforward import metrics
from pushforward.data import Dataset
from pushforward.systems.vae import VAE


@pytest.fixture
def system() -> VAE:
    torch.manual_seed(0)
    return VAE(VAE.Config((1, 4, 4), latent=2, net="mlp", width=8, beta=2.0, warm_up=0.5))


@pytest.fixture
def data() -> Dataset:
    pixels = torch.randint(0, 256, (23, 1, 4, 4), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Dataset("noise", image=pixels)


def test_loss_has_the_final_weight_of_the_rate(system, data):
    system.enter(system.schedule(10, 100))  # beta is 0.4 here
    told = metrics.test_bound(system, data)
    assert told["loss"] == pytest.approx(told["distortion"] + 2 * told["rate"], rel=1e-5)
    assert told["bound"] == pytest.approx(told["distortion"] + told["rate"], rel=1e-5)


def test_rate_does_not_depend_on_how_the_data_are_cut(system, data):
    whole, cut = metrics.test_bound(system, data), metrics.test_bound(system, data, batch_size=5)
    assert cut["rate"] == pytest.approx(whole["rate"], rel=1e-5)
    assert cut["distortion"] == pytest.approx(whole["distortion"], rel=0.05)  # other random codes


def test_leaves_everything_as_it_was(system, data):
    system.train()
    system.networks.decoder.eval()
    system.enter(system.schedule(10, 100))
    stage, beta, state = system.stage, system.beta.clone(), torch.get_rng_state()
    weights = {key: value.clone() for key, value in system.state_dict().items()}
    metrics.test_bound(system, data)
    assert system.stage == stage and torch.equal(system.beta, beta) and torch.equal(torch.get_rng_state(), state)
    assert system.training and system.networks.features.training and not system.networks.decoder.training
    assert all(torch.equal(value, weights[key]) for key, value in system.state_dict().items())


def test_it_is_of_the_averaged_weights(data):
    torch.manual_seed(0)
    system = VAE(VAE.Config((1, 4, 4), latent=2, net="mlp", width=8, average=100))
    used = metrics.test_bound(system, data)
    weights = {key: value.clone() for key, value in system.networks.state_dict().items()}
    with torch.no_grad():
        for weight in system.networks.parameters():
            weight.add_(0.3)
    moved = {key: value.clone() for key, value in system.networks.state_dict().items()}
    assert metrics.test_bound(system, data) == used
    assert all(torch.equal(value, moved[key]) for key, value in system.networks.state_dict().items())
    system.averaged.load_state_dict(system.networks.state_dict())
    system.networks.load_state_dict(weights)
    assert metrics.test_bound(system, data)["bound"] > used["bound"]


def test_the_same_each_time_whatever_the_generator(system, data):
    first = metrics.test_bound(system, data)
    torch.manual_seed(7)
    assert metrics.test_bound(system, data) == first


def test_nothing_of_nothing(system, data):
    assert metrics.test_bound(system, data.part(torch.tensor([], dtype=torch.int64))) == {}
