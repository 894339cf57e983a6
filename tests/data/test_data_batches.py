"""Data sets, their batches, the order of the batches, and hidden labels."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pushforward.core import UNLABELLED, BadInput, Stage, check
from pushforward.data import Dataset, Shuffled, hide_labels, labelled_indices
from pushforward.data.chance import split

CLASSES = tuple("abcd")


def images(count=50, channels=1, side=6, seed=0):
    draw = torch.Generator().manual_seed(seed)
    image = torch.randint(0, 256, (count, channels, side, side), generator=draw, dtype=torch.uint8)
    return Dataset("made", image=image, label=torch.randint(0, 4, (count,), generator=draw), classes=CLASSES)


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


# Dataset


@pytest.mark.parametrize(("count", "seen"), [(5, 5), (12, 12), (13, 12), (40, 12), (50, 12)])
def test_what_is_spread_comes_from_all_over_the_data(count, seen):
    """Of 100,000 images in folders by class the first 15,360 were once all that was surveyed."""
    index = torch.cat([batch["index"] for batch in images(count).spread(3, 4)])
    assert len(index) == len(index.unique()) == seen
    assert index.double().mean() == pytest.approx((count - 1) / 2, abs=count / seen / 2)
    assert int(index.max()) >= count - 1 - count / seen


def test_a_batch_is_what_core_expects():
    data = images(channels=3)
    batch = data.batch(torch.tensor([3, 0]))
    check(batch)
    assert set(batch) == {"image", "label", "index"}
    assert torch.equal(batch["image"], data.image[[3, 0]].float() / 127.5 - 1)
    assert torch.equal(batch["label"], data.label[[3, 0]])
    assert len(data) == 50 and data.shape == (3, 6, 6)
    ends = Dataset("ends", image=torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)).batch(torch.arange(2))
    assert ends["image"].flatten().tolist() == [-1, 1] and "label" not in ends


def test_rows():
    data = Dataset("rows", row=torch.randn(5, 3))
    batch = data.batch(torch.tensor([4]))
    check(batch)
    assert data.shape == (3,) and torch.equal(batch["row"], data.row[4:])


def test_threshold_is_white_from_128():
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    image = Dataset("t", image=levels, binarise="threshold").batch(torch.tensor([0]))["image"]
    assert torch.equal(image.flatten(), torch.where(torch.arange(256) >= 128, 1.0, -1.0))


def test_dynamic_binarisation_follows_the_grey_level():
    levels = torch.arange(256, dtype=torch.uint8).repeat(4000).view(4000, 1, 16, 16)
    data = Dataset("d", image=levels, binarise="dynamic")
    index = torch.arange(4000)
    image = data.batch(index, torch.Generator().manual_seed(1))["image"].flatten(1)
    assert set(image.unique().tolist()) == {-1.0, 1.0}
    white = (image > 0).double().mean(0)
    assert white[0] == 0 and white[255] == 1
    assert (white - torch.arange(256) / 255).abs().max() < 4.5 * (0.25 / 4000) ** 0.5
    other = data.batch(index, torch.Generator().manual_seed(2))["image"].flatten(1)
    assert not torch.equal(image, other)
    # neighbours are drawn independently
    grey = (image[:, 120:136] > 0).double()
    correlation = torch.corrcoef(grey.T) - torch.eye(16)
    assert correlation.abs().max() < 5 / 4000**0.5


def test_without_a_generator_dynamic_batches_repeat_and_leave_the_default_generator_alone():
    data = replace(images(), binarise="dynamic")
    before = torch.get_rng_state()
    assert same(data.batch(torch.arange(9)), data.batch(torch.arange(9)))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("observe", "seen"), [(1, [[0, 0], [1, 0]]), (2, [[1, 0], [1, 0]]), (3, [[1, 0], [1, 1]])])
def test_quadrants_of_sohn(observe, seen):
    data = replace(images(channels=3), observe=observe)
    batch = data.batch(torch.arange(50))
    check(batch)
    shown = torch.tensor(seen, dtype=torch.float32).repeat_interleave(3, 0).repeat_interleave(3, 1)
    assert torch.equal(batch["mask"], (1 - shown).expand(50, 1, 6, 6))
    assert torch.equal(batch["source"], torch.where(shown == 1, batch["image"], torch.zeros(())))
    assert not torch.signbit(batch["source"][:, :, shown == 0]).any()


def test_the_fingerprint_covers_everything_that_a_batch_depends_on():
    data = images()
    pixel, label = data.image.clone(), data.label.clone()
    pixel[7, 0, 1, 1] ^= 1
    label[0] = UNLABELLED
    different = [
        replace(data, image=pixel), replace(data, label=label), replace(data, label=None), replace(data, classes=tuple("abce")),
        replace(data, binarise="dynamic"), replace(data, observe=1), data.part(torch.arange(49)), replace(data, image=data.image.mT),
        Dataset("made", row=torch.zeros(50, 2)), Dataset("made", row=torch.zeros(25, 4)),
    ]  # fmt: skip
    assert len({item.fingerprint for item in [data, *different]}) == 11
    assert replace(data, name="other", notes=("x",)).fingerprint == data.fingerprint
    assert data.to("cpu").fingerprint == data.fingerprint == data.part(torch.arange(50)).fingerprint


# the order of batches


def stage(seen, size):
    return Stage(seen, size)


@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 2**40), st.integers(0, 3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_each_epoch_has_every_example_once(count, size, seed, stream):
    data = Dataset("c", image=torch.zeros(count, 1, 2, 2, dtype=torch.uint8))
    rounds = -(-3 * count // size)
    source = Shuffled(data, seed)
    drawn = torch.cat([source.batch(stage(step * size, size), stream, 0, 1)["index"] for step in range(rounds)])
    for epoch in range(3):
        assert torch.equal(drawn[epoch * count : (epoch + 1) * count].sort().values, torch.arange(count))


@pytest.mark.parametrize("labelled", [0, 8])
@pytest.mark.parametrize("binarise", ["no", "dynamic"])
def test_batches_are_pure(labelled, binarise):
    data = replace(hide_labels(images(), 8), binarise=binarise, observe=1)
    source = Shuffled(data, 3, labelled)
    asked = [(seen, stream, shard) for seen in (0, 48, 1000) for stream in (0, 1) for shard in (0, 1)]
    first = {key: source.batch(stage(key[0], 16), key[1], key[2], 2) for key in asked}
    torch.manual_seed(99)
    for key in reversed(asked):
        again = Shuffled(data, 3, labelled).batch(stage(key[0], 16), key[1], key[2], 2)
        assert same(first[key], again) and same(first[key], source.batch(stage(key[0], 16), key[1], key[2], 2))
    assert not same(first[0, 0, 0], first[0, 1, 0]) and not same(first[0, 0, 0], first[48, 0, 0])
    assert not torch.equal(Shuffled(data, 4, labelled).batch(stage(0, 16), 0, 0, 1)["index"], source.batch(stage(0, 16), 0, 0, 1)["index"])


@pytest.mark.parametrize("shards", [2, 4])
def test_shards_partition_both_parts_of_the_batch(shards):
    source = Shuffled(hide_labels(images(), 12), 0, labelled=8)
    whole = source.batch(stage(32, 16), 0, 0, 1)
    parts = [source.batch(stage(32, 16), 0, shard, shards) for shard in range(shards)]
    for shard, part in enumerate(parts):
        assert torch.equal(part["index"][: 8 // shards], whole["index"][:8][shard::shards])
        assert torch.equal(part["index"][8 // shards :], whole["index"][8:][shard::shards])
        assert torch.equal(part["image"], source.dataset.batch(part["index"])["image"])


def test_the_labelled_part_has_the_known_labels_and_the_rest_none():
    truth = images(200)
    data = hide_labels(truth, 8, seed=2)
    kept = labelled_indices(truth.label, 8, seed=2)
    source = Shuffled(data, 0, labelled=40)
    drawn = []
    for step in range(30):
        batch = source.batch(stage(step * 20, 20), 0, 0, 1)
        assert len(batch["index"]) == 60
        assert torch.isin(batch["index"][:40], kept).all()
        assert torch.equal(batch["label"][:40], truth.label[batch["index"][:40]])
        assert (batch["label"][40:] == UNLABELLED).all()
        drawn.append(batch["label"][:40])
    shares = torch.bincount(torch.cat(drawn)) / 1200
    assert (shares - 0.25).abs().max() < 5 * (0.25 * 0.75 / 1200) ** 0.5


def test_classes_are_drawn_equally_however_many_labels_each_has():
    label = torch.tensor([0] * 90 + [1] * 10)
    data = Dataset("skewed", image=torch.zeros(100, 1, 2, 2, dtype=torch.uint8), label=label, classes=("a", "b"))
    batch = Shuffled(data, 0, labelled=4000).batch(stage(0, 4), 0, 0, 1)
    assert abs(batch["label"][:4000].double().mean() - 0.5) < 0.04


@pytest.mark.parametrize("labelled", [0, 8])
def test_changing_hidden_labels_changes_no_bit_of_any_batch(labelled):
    truth = images(100)
    kept = labelled_indices(truth.label, 12, seed=0)
    lies = (truth.label + torch.randint(1, 4, (100,))) % 4
    lies[kept] = truth.label[kept]
    sources = []
    for label in (truth.label, lies):
        hidden = torch.full_like(label, UNLABELLED)
        hidden[kept] = label[kept]
        sources.append(Shuffled(replace(truth, label=hidden, binarise="dynamic"), 0, labelled))
    assert torch.equal(hide_labels(truth, 12).label, sources[0].dataset.label)
    for step in range(20):
        assert same(*(source.batch(stage(step * 16, 16), 0, 0, 1) for source in sources))


def test_a_training_set_that_never_knew_the_labels_gives_the_same_images():
    data = images(100)
    known, unknown = (Shuffled(item, 5) for item in (data, replace(data, label=None)))
    for step in range(10):
        first, second = known.batch(stage(step * 32, 32), 1, 0, 1), unknown.batch(stage(step * 32, 32), 1, 0, 1)
        assert torch.equal(first["image"], second["image"])


def test_sizes_that_the_shards_do_not_divide_are_refused():
    with pytest.raises(BadInput, match=r"batch of 10 images cannot be cut into 4"):
        Shuffled(images()).batch(stage(0, 10), 0, 0, 4)
    with pytest.raises(BadInput, match=r"batch of 6 labelled images cannot be cut into 4"):
        Shuffled(images(), labelled=6).batch(stage(0, 8), 0, 0, 4)


def test_sources_that_cannot_be():
    data = images()
    with pytest.raises(BadInput, match="no label of 'made' is known"):
        Shuffled(replace(data, label=None), labelled=4)
    with pytest.raises(BadInput, match="no label of 'made' is known"):
        Shuffled(hide_labels(data, 0), labelled=4)
    with pytest.raises(BadInput, match="'made' holds no example"):
        Shuffled(data.part(torch.arange(0)))


def test_old_orders_are_forgotten():
    source = Shuffled(images(4))
    first = source.batch(stage(0, 4), 0, 0, 1)
    for step in range(100):
        source.batch(stage(4 * step, 4), 0, 0, 1)
    assert len(source._orders) <= 16 and same(first, source.batch(stage(0, 4), 0, 0, 1))


# hidden labels


@given(st.lists(st.integers(0, 3), min_size=4, max_size=80), st.integers(0, 1000), st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_labels_are_kept_in_balance(values, seed, data):
    label = torch.tensor([0, 1, 2, 3, *values])
    keep = data.draw(st.integers(4, len(label)))
    kept = labelled_indices(label, keep, seed)
    assert len(kept.unique()) == keep and torch.equal(kept, kept.sort().values)
    there, counts = torch.bincount(label), torch.bincount(label[kept], minlength=4)
    for kind in range(4):
        if counts[kind] < there[kind]:  # a class that could give more gave as many as any other, but for one
            assert counts[kind] >= counts.max() - 1
    assert torch.equal(kept, labelled_indices(label, keep, seed))
    if keep > 4:
        assert torch.isin(labelled_indices(label, keep - 1, seed), kept).all()


def test_seeds_choose_differently():
    data = images(400)
    choices = {tuple(labelled_indices(data.label, 40, seed).tolist()) for seed in range(10)}
    assert len(choices) == 10


def test_hide_labels():
    data = images(100)
    some = hide_labels(data, 20, seed=1)
    known = some.label != UNLABELLED
    assert known.sum() == 20 and torch.equal(some.label[known], data.label[known]) and some.classes == data.classes
    assert (hide_labels(data, 0).label == UNLABELLED).all()
    assert torch.equal(hide_labels(data, 100).label, data.label)
    assert (data.label != UNLABELLED).all()


def test_impossible_numbers_of_labels():
    data = images(50)
    with pytest.raises(BadInput, match="51 labels are to be kept, but only 50 are known"):
        hide_labels(data, 51)
    with pytest.raises(BadInput, match="21 labels are to be kept, but only 20 are known"):
        hide_labels(hide_labels(data, 20), 21)
    with pytest.raises(BadInput, match="3 labels cannot cover 4 classes"):
        hide_labels(data, 3)
    with pytest.raises(BadInput, match="-1 labels cannot cover"):
        hide_labels(data, -1)
    with pytest.raises(BadInput, match="'made' are to be kept, but it has no classes"):
        hide_labels(replace(data, label=None), 10)


# what is held out


@given(st.integers(1, 200), st.floats(0, 0.99), st.integers(0, 5), st.integers(1, 6))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_split_is_stratified(count, share, seed, kinds):
    label = torch.from_numpy(np.random.default_rng(seed).integers(0, kinds, count))
    kept, out = split(count, share, seed, label)
    assert torch.equal(torch.cat([kept, out]).sort().values, torch.arange(count))
    assert torch.equal(kept, split(count, share, seed, label)[0])
    for kind in label.unique():
        members = int((label == kind).sum())
        assert abs(int((label[out] == kind).sum()) - share * members) <= 1
        assert (label[kept] == kind).any()
