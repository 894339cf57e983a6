"""The first guess of a completion against the formula, and where it knows nothing."""

import pytest
import torch

from pushforward.core import Batch, System
from pushforward.data import Dataset, Shuffled, faces, masks
from pushforward.nets import first_guess
from pushforward.nets.first_guess import FirstGuess
from pushforward.systems.completion import Completion


def fitted(side: int = 8, count: int = 300) -> tuple[FirstGuess, torch.Tensor]:
    image = faces.drawn(faces.faces(count), 16)[0]
    guess = FirstGuess((3, 16, 16), side)
    guess.fit(image.split(64))
    return guess, image


def test_it_is_the_posterior_of_its_gaussian() -> None:
    guess, image = fitted()
    mask = masks.holes("left", 5, 16, 16, torch.Generator())
    x = guess.shrunk(image[:5]).double()
    spread = guess.directions.double().T * guess.variance.double().sqrt()
    covariance = spread @ spread.T + float(guess.noise) * torch.eye(len(spread), dtype=torch.float64)
    hidden = guess.shrunk(mask)[0].bool().repeat(3)
    mean = guess.mean.double()
    told = torch.linalg.solve(covariance[~hidden][:, ~hidden], (x - mean)[:, ~hidden].T)
    expected = mean[hidden] + (covariance[hidden][:, ~hidden] @ told).T
    found = guess.expected(x.float() * ~hidden, guess.shrunk(1 - mask))
    torch.testing.assert_close(found[:, hidden].double(), expected, rtol=1e-3, atol=1e-3)


def test_images_that_it_knows_are_guessed_as_if_they_were_new() -> None:
    """Exactly without them where the directions hold all, and as badly as new ones where they lean towards the images."""
    image = faces.drawn(faces.faces(40), 16)[0]
    mask = masks.holes("left", 40, 16, 16, torch.Generator())
    guess, x = FirstGuess((3, 16, 16), 16), image * (1 - mask)
    guess.fit([image])
    assert float(guess.pull) > 0
    near, apart = ((found - image).square()[:, :, :, :8].mean() for found in (guess(x, mask), guess(x, mask, image)))
    assert apart > 1.2 * near
    whole = guess(image, torch.zeros_like(mask), image)  # a code of all there is: without its own share it is still that of an image
    assert bool(whole.isfinite().all())


def test_of_many_images_each_is_as_well_known_as_they_are_on_average() -> None:
    guess, image = fitted(side=16, count=100)
    some = FirstGuess((3, 16, 16), 16)
    some.fit([image], among=400)
    assert float(some.pull) == pytest.approx(float(guess.pull) / 4) and float(some.pull) > 0


def test_without_an_image_linear_guesses_are_those_of_the_others() -> None:
    """(c - a z) / (1 - a) against a Gaussian of the others, in a space that all directions span and whose mean is known."""
    torch.manual_seed(0)
    x = torch.randn(30, 12, dtype=torch.float64) @ torch.randn(12, 12, dtype=torch.float64)
    seen, noise = torch.arange(12) < 7, 0.5

    def answer(train: torch.Tensor, one: torch.Tensor) -> torch.Tensor:
        spread = train.T @ train / len(x)
        return spread[:, seen] @ torch.linalg.solve(spread[seen][:, seen] + noise * torch.eye(7, dtype=torch.float64), one[seen])

    guess = FirstGuess((1, 1, 12), 12).double()
    variance, directions = torch.linalg.eigh(x.T @ x / len(x))
    guess.directions, guess.variance = directions.T.flip(0).contiguous(), variance.flip(0).contiguous()
    guess.noise.fill_(noise)
    guess.pull.fill_(1 / len(x))
    weight = seen[None].double()
    for place in range(5):
        one = x[place : place + 1]
        torch.testing.assert_close(guess.expected(one * weight, weight)[0], answer(x, one[0]))
        others = torch.cat([x[:place], x[place + 1 :]])
        torch.testing.assert_close(guess.expected(one * weight, weight, one)[0], answer(others, one[0]))


@pytest.mark.parametrize(("count", "used"), [(60, 100), (600, 192)])
def test_as_many_directions_are_used_as_guess_best(count: int, used: int) -> None:
    guess = FirstGuess((3, 16, 16), 16)
    guess.fit([faces.drawn(faces.faces(count), 16)[0]])
    assert int((guess.variance > 0).sum()) == used and not guess.variance[used:].any()


@pytest.mark.parametrize("kind", ["eyes", "mixed", "lower"])
def test_it_is_nearer_than_the_mean_face(kind: str) -> None:
    guess, image = fitted()
    fresh = faces.drawn(faces.faces(60, seed=9), 16, seed=9)[0]
    mask = masks.holes(kind, 60, 16, 16, torch.Generator().manual_seed(0))
    made = guess(fresh * (1 - mask), mask)
    wrong, mean = (float(((x - fresh).square() * mask).sum()) for x in (made, image.mean(0)))
    assert wrong < 0.9 * mean


