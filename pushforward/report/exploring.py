"""The code space of a generator: walks through it, the code of a given image, directions in which much changes, and less daring codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from pushforward import figures
from pushforward.core import Adam, BadInput, Encodes, Generates, Moments, Samples, System, warm_up_then_cosine
from pushforward.maths import noise
from pushforward.maths.interpolation import slerp
from pushforward.report.asking import device_of, labels_of, latent_of

TOGETHER = 250
"""Images that are made at a time."""
STARTS, RATE, PULL = 500, 0.1, 0.002
"""Of projections: random codes of which the best is where the search begins; the search's step; how strongly codes are held at the length
that codes of N(0, I) have."""
LOOKED = 4_000
"""Codes from whose activations directions are found."""


@dataclass(frozen=True)
class Generator:
    """What turns codes z ~ N(0, I) into examples."""

    latent: int
    device: torch.device
    make: Callable[[Tensor, int | Tensor | None], Tensor]
    """Examples of codes, images not cut; differentiable where the system `Generates`."""


def generator_of(system: System) -> Generator:
    """The generator of a system that has one, or the decoder of one that encodes.

    Raises:
        BadInput: neither.
    """
    if isinstance(system, Generates):
        return Generator(system.latent, device_of(system), system.generate)
    if isinstance(system, Encodes) and isinstance(system, Samples):
        return Generator(latent_of(system), device_of(system), system.decode)
    raise BadInput(f"{type(system).__name__} makes nothing of codes alone. Use a run of vae, gan, conditional_gan or the like.")


def image_maker(system: System) -> Generator:
    """The generator of a system of images.

    Raises:
        BadInput: it makes rows of a table, or nothing of codes.
    """
    if len(system.config.shape) == 1:
        raise BadInput("This run makes rows of a table, of which there are no such pictures. Use sample or report.")
    return generator_of(system)


@torch.no_grad()
def made(generator: Generator, code: Float[Tensor, "n d"], label: int | Tensor | None = None) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] of codes, a few at a time."""
    labels = label.split(TOGETHER) if isinstance(label, Tensor) and label.ndim else None
    parts = code.to(generator.device).split(TOGETHER)
    return torch.cat([generator.make(part, labels[n] if labels else label) for n, part in enumerate(parts)]).clamp(-1, 1)


class Truncated(Samples):
    """A system whose codes are drawn from N(0, I) cut off at +- `most` in each dimension (Brock et al. 2019): fewer surprises, good ones
    and bad ones.

    Raises:
        BadInput: a system without codes, or a limit that is not above 0.
    """

    def __init__(self, system: System, most: float):
        if not 0 < most < float("inf"):
            raise BadInput(f"truncation is {most:g}, but must be above 0; 2 cuts one code in twenty, 0.5 leaves little variety.")
        self.generator, self.classes, self.most, self.shape = generator_of(system), labels_of(system), most, system.config.shape

    @property
    def labels(self) -> int:
        return self.classes

    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        code = truncated(noise(count, self.generator.latent, seed, self.generator.device), self.most)
        with torch.no_grad():
            x = self.generator.make(code, label)
        return x.clamp(-1, 1) if len(self.shape) == 3 else x


def truncated(code: Float[Tensor, "n d"], most: float) -> Float[Tensor, "n d"]:
    """Draws of N(0, 1) as draws of the same distribution between -most and most: the same quantiles."""
    edge = torch.special.ndtr(torch.tensor(-most, dtype=torch.float64, device=code.device))
    return torch.special.ndtri(edge + (1 - 2 * edge) * torch.special.ndtr(code.double())).to(code.dtype)


def walk(
    system: System,
    count: int = 16,
    stops: int = 5,
    steps: int = 16,
    label: int | Tensor | None = None,
    seed: int = 0,
    truncation: float = 0.0,
) -> list[Image.Image]:
    """Sheets of `count` images whose codes walk together from stop to stop along arcs (slerp) and back to the first: stops * steps sheets.

    label: one class for all; where a system is told one and nothing is said, the classes in turn. Or attributes [count, A], which each
    image keeps, of a system that is told them.

    Raises:
        BadInput: no images, fewer than two stops, or one step.
    """
    if stops < 2 or steps < 2 or count < 1:
        raise BadInput(f"A walk of {count} images with {stops} stops and {steps} steps between is none; take 1, 2 and 2 at the least.")
    generator = image_maker(system)
    if truncation < 0:
        raise BadInput(f"truncation is {truncation:g}, but must be above 0, or 0 for none.")
    code = noise(stops * count, generator.latent, seed, torch.device("cpu")).view(stops, count, -1)
    code = truncated(code, truncation) if truncation else code
    t = torch.arange(steps) / steps
    path = torch.cat([slerp(code[s, None], code[(s + 1) % stops, None], t[:, None]) for s in range(stops)])
    told = label
    if labels_of(system) and not isinstance(label, Tensor):
        told = torch.arange(count) % labels_of(system) if label is None else torch.full((count,), label)
    columns = labels_of(system) if label is None and 2 <= labels_of(system) <= 12 else None
    return [figures.sheet(made(generator, stand, told), columns) for stand in path]


