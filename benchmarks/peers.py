"""The other sides of `vae_training.py`: pythae 0.1.2, and the loop of the usual PyTorch example."""

import itertools
import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy
from torch.utils.data import DataLoader, TensorDataset

CONV, DECONV = (1, 128, 256, 512, 1024), (1024, 512, 256)


class PeerEncoder(nn.Module):
    """The layers of pythae's Encoder_Conv_VAE_MNIST up to its two heads: image [N, 1, 28, 28] -> [N, 1024]."""

    features = CONV[-1]

    def __init__(self) -> None:
        super().__init__()
        pairs = itertools.pairwise(CONV)
        self.layers = nn.Sequential(*[nn.Sequential(nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()) for a, b in pairs])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).flatten(1)


class PeerDecoder(nn.Module):
    """The layers of pythae's Decoder_Conv_AE_MNIST, to logits: code [N, latent] -> [N, 1, 28, 28]."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.start = nn.Linear(latent, 1024 * 4 * 4)
        self.layers = nn.Sequential(
            nn.Sequential(nn.ConvTranspose2d(1024, 512, 3, 2, padding=1), nn.BatchNorm2d(512), nn.ReLU()),
            nn.Sequential(nn.ConvTranspose2d(512, 256, 3, 2, padding=1, output_padding=1), nn.BatchNorm2d(256), nn.ReLU()),
            nn.ConvTranspose2d(256, 1, 3, 2, padding=1, output_padding=1),
        )

    def forward(self, code: Tensor) -> Tensor:
        return self.layers(self.start(code).unflatten(1, (1024, 4, 4)).contiguous(memory_format=torch.channels_last))


def peer_networks(latent: int) -> tuple[nn.Module, nn.Module]:
    """pythae's layers as networks for this project's VAE."""
    return PeerEncoder(), PeerDecoder(latent)


class PlainVAE(nn.Module):
    """The VAE of the usual PyTorch example: 784-400-20-400-784, or pythae's convolutional layers."""

    def __init__(self, kind: str, latent: int) -> None:
        super().__init__()
        self.latent = latent
        if kind == "a":
            self.encoder: nn.Module = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU())
            self.decoder: nn.Module = nn.Sequential(nn.Linear(latent, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
        else:
            self.encoder, self.decoder = peer_networks(latent)
        self.mean, self.log_var = (nn.Linear(400 if kind == "a" else 1024, latent) for _ in range(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.encoder(x)
        mean, log_var = self.mean(features), self.log_var(features)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        return torch.sigmoid(self.decoder(z)), mean, log_var


def example_loop(kind: str, dataset: Any, latent: int, batch: int) -> Callable[[int], list[float]]:
    """DataLoader over a TensorDataset, Adam, one step after the other."""
    loader = DataLoader(TensorDataset(dataset.image.float() / 255), batch_size=batch, shuffle=True, drop_last=True)
    model = PlainVAE(kind, latent).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def forever() -> Any:
        while True:
            yield from loader

    batches = forever()

    def segment(steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            (x,) = next(batches)
            optimiser.zero_grad()
            made, mean, log_var = model(x)
            loss = binary_cross_entropy(made, x, reduction="sum") - 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp())
            (loss / len(x)).backward()
            losses.append(loss.item() / len(x))
            optimiser.step()
        return losses

    return segment


class PythaeSide:
    """pythae's own trainer: `train_step`, its loop over one loader, on as many examples as there are steps to take."""

    def __init__(self, kind: str, dataset: Any, folder: str, latent: int, batch: int) -> None:
        from pythae.data.datasets import BaseDataset
        from pythae.models import VAE, VAEConfig
        from pythae.models.nn.benchmarks.mnist import Decoder_Conv_AE_MNIST, Encoder_Conv_VAE_MNIST
        from pythae.trainers import BaseTrainer, BaseTrainerConfig

        logging.disable(logging.INFO)
        config = VAEConfig(input_dim=(1, 28, 28), latent_dim=latent, reconstruction_loss="bce")
        networks = (
            (flat_encoder(latent), flat_decoder(latent)) if kind == "a" else (Encoder_Conv_VAE_MNIST(config), Decoder_Conv_AE_MNIST(config))
        )
        model = VAE(config, *networks)
        self.x, self.batch, self.wrap = dataset.image.float() / 255, batch, BaseDataset
        self.loaders: dict[int, Any] = {}
        settings = BaseTrainerConfig(output_dir=folder, num_epochs=1, per_device_train_batch_size=batch, learning_rate=1e-3, no_cuda=True)
        self.trainer = BaseTrainer(model, self.part(1), training_config=settings)
        self.trainer.prepare_training()
        self.losses: list[float] = []
        step = self.trainer._optimizers_step
        self.trainer._optimizers_step = lambda out: (self.losses.append(out.loss.item()), step(out))  # keeps each step's loss

    def part(self, steps: int) -> Any:
        """Examples for so many steps."""
        index = torch.arange(steps * self.batch) % len(self.x)
        return self.wrap(self.x[index], torch.zeros(len(index)))

    def __call__(self, steps: int) -> list[float]:
        self.losses.clear()
        if steps not in self.loaders:  # made once, so that no copying of examples is timed
            self.trainer.train_dataset = self.part(steps)
            self.loaders[steps] = self.trainer.get_train_dataloader(self.trainer.train_dataset)
        self.trainer.train_loader = self.loaders[steps]
        self.trainer.train_step(1)
        return list(self.losses)


def flat_encoder(latent: int) -> nn.Module:
    """784-400 and two heads, as pythae wants an encoder."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseEncoder

    class Flat(BaseEncoder):
        def __init__(self) -> None:
            BaseEncoder.__init__(self)
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 400), nn.ReLU())
            self.mean, self.log_var = nn.Linear(400, latent), nn.Linear(400, latent)

        def forward(self, x: Tensor) -> Any:
            features = self.layers(x)
            return ModelOutput(embedding=self.mean(features), log_covariance=self.log_var(features))

    return Flat()


def flat_decoder(latent: int) -> nn.Module:
    """latent-400-784, as pythae wants a decoder."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder

    class Flat(BaseDecoder):
        def __init__(self) -> None:
            BaseDecoder.__init__(self)
            self.layers = nn.Sequential(nn.Linear(latent, 400), nn.ReLU(), nn.Linear(400, 784), nn.Sigmoid())

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z).reshape(-1, 1, 28, 28))

    return Flat()
