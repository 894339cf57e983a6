from math import cos, pi, sin

import pytest
import torch

from pushforward.maths.interpolation import lerp, slerp


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 1.0])
def test_slerp_of_two_axes_is_the_circle(t: float) -> None:
    a, b = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([0.0, 1.0], dtype=torch.float64)
    expected = torch.tensor([cos(t * pi / 2), sin(t * pi / 2)], dtype=torch.float64)
    torch.testing.assert_close(slerp(a, b, t), expected)


def test_slerp_turns_at_constant_speed_and_keeps_the_length() -> None:
    a, b = torch.randn(2, 7, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a, b = a / a.norm(dim=1, keepdim=True) * 3, b / b.norm(dim=1, keepdim=True) * 3
    walk = torch.stack([slerp(a, b, t / 8) for t in range(9)])
    torch.testing.assert_close(walk.norm(dim=-1), torch.full((9, 7), 3.0, dtype=torch.float64))
    angles = torch.acos((walk[1:] * walk[:-1]).sum(-1) / 9)
    torch.testing.assert_close(angles, angles[:1].expand(8, 7))


def test_ends_are_the_codes_themselves() -> None:
    a, b = torch.randn(2, 5, 20, generator=torch.Generator().manual_seed(1))
    for walk in (slerp, lerp):
        torch.testing.assert_close(walk(a, b, 0.0), a)
        torch.testing.assert_close(walk(a, b, 1.0), b)


def test_t_may_be_a_tensor_one_for_each_code() -> None:
    a, b = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(2))
    t = torch.tensor([0.1, 0.5, 0.8])
    for walk in (slerp, lerp):
        torch.testing.assert_close(walk(a, b, t), torch.stack([walk(a[i], b[i], t[i].item()) for i in range(3)]))
    steps = torch.linspace(0, 1, 9)[:, None]
    assert slerp(a, b, steps).shape == (9, 3, 4)


@pytest.mark.parametrize("b", [[1.0, 2.0], [2.0, 4.0], [1.0 + 1e-7, 2.0], [-1.0, -2.0], [0.0, 0.0]])
def test_slerp_is_a_line_where_there_is_no_one_arc(b: list[float]) -> None:
    a, other = torch.tensor([1.0, 2.0]), torch.tensor(b)
    found = slerp(a, other, 0.25)
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, 0.75 * a + 0.25 * other)
    torch.testing.assert_close(found, lerp(a, other, 0.25))


def test_slerp_of_close_codes_is_exact_in_single_precision() -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([cos(1e-3), sin(1e-3)])
    torch.testing.assert_close(slerp(a, b, 0.5), torch.tensor([cos(5e-4), sin(5e-4)]), rtol=0, atol=1e-7)


def test_arc_and_line_differ_where_they_should() -> None:
    a, b = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0])
    assert slerp(a, b, 0.5).norm().item() == pytest.approx(2.0)
    assert lerp(a, b, 0.5).norm().item() == pytest.approx(2**0.5)


def test_between_unequal_lengths_the_length_changes_evenly_whatever_the_angle() -> None:
    a, b = torch.tensor([0.1, 0.0], dtype=torch.float64), torch.tensor([2 * cos(3.0), 2 * sin(3.0)], dtype=torch.float64)
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    walk = slerp(a, b, t)
    torch.testing.assert_close(walk.norm(dim=-1), 0.1 + 1.9 * t)
    torch.testing.assert_close(torch.atan2(walk[:, 1], walk[:, 0]), 3.0 * t)
