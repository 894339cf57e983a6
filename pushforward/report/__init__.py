"""Floor 4: a run -> one self-contained HTML page of pictures and numbers. What is shown follows from what the system can do."""

from pushforward.report.page import write

__all__ = ["write"]