def projected(
    system: System, image: Float[Tensor, "n c h w"], label: Tensor | None = None, steps: int = 300, seed: int = 0
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n c h w"]]:
    """Codes z [N, latent] whose images G(z) are near the given ones, and those images: Adam on the mean squared difference of pixels, from
    the best of `STARTS` random codes; codes are held at the length that codes have.

    label: the classes [N] or the attributes [N, A], of a system that is told them.
    """
    generator = image_maker(system)
    if not isinstance(system, Generates):
        raise BadInput(f"{type(system).__name__} has no slopes to search along. Use a gan, or encode the image (reconstruct).")
    image = image.to(generator.device)
    random = noise(STARTS, generator.latent, seed, generator.device)
    starts = []
    for n, one in enumerate(image):
        found = made(generator, random, None if label is None else label[n].expand(STARTS, *label.shape[1:]))
        starts.append(random[(found - one).square().flatten(1).mean(1).argmin()])
    code = torch.stack(starts).requires_grad_()
    moments: Moments = {}
    with torch.enable_grad():
        for step in range(steps):
            apart = (generator.make(code, label).float() - image).square().flatten(1).mean(1)
            long = (code.square().mean(1) - 1).square()
            (slope,) = torch.autograd.grad((apart + PULL * long).sum(), code)
            Adam(RATE).step([code], [slope.contiguous()], moments, warm_up_then_cosine(step / steps))
    return code.detach(), made(generator, code.detach(), label)


def directions(system: System, count: int, label: int | Tensor | None = None, seed: int = 0) -> tuple[Float[Tensor, "k d"], list[float]]:
    """Unit directions in code space along which the generator's activations vary most, and the shares of their variance: principal
    components of the activations of random codes, each traced back to z by least squares (Harkonen et al. 2020, "GANSpace").

    label: the class, or the attributes [1, A], of all codes, of a system that is told them.

    Raises:
        BadInput: a system whose generator shows no activations, or more directions than it has dimensions.
    """
    from sklearn.decomposition import PCA

    if not isinstance(system, Generates):
        raise BadInput(f"{type(system).__name__} shows no activations to take directions from. Use a gan, or traverse the code itself.")
    if not 1 <= count <= system.latent:
        raise BadInput(f"{count} directions are asked for, but codes have {system.latent} dimensions; give 1 to {system.latent}.")
    z = noise(LOOKED, system.latent, seed, device_of(system))
    with torch.no_grad():
        parts = (system.activations(part, for_all(system, label, len(part))) for part in z.split(TOGETHER))
        active = torch.cat([part.float().cpu() for part in parts])
    count = min(count, active.shape[1])
    found = PCA(count, svd_solver="randomized", random_state=seed).fit(active.numpy())
    score = torch.from_numpy(found.transform(active.numpy()))
    direction = torch.linalg.lstsq(score.double(), z.cpu().double()).solution
    return (direction / direction.norm(dim=1, keepdim=True)).float(), found.explained_variance_ratio_.tolist()


def for_all(system: System, label: int | Tensor | None, count: int) -> int | Tensor | None:
    """What a system is told of `count` codes: one class, the first where nothing is said, or attributes [1, A] for each."""
    if isinstance(label, Tensor):
        return label.expand(count, -1)
    return (label or 0) if labels_of(system) else None


def along(
    system: System,
    direction: Float[Tensor, "k d"],
    names: Sequence[str],
    label: int | Tensor | None = None,
    seed: int = 0,
    reach: float = 4.0,
) -> Image.Image:
    """One direction a row: the image of one code in the middle, moved by up to `reach` either way. label as in `directions`."""
    generator = image_maker(system)
    code = noise(1, generator.latent, seed, torch.device("cpu"))
    shift = torch.linspace(-reach, reach, 9)
    moved = code + shift[None, :, None] * direction[:, None]
    told = for_all(system, label, moved.shape[0] * moved.shape[1])
    heads = [f"{value:+.1f}".replace("+0.0", "0") for value in shift.tolist()]
    return figures.sheet(made(generator, moved.flatten(0, 1), told), 9, rows=list(names), heads=heads)
