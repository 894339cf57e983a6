"""Parsing: parts are jittered as their maps would be."""

import pytest
import torch
from torch.nn.functional import one_hot

from pushforward.data.jitter import jittered
from pushforward.systems.parsing import Parsing


@pytest.mark.parametrize("twins", [(), (0, 2, 1, 3)])
def test_parts_are_changed_as_their_maps_would_be(twins: tuple[int, ...]) -> None:
    system = Parsing(Parsing.Config((3, 16, 16), parts=4, twins=twins, width=4))
    chance = torch.Generator().manual_seed(0)
    parts = torch.randint(0, 4, (32, 16, 16), generator=chance)
    image = torch.rand(32, 3, 16, 16, generator=chance)
    torch.manual_seed(3)
    maps, changed = jittered(one_hot(parts, 4).permute(0, 3, 1, 2).float(), image, True, twins)
    torch.manual_seed(3)
    found, beside = system.jittered({"parts": parts, "image": image})
    assert torch.equal(found, maps.argmax(1)) and torch.equal(beside, changed)
    assert not torch.equal(found, parts)
