"""Classification VAEs, small enough to follow."""

import torch
from torch import Tensor

from pushforward.core import UNLABELLED
from pushforward.systems.classification_vae import ClassificationVAE
from pushforward.systems.classification_vae import Settings as Config

CLASSES = 3


def made(shape: tuple[int, ...] = (1, 6, 6), classes: int = CLASSES, **settings: object) -> ClassificationVAE:
    torch.manual_seed(0)
    return ClassificationVAE(Config(shape, classes, latent=3, **({"width": 12, "batch_size": 16} | settings)))  # type: ignore[arg-type]


def taught(**settings: object) -> tuple[ClassificationVAE, dict[str, Tensor]]:
    """A system with a teacher that differs from it, in the middle of its run, and a batch with few labels."""
    system = made(**({"consistency": 1.0, "mutual_information": 0.5, "threshold": 0.4, "last_threshold": 0.4} | settings)).eval()
    with torch.no_grad():
        for module in (system.networks, system.averaged):
            module.classifier.weight.copy_(3 * torch.randn(module.classifier.weight.shape))
        system.marginal.copy_(torch.tensor([0.2, 0.5, 0.3]))
    system.enter(system.schedule(50, 100))
    image = 2 * torch.rand(12, 1, 6, 6, generator=torch.Generator().manual_seed(1)) - 1
    return system, {"image": image, "label": torch.tensor([0, 1, 2] + [UNLABELLED] * 9)}
