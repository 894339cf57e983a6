"""Generated examples as data: PNG files, arrays, or a table in its own units. Imports torch: loaded when needed."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from pushforward import figures
from pushforward.cli.answers import write_csv
from pushforward.core import BadInput, Samples, asked
from pushforward.data import Dataset
from pushforward.figures.canvas import SUFFIXES, pixels
from pushforward.report.asking import able
from pushforward.report.pictures import own_units
from pushforward.runs import Run, durable

ARRAYS = (".npy", ".npz")
DIGITS = 4
"""Of the number of an image in a folder, at the least."""


def is_folder(out: str) -> bool:
    """Whether a path means a folder: it has no ending, or a slash at the end."""
    return out.endswith(("/", os.sep)) or not Path(out).suffix


def is_picture(out: str) -> bool:
    """Whether a path means one picture of all examples."""
    return not is_folder(out) and Path(out).suffix.lower() in SUFFIXES


def refuse_place(out: str, rows: bool) -> None:
    """Refuse a path that examples cannot be written to, before any is made. rows: they are rows of a table.

    Raises:
        BadInput: another ending, one that does not suit them, or a place that is taken.
    """
    path, kind = Path(out), Path(out).suffix.lower()
    if is_folder(out):
        if rows:
            raise BadInput(f"'{out}' is a folder, for images, but the run makes rows of a table. End the name in .csv, .npy, .npz or .png.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise BadInput(f"'{out}' {'holds files' if path.is_dir() else 'is a file'}. Choose an empty or new folder.")
    elif path.is_dir():
        raise BadInput(f"'{out}' is a folder. Choose the name of a file, or end it in a slash to fill the folder with images.")
    elif kind == ".csv" and not rows:
        raise BadInput(f"'{out}' is for rows of a table, but the run makes images. Give a folder, or end the name in .npy, .npz or .png.")
    elif kind not in (*SUFFIXES, *ARRAYS, ".csv"):
        known = ", ".join((*SUFFIXES, *ARRAYS, ".csv"))
        raise BadInput(f"Samples are not written as '{path.name}'; give a folder, or end the name in one of {known}.")


def written(out: str, run: Run, source: Samples, label: Tensor | None, count: int, seed: int, dataset: Dataset | None) -> Path:
    """Draw examples, write them, and return where. dataset: the rows that the run was trained on; None of a run of images."""
    made = able(source, Samples).sample(count, label, seed).cpu()  # type: ignore[arg-type]  # all that is asked is to sample
    told = asked(label, count, source.labels) if source.labels else None
    return write_images(out, made, told) if dataset is None else write_rows(out, made, told, dataset, run.recipe.data.target)


def write_images(out: str, made: Tensor, label: Tensor | None) -> Path:
    """Images [N, C, H, W] in [-1, 1] as uint8 [N, H, W, C], or [N, H, W] of one channel: a PNG each in a folder, or an array.

    Raises:
        BadInput: pictures of channels that no PNG holds.
    """
    image = in_bytes(made)
    if not is_folder(out):
        return write_array(Path(out), image, label)
    if made.shape[1] not in (1, 3):
        raise BadInput(f"'{out}' is a folder of PNGs, but images of the run have {made.shape[1]} channels. End the name in .npy or .npz.")
    digits = max(DIGITS, len(str(len(image) - 1)))
    for number, each in enumerate(image):
        figures.save(Image.fromarray(each), Path(out) / f"{number:0{digits}d}.png")
    return Path(out)


def in_bytes(made: Tensor) -> np.ndarray:
    """Images [N, C, H, W] in [-1, 1] as uint8 [N, H, W, C], or [N, H, W] of one channel."""
    if made.shape[1] in (1, 3):
        return pixels(made)[..., 0] if made.shape[1] == 1 else pixels(made)
    return made.float().clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def write_rows(out: str, made: Tensor, label: Tensor | None, dataset: Dataset, target: str) -> Path:
    """Standardised rows [N, D] in the units of `dataset`, as a table with the names of its columns or as an array float32.

    target: the column of the classes, which a table then has too; "" where there is none.
    """
    row = own_units(dataset, made).float().numpy()
    if Path(out).suffix.lower() != ".csv":
        return write_array(Path(out), row, label)
    heads, lines = list(dataset.columns), [list(map(str, each)) for each in row]
    if label is not None and target:
        heads, lines = [*heads, target], [[*each, dataset.classes[kind]] for each, kind in zip(lines, label.tolist(), strict=True)]
    return write_csv(heads, lines, Path(out))


def write_array(path: Path, content: np.ndarray, label: Tensor | None) -> Path:
    """An array as .npy, or as .npz with the keys that `data/arrays.py` reads; whole or not at all.

    label [N]: left out where a class below the highest is missing, since it could not be read again.
    """
    buffer = io.BytesIO()
    if path.suffix.lower() == ".npy":
        np.save(buffer, content, allow_pickle=False)
    elif label is None or len(label.unique()) <= label.max():
        np.savez_compressed(buffer, image=content)
    else:
        np.savez_compressed(buffer, image=content, label=label.numpy())
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, buffer.getvalue())
    return path
