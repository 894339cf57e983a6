"""A Gaussian mixture over codes: where the codes of real examples lie, which the prior only approximates."""

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput


class CodeMixture:
    """p(z) = sum_k w_k N(z; m_k, S_k) with full covariances, fitted by expectation-maximisation (scikit-learn).

    Drawing codes from it in place of N(0, I) repairs the gap between the prior and the aggregate posterior (Ghosh et al. 2020).

    codes: [n, latent]; components: how many Gaussians; seed: of the fit's first guess.

    Raises:
        BadInput: fewer than one component, or more than there are codes; codes that are not finite.
    """

    def __init__(self, codes: Float[Tensor, "n latent"], components: int = 10, seed: int = 0):
        from sklearn.mixture import GaussianMixture  # slow to import, and only needed here

        if not 1 <= components <= len(codes):
            raise BadInput(f"A mixture of {components} Gaussians cannot be fitted on {len(codes)} codes; give 1..{len(codes)}.")
        if not torch.isfinite(codes).all():
            raise BadInput("Some codes are NaN or infinite, so no mixture can be fitted on them; train the system again at a smaller rate.")
        fitted = GaussianMixture(components, random_state=seed).fit(codes.detach().cpu().double().numpy())
        self.weight = torch.from_numpy(fitted.weights_)
        """[components], summing to 1."""
        self.mean = torch.from_numpy(fitted.means_)
        """[components, latent]."""
        self.root = torch.linalg.cholesky(torch.from_numpy(fitted.covariances_))
        """[components, latent, latent]: S_k = root_k root_k^T."""

    def draw(self, count: int, seed: int | None = None) -> Float[Tensor, "count latent"]:
        """`count` codes in float32, on the CPU. The same seed gives the same codes; None draws from the default generator."""
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        component = torch.multinomial(self.weight, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.mean.shape[1], 1, dtype=torch.float64, generator=generator)
        return (self.mean[component] + (self.root[component] @ noise)[..., 0]).float()
