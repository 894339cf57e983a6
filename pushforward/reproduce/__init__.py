"""Floor 5: the tables and figures of the lecture and the papers, each re-run by one command.

A file here is one of them: `cells()` lists what is measured, and `pictures(results, runs)` draws what came out.
"""

from pushforward.reproduce.cells import Cell
from pushforward.reproduce.running import in_background, overview, reproduce

__all__ = ["Cell", "in_background", "overview", "reproduce"]
