"""Complete configurations of GANs, each with the result to expect of it."""

from pushforward.data import DataSpec
from pushforward.recipes.plan import Plan

TOY = {"latent": 2, "width": 96, "layers": 5, "lazy": 4, "rate": 2e-3, "r1": 0.1, "r2": 0.1, "batch_size": 128}
"""Of mixtures of Gaussians in the plane, chosen for the modern game on seeds 11 to 13: many short rounds; D must
be steep between modes that lie apart by twenty standard deviations."""
IMAGES = {"width": 16, "lazy": 4, "rate": 2e-3, "r1": 1.0, "r2": 1.0}
"""Of small images."""


def gaussians_gan() -> Plan:
    """GAN on 25 Gaussians in the plane. Two minutes of one core."""
    return Plan("gan", DataSpec("gaussians"), 1_650_000, dict(TOY), name="gaussians_gan")


def stacked_gan() -> Plan:
    """GAN on stacked MNIST: 1,000 kinds of images, none of which it is told. Half an hour on two cores."""
    return Plan("gan", DataSpec("stacked-mnist"), 1_300_000, dict(IMAGES), name="stacked_gan")


def mnist_gan() -> Plan:
    """GAN on MNIST. Ten minutes on two cores."""
    return Plan("gan", DataSpec("mnist"), 450_000, dict(IMAGES), name="mnist_gan")


def mnist_conditional_gan() -> Plan:
    """Conditional GAN on MNIST, told the digit. Ten minutes on two cores."""
    return Plan("conditional_gan", DataSpec("mnist"), 450_000, IMAGES | {"conditioning": "auxiliary"}, name="mnist_conditional_gan")


def gan_2014() -> Plan:
    """The GAN of 2014 on MNIST close to its own settings: fully connected, maxout and dropout in D, SGD with momentum. Twelve
    minutes on two cores.

    Both players step at once, as in the authors' code. Ours are Gaussian codes, a momentum that stays, a rate that falls by half a cosine,
    and averaged weights; and it plays a fraction of the paper's rounds."""
    settings = {
        "objective": "non_saturating",
        "r1": 0.0,
        "r2": 0.0,
        "net": "mlp_2014",
        "width": 1200,
        "layers": 2,
        "maxout": 5,
        "dropout": 0.5,
        "latent": 100,
        "optimiser": "sgd",
        "rate": 0.1,
        "faster_discriminator": 0.5,  # the authors' code takes half of D's loss
        "batch_size": 100,
    }
    return Plan("gan", DataSpec("mnist"), 2_000_000, settings, rule="simultaneous", name="gan_2014")
