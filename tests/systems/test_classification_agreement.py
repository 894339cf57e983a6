"""What the teacher asks for, in the bound of a classification VAE: consistency and mutual information."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch import distributions as D

from pushforward.systems.classification_vae import ClassificationVAE
from tests.systems.labelled import CLASSES, made, taught


def agreement_of(system: ClassificationVAE, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """What consistency and mutual information add to the loss."""
    plain = made()
    plain.networks, plain.config = system.networks, replace(system.config, consistency=0.0, mutual_information=0.0)
    plain.enter(system.stage)
    torch.manual_seed(0)
    loss, terms = system.loss(batch)  # type: ignore[arg-type]
    torch.manual_seed(0)
    return loss - plain.loss(batch)[0], terms  # type: ignore[arg-type]


def test_agreement_is_fixmatch_with_aligned_pseudo_labels_and_iic() -> None:
    system, batch = taught()
    added, terms = agreement_of(system, batch)
    x_u = batch["image"][3:]
    p, q = system.averaged.heads(x_u)[0].softmax(1), system.networks.heads(x_u)[0].softmax(1)
    assert system.balance == 0.5
    aligned = p / system.marginal.sqrt()
    aligned = aligned / aligned.sum(1, keepdim=True)
    guess, sure = aligned.argmax(1), aligned.amax(1) >= 0.4
    assert (guess != p.argmax(1)).any(), "the alignment must make a difference for this to test it"
    consistent = torch.where(sure, -D.Categorical(probs=q).log_prob(guess), 0.0).mean()
    joint = D.Categorical(probs=((p.T @ q + q.T @ p) / 18).flatten())
    sides = D.Categorical(probs=joint.probs.view(CLASSES, CLASSES).sum(1))
    information = 2 * sides.entropy() - joint.entropy()
    torch.testing.assert_close(added, consistent - 0.5 * 0.5 * information, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(terms["marginal"], p.mean(0))
    assert terms["mask_rate"] == sure.float().mean()
    assert terms["rarest_class"].item() == pytest.approx(guess.bincount(minlength=CLASSES).min().item() / 9 * CLASSES)


def test_agreement_rises_in_the_first_twentieth_of_the_run() -> None:
    system, batch = taught()
    system.enter(system.schedule(200, 1_000))
    whole = agreement_of(system, batch)[0].item()
    for seen, share in ((0, 0.0), (25, 0.5), (50, 1.0), (300, 1.0)):
        system.enter(system.schedule(seen, 1_000))
        assert agreement_of(system, batch)[0].item() == pytest.approx(share * whole, abs=2e-4)
