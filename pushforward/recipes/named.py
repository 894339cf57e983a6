"""Complete configurations, each with the result to expect of it."""

from dataclasses import replace
from math import prod

from pushforward.core import BadInput
from pushforward.data import Dataset, DataSpec
from pushforward.recipes.adversarial import gan_2014, gaussians_gan, mnist_conditional_gan, mnist_gan, stacked_gan
from pushforward.recipes.painting import completion_2017
from pushforward.recipes.plan import Plan, known_labels

EXAMPLES = 60_000
"""Training images of MNIST."""
NOT_SMALL = 16
"""Pixels of the shorter side from which on an image bears the views of MNIST's digits."""

MNIST_SEMI = {
    "width": 32,
    "latent": 8,
    "code_sees_label": True,
    "views": "digits",
    "bound_weight": 1 / 784,
    "bound_every": 10,
    "settle": 0.33,
    "rate": 2e-3,
    "decay": 5e-4,
    "average": 88_000,
}
"""What `mnist_semi` has with any number of labels."""


def demo(labels: int = 100) -> Plan:
    """Classification VAE on scikit-learn's 1,797 digits of 8x8 pixels, half held out, from 100 labels. Under a minute on two cores."""
    settings = {
        "net": "convolution",
        "width": 32,
        "latent": 8,
        "views": "small-digits",
        "consistency": 1.0,
        "mutual_information": 1.0,
        "label_weight": 5.0,
        "bound_weight": 1 / 64,
        "bound_every": 4,
        "settle": 0.33,
        "rate": 3e-3,
        "decay": 5e-4,
        "average": 20_000,
        "batch_size": 128,
    }
    # of images this small a graph of neighbours says less than a few labels do, but more than none
    data = DataSpec("digits", labels=labels, neighbours=0 if labels else 10)
    return Plan(
        "classification_vae",
        data,
        128 * 1200,
        settings,
        labelled=32 if labels else 0,
        clip=5.0,
        name="demo",
        expected="96 to 97 % of the test digits right",
    )


def mnist_semi(labels: int = 100) -> Plan:
    """Classification VAE on MNIST from few labels (100: 10 of each class), or from all 60,000. Ten minutes on two cores."""
    if 4 * labels >= EXAMPLES:
        return mostly_labelled(labels)
    many = 15 * labels >= EXAMPLES  # so many show more styles than guesses about other images do
    fresh = 192 if many else 256
    settings = MNIST_SEMI | {
        "label_weight": 5.0,
        "consistency": 1.0,
        "mutual_information": 0.5,
        "calm": 0.4,
        "graph_again": 0.4 if labels else 0.0,
        "batch_size": fresh,
    }
    expected = "about 99 % of the test digits right with 100 labels"
    data, labelled = DataSpec("mnist", labels=labels, neighbours=10), 128 if many else 64 if labels else 0
    return Plan("classification_vae", data, fresh * 3000, settings, labelled, clip=5.0, name="mnist_semi", expected=expected)


def mostly_labelled(labels: int) -> Plan:
    """The same where batches hold enough labels as they come: what the others may be counts by their share."""
    known = min(1.0, labels / EXAMPLES)
    settings = MNIST_SEMI | {"label_weight": 1 / known, "batch_size": 256}
    if known < 1:
        settings |= {"consistency": 1 - known, "calm": 0.4}
    data, expected = DataSpec("mnist", labels=labels if known < 1 else None), "99.5 % of the test digits right"
    return Plan("classification_vae", data, 9 * EXAMPLES, settings, clip=5.0, name="mnist_semi", expected=expected)


def mnist_vae() -> Plan:
    """VAE with one layer of codes on binarised MNIST, all 60,000 training images. Twenty minutes on two cores."""
    settings = {
        "net": "residual",
        "width": 16,
        "latent": 40,
        "rate": 2e-3,
        "average": 100_000,
        "batch_size": 64,
    }
    data = DataSpec("mnist", binarise="dynamic")
    expected = "82.6 nats for -log p(x) of the test images, from 1,000 importance samples"
    return Plan("vae", data, 87 * EXAMPLES, settings, clip=10.0, name="mnist_vae", expected=expected)


def mnist_ladder() -> Plan:
    """Ladder VAE on binarised MNIST, all 60,000 training images. Twenty-five minutes on two cores."""
    settings = {"width": 16, "top": 32, "groups": 2, "maps": 4, "rate": 2e-3, "average": 100_000, "batch_size": 64}
    data = DataSpec("mnist", binarise="dynamic")
    expected = "below 80 nats for -log p(x) of the test images, from 1,000 importance samples"
    return Plan("ladder_vae", data, 36 * EXAMPLES, settings, clip=50.0, name="mnist_ladder", expected=expected)


def few_labels(labels: int | None = None) -> Plan:
    """Classification VAE on images of your own: a CSV names the class of a few (--labels some.csv), or of none (--classes 10)."""
    plan = mnist_semi()
    data = replace(plan.data, path="", labels=labels)
    return replace(plan, data=data, images=0, name="few_labels", expected="", suit=own_images)


def own_images(plan: Plan, train: Dataset) -> Plan:
    """Views, weight of the bound and first teacher for images of this shape: grey ones are taken for writing, coloured ones for photos."""
    if train.image is None:
        raise BadInput(f"few_labels learns from images, but '{train.name}' is a table. Use vae.")
    grey, views = train.shape[0] == 1, views_of(train)
    # neighbours are found by pixels, which say little about what is on a photo: there a few labels say more, but no label says nothing
    near = plan.data.neighbours if (grey or not known_labels(train)) and len(train) > plan.data.neighbours else 0
    settings = plan.settings | {"net": "convolution", "views": views, "bound_weight": 1 / prod(train.shape)}
    return replace(plan, data=replace(plan.data, neighbours=near), settings=settings)


def reader() -> Plan:
    """Classifier in whose features samples are compared, on labelled images of your own: `evaluate` says where it wants to find it."""
    return Plan("classifier", DataSpec(""), 0, name="reader", suit=lambda plan, train: replace(plan, settings={"views": views_of(train)}))


def views_of(train: Dataset) -> str:
    """Grey images are taken for writing, coloured ones for photos."""
    return "photos" if train.shape[0] > 1 else "digits" if min(train.shape[1:]) >= NOT_SMALL else "small-digits"


RECIPES = {
    "demo": demo,
    "mnist_semi": mnist_semi,
    "few_labels": few_labels,
    "mnist_vae": mnist_vae,
    "mnist_ladder": mnist_ladder,
    "mnist_gan": mnist_gan,
    "mnist_conditional_gan": mnist_conditional_gan,
    "stacked_gan": stacked_gan,
    "gaussians_gan": gaussians_gan,
    "gan_2014": gan_2014,
    "completion_2017": completion_2017,
    "reader": reader,
}
