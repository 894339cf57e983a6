"""Floor 4: a run -> numbers that can be compared, with all that they depend on said beside them."""

from pushforward.evaluation.evaluate import Asked, evaluate
from pushforward.evaluation.kept import weighed

__all__ = ["Asked", "evaluate", "weighed"]