def test_without_data_it_is_grey_and_with_two_images_it_is_finite() -> None:
    x, mask = torch.ones(2, 1, 8, 8), masks.holes("left", 2, 8, 8, torch.Generator())
    guess = FirstGuess((1, 8, 8), 16)
    assert torch.equal(guess(x, mask), torch.zeros_like(x))
    guess.fit([x])
    assert bool(guess(x, torch.ones_like(mask)).isfinite().all())


def test_those_kept_apart_are_learned_and_told_apart_in_the_end() -> None:
    """Guesses of images that were kept apart while the number of directions was chosen are as wrong as those of others."""
    guess, image = fitted(side=16)
    apart, mask = torch.arange(300) % 10 == 9, masks.holes("centre", 300, 16, 16, torch.Generator())
    for known in (None, image):
        wrong = ((guess(image * (1 - mask), mask, known) - image) * mask).square().mean((1, 2, 3)).log()
        assert abs(float(wrong[apart].mean() - wrong[~apart].mean())) < 0.15


def test_mirror_images_count_as_much() -> None:
    """The covariance of images and their mirrors together, though these are not made."""
    guess, image = fitted(count=99)
    train = guess.shrunk(image).double()
    both = torch.cat([train, train.unflatten(1, guess.small).flip(3).flatten(1)])
    torch.testing.assert_close(guess.mean.double(), both.mean(0), rtol=1e-5, atol=1e-5)
    largest = torch.linalg.eigvalsh(torch.cov(both.T, correction=0)).flip(0)[:20]
    torch.testing.assert_close(guess.variance[:20].double().diff(), largest.diff(), rtol=1e-3, atol=1e-4)
    mask = masks.holes("left", 5, 16, 16, torch.Generator())
    torch.testing.assert_close(guess(image[:5].flip(3), mask.flip(3)), guess(image[:5], mask).flip(3), rtol=1e-3, atol=1e-3)


def test_a_mask_met_before_changes_nothing() -> None:
    guess, image = fitted()
    mask = torch.cat([masks.holes(name, 1, 16, 16, torch.Generator().manual_seed(0)) for name in ("left", "eyes", "square", "left")])
    x = image[:4] * (1 - mask)
    together = guess(x, mask)
    assert len(guess.factors) == 3 and torch.equal(guess(x, mask), together)
    found = dict(guess.factors)
    guess.factors.clear()
    alone = torch.cat([guess(x[i : i + 1], mask[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(alone, together)
    assert all(torch.equal(guess.factors[name], factor) for name, factor in found.items())
    guess.fit([image[:50]])
    assert not len(guess.factors) and not torch.allclose(guess(x, mask), together)


def test_it_keeps_no_more_masks_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_guess, "MASKS", 2)
    guess, image = fitted()
    x, drawn = image[:6], masks.holes("strokes", 6, 16, 16, torch.Generator().manual_seed(0))
    found = guess(x * (1 - drawn), drawn)
    assert len(guess.factors) == 2 and bool(found.isfinite().all())


def test_what_it_has_learned_can_be_loaded_into_one_that_was_asked_before() -> None:
    guess, image = fitted()
    mask = masks.holes("left", 5, 16, 16, torch.Generator())
    x, other = image[:5] * (1 - mask), FirstGuess((3, 16, 16), 8)
    assert not other(x, mask).any()
    other.load_state_dict(guess.state_dict())
    assert torch.equal(other(x, mask), guess(x, mask))


def test_a_completion_learns_it_after_its_first_round(monkeypatch: pytest.MonkeyPatch) -> None:
    system: System = Completion(Completion.Config((3, 16, 16), width=4))
    assert isinstance(system, Completion) and system.guess is not None
    assert [system.schedule(seen, 100).era for seen in (0, 16, 100)] == [0, 1, 1]
    pixels = ((faces.drawn(faces.faces(40), 16)[0] + 1) * 127.5).byte()
    source = Shuffled(Dataset("faces", image=pixels, mask="mixed"))
    batch: Batch = source.dataset.batch(torch.arange(4))
    with torch.autocast("cpu", torch.bfloat16):
        system.survey(source)  # as in training, where bfloat16 would leave nothing to factorise
    assert bool(system.guess.variance.any())
    guess = FirstGuess((3, 16, 16), 16)
    guess.fit([source.dataset.batch(torch.arange(40))["image"]], 40)
    assert float(system.guess.pull) == float(guess.pull)
    monkeypatch.setattr("pushforward.systems.completion.GUESSED", 20)
    system.survey(source)
    guess.fit([source.dataset.batch(torch.arange(0, 40, 2))["image"]], 40)
    assert torch.equal(system.guess.mean, guess.mean) and float(system.guess.pull) == float(guess.pull) > 0
    assert torch.equal(system.edit(batch) * (1 - batch["mask"]), batch["source"] * (1 - batch["mask"]))


def test_a_fresh_completion_answers_with_its_guess() -> None:
    """From noise a network learns to shut its gates first, and then nothing behind them."""
    system = Completion(Completion.Config((3, 16, 16), width=4))
    assert system.guess is not None
    image = faces.drawn(faces.faces(40), 16)[0]
    system.guess.fit([image])
    mask = masks.holes("left", 40, 16, 16, torch.Generator())
    x = image * (1 - mask)
    torch.testing.assert_close(system.painted_by(system.generator, x, mask), system.guess(x, mask))
