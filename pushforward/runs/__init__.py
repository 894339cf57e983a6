"""Floor 3: a run folder: create, save, resume, open; refuses changed settings."""

from pushforward.runs.durable import NoSpace
from pushforward.runs.recipe import Recipe, config_as_json, config_of
from pushforward.runs.run import Run, load
from pushforward.runs.session import GivenUp, Interrupted, go_on, start

__all__ = ["GivenUp", "Interrupted", "NoSpace", "Recipe", "Run", "config_as_json", "config_of", "go_on", "load", "start"]
