"""Floor 1: where examples come from. Digits, IDX files, folders and zips of images, arrays and tables become a `Dataset` in memory;
`Shuffled` makes batches of it without state."""

from pushforward.data.dataset import Dataset
from pushforward.data.download import get
from pushforward.data.hidden_labels import hide_labels, labelled_indices
from pushforward.data.images import load_images
from pushforward.data.source import Shuffled
from pushforward.data.spec import NAMES, DataSpec, open_data

__all__ = ["NAMES", "DataSpec", "Dataset", "Shuffled", "get", "hide_labels", "labelled_indices", "load_images", "open_data"]
