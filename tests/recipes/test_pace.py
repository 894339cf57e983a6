"""The width that fits the time is one of the system's kind of network."""

from typing import Any

import pytest
import torch

from pushforward.recipes import pace, plan

PHOTOS = torch.randint(0, 256, (40, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.mark.parametrize(
    ("system", "options", "net"),
    [
        ("pix2pix", {"pairs": "grey"}, "convolution"),
        ("pix2pix", {"pairs": "grey", "net": "encoder_decoder"}, "convolution"),
        ("completion", {"mask": "square"}, "convolution"),
        ("vae", {}, "mlp"),
        ("vae", {"net": "residual"}, "residual"),
    ],
)
def test_the_widths_tried_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch, system: str, options: dict[str, Any], net: str) -> None:
    """Images of 16 pixels, which `auto` takes for tiny."""
    for speed, place in ((10.0**9, 0), (10.0, -1)):
        monkeypatch.setattr(pace, "measure", lambda *given, speed=speed, **how: speed)
        order = plan(system, PHOTOS, minutes=0.1, **options)
        assert order.recipe.config["width"] == pace.WIDTHS[net][place]
        assert order.recipe.images >= 0.95 * 6 * speed


def test_a_system_with_a_net_of_its_own_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TIMED", 0.01)
    order = plan("pix2pix", PHOTOS, pairs="grey", minutes=0.01)
    assert "Measured" in order.said[0] and "at width" in order.said[0]
