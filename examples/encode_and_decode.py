"""Codes: where images lie, what lies between two of them, and what the decoder makes of a code. Takes a few seconds."""

import torch

import pushforward
from pushforward import figures
from pushforward.maths.interpolation import slerp

run = pushforward.train("vae", "digits", images=20_000, latent=2, width=200)
system = pushforward.load(run.folder)
train, test = run.data()

images = test.batch(torch.arange(16))["image"]  # [16, 1, 8, 8] in [-1, 1]
codes = system.encode(images)  # posterior means [16, 2]
print(figures.save(figures.pairs(images, system.decode(codes)), run.folder / "pairs.png"))

walk = slerp(codes[0], codes[1], torch.linspace(0, 1, 9))  # [9, 2], along an arc from one image to the other
print(figures.save(figures.sheet(system.decode(walk), columns=9), run.folder / "walk.png"))

every = system.encode(test.batch(torch.arange(len(test)))["image"])
print(figures.save(figures.codes(every, test.label, test.classes), run.folder / "codes.png"))
