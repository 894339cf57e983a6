"""Walks, projections, directions and truncated codes, on generators whose answers are known."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pushforward.core import BadInput, Generates, Samples, find_system
from pushforward.report import exploring
from pushforward.report.exploring import Truncated, projected, truncated

STRENGTH = torch.tensor([3.0, 2.0, 1.0, 0.5])


class Linear(torch.nn.Module, Samples, Generates):
    """G(z) = A (s * z), A orthonormal: the directions of largest change are the axes of z, in the order of s."""

    labels, latent = 0, 4

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.A = torch.nn.Parameter(torch.linalg.qr(torch.randn(64, 64)).Q[:, :4])
        self.config = type("Config", (), {"shape": (1, 8, 8)})

    def generate(self, code: Tensor, label: Any = None) -> Tensor:
        return 0.3 * self.activations(code).unflatten(1, (1, 8, 8))

    def activations(self, code: Tensor, label: Any = None) -> Tensor:
        return (STRENGTH * code) @ self.A.T

    def sample(self, count: int, label: Any = None, seed: int | None = None) -> Tensor:
        return self.generate(torch.randn(count, 4, generator=torch.Generator().manual_seed(seed or 0))).detach().clamp(-1, 1)


def test_directions_are_the_axes_in_the_order_of_their_strength() -> None:
    found, shares = exploring.directions(Linear(), 4)  # type: ignore[arg-type]
    torch.testing.assert_close(found.abs(), torch.eye(4), atol=0.05, rtol=0)
    torch.testing.assert_close(torch.tensor(shares), STRENGTH.square() / STRENGTH.square().sum(), atol=0.02, rtol=0)


def test_the_code_of_an_image_that_the_generator_made_is_found() -> None:
    system = Linear()
    z = torch.randn(3, 4, generator=torch.Generator().manual_seed(5))
    z = 2 * z / z.norm(dim=1, keepdim=True)  # as long as codes are, so that the pull towards their length is at rest
    image = system.generate(z).detach()
    code, made = projected(system, image, steps=300)  # type: ignore[arg-type]
    assert not code.requires_grad and (made - image).abs().max() < 0.05
    assert (code - z)[:, :3].abs().max() < 0.3


def test_truncated_codes_stay_inside_and_keep_their_order() -> None:
    z = torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0))
    cut = truncated(z, 1.0)
    assert cut.abs().max() <= 1 and torch.equal(cut[:, 0].argsort(), z[:, 0].argsort())
    assert float(cut.std()) == pytest.approx(0.5396, abs=0.01), "of N(0, 1) between -1 and 1"
    torch.testing.assert_close(truncated(z, 8.0), z, atol=1e-3, rtol=0)
    assert Truncated(Linear(), 0.1).sample(5, seed=0).flatten(1).std() < Linear().sample(5, seed=0).flatten(1).std() / 4  # type: ignore[arg-type]


def test_a_walk_ends_where_it_began_and_moves_in_small_steps() -> None:
    frames = exploring.walk(Linear(), count=4, stops=3, steps=5)  # type: ignore[arg-type]
    assert len(frames) == 15 and len({frame.size for frame in frames}) == 1
    again = exploring.walk(Linear(), count=4, stops=3, steps=5)  # type: ignore[arg-type]
    assert frames[7].tobytes() == again[7].tobytes() != frames[8].tobytes()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: Truncated(Linear(), 0.0), "truncation is 0"),  # type: ignore[arg-type]
        (lambda: exploring.walk(Linear(), stops=1), "A walk of 16 images with 1 stops"),  # type: ignore[arg-type]
        (lambda: exploring.directions(Linear(), 5), "codes have 4 dimensions"),  # type: ignore[arg-type]
        (lambda: exploring.directions(vae(), 2), "shows no activations"),
        (
            lambda: exploring.generator_of(find_system("classifier")(find_system("classifier").Config((1, 8, 8), 3))),
            "makes nothing of codes",
        ),  # type: ignore[call-arg]
    ],
)
def test_what_cannot_be_done_is_a_sentence(ask: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ask()


def vae() -> Any:
    kind = find_system("vae")
    return kind(kind.Config((1, 8, 8)))  # type: ignore[call-arg]
