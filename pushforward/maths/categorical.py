"""Distributions over classes, given by logits or probabilities of shape [N, K]."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def entropy(p: Float[Tensor, "*n k"]) -> Float[Tensor, "*n"]:
    """-sum_y p(y) log p(y), in nats."""
    tiny = torch.finfo(p.dtype).tiny  # where a softmax underflows to 0 the slope of p log p would be infinite, and NaN after the chain rule
    return -(p * p.clamp(min=tiny).log()).sum(-1)


def one_hot(label: Int[Tensor, "n"], classes: int) -> Float[Tensor, "n k"]:
    """Rows of the unit matrix; a row of zeros where the label is negative (UNLABELLED)."""
    return (label[:, None] == torch.arange(classes, device=label.device)).float()


def mutual_information(p: Float[Tensor, "n k"], q: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """I(Y; Y') in nats, where the joint distribution of two views' classes is the batch mean of p(y|x) q(y'|x'),
    symmetrised (invariant information clustering: Ji, Henriques & Vedaldi 2019, eq. 3)."""
    joint = (p[:, :, None] * q[:, None]).mean(0)  # no matrix product, which autocast would round: near independence only noise is left
    joint = ((joint + joint.T) / 2).clamp(min=1e-8)
    joint = joint / joint.sum()
    return (joint * (joint.log() - joint.sum(0, keepdim=True).log() - joint.sum(1, keepdim=True).log())).sum()
