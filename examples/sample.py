"""Train a system that is told the class, then ask it for the digits you want. Takes a few seconds."""

import torch

import pushforward
from pushforward import figures

run = pushforward.train("conditional_vae", "digits", images=20_000, latent=8, width=200)
system = pushforward.load(run.folder)  # the same in another process, on any day

threes = system.sample(16, label=3, seed=0)  # [16, 1, 8, 8] in [-1, 1]; the same seed, the same images
assert torch.equal(threes, system.sample(16, label=3, seed=0))

year = system.sample(4, label=torch.tensor([2, 0, 1, 4]), seed=1)
print(figures.save(figures.sheet(threes), run.folder / "threes.png"))
print(figures.save(figures.sheet(year, columns=4), run.folder / "year.png"))
