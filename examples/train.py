"""Train a variational auto-encoder on scikit-learn's real digits, and see how it went. Takes a few seconds."""

import pushforward
from pushforward import metrics, report

run = pushforward.train("vae", "digits", images=20_000, latent=8, width=200)  # in runs/vae, or the next free folder

first, last = run.metrics()[0], run.metrics()[-1]
print(f"The bound fell from {first['vae/bound']:.1f} to {last['vae/bound']:.1f} nats per image.")

train, test = run.data()
told = metrics.test_bound(run.open(), test)
print(f"On {len(test)} images that training has not seen it is {told['bound']:.1f}.")
print(f"Pictures and curves: {report.write(run)}")

# A run that was stopped goes on where it was, to the same bytes: pushforward.resume(run.folder)
