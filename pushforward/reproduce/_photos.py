"""Photographs with a training and a test part, written as zips that any command reads, from the archives that hold them.

Each function gives the path of such a zip in `folder`, made now or before; the archives are looked for in $PUSHFORWARD_DATA/NAME and in the
cache folder. None of them comes with the package.
"""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from pushforward.data.idx import folders
from pushforward.reproduce.cells import Absent
from pushforward.runs import durable


def facades(folder: Path) -> Path:
    """CMP facades as pix2pix pairs them (Tylecek & Sara 2013; Isola et al. 2017): 400 to train on, the 100 of validation as test."""
    return written(archive("facades", "facades.zip"), folder / "facades.zip", lambda name: name if top(name) in ("train", "val") else "")


def facades_to_choose(folder: Path) -> Path:
    """The 400 of training alone, of which a part is held out to choose settings by."""
    return written(archive("facades", "facades.zip"), folder / "facades-train.zip", lambda name: name if top(name) == "train" else "")


def celeba(folder: Path) -> Path:
    """Aligned faces (Liu et al. 2015), in training and validation part as its list of partitions has them."""
    found = archive("celeba", "img_align_celeba_half.zip")
    listed = archive("celeba", "list_eval_partition.txt").read_text().split()
    part = dict(zip(listed[::2], listed[1::2], strict=True))
    places = {"0": "train", "1": "val"}
    return written(found, folder / "celeba.zip", lambda name: f"{places[part[name]]}/{name}" if part.get(name) in places else "")


def celebamask(folder: Path) -> Path:
    """Faces and maps of their 19 parts (Lee et al. 2020), folders `images` and `masks`."""
    return written(archive("celebamask-hq", "celebamask_hq_256.zip"), folder / "celebamask.zip", lambda name: name)


def celebamask_faces(folder: Path) -> Path:
    """The same faces without their maps."""
    found = archive("celebamask-hq", "celebamask_hq_256.zip")
    return written(found, folder / "celebamask-faces.zip", lambda name: name.replace("images/", "") if "/images/" in name else "")


def cifar10(folder: Path) -> Path:
    """CIFAR-10 (Krizhevsky 2009) as a copy has it that kept JPEG files: part/class/number. Its numbers are of this copy alone."""
    to = folder / "cifar10.zip"
    if not to.exists():
        with np.load(archive("cifar10", "cifar10_jpeg.npz"), allow_pickle=False) as found:
            names, content = found["class_names"], BytesIO()
            with ZipFile(content, "w") as new:
                for part in ("train", "test"):
                    files, ends = found[f"{part}_jpeg"].tobytes(), found[f"{part}_offsets"]
                    for number, label in enumerate(found[f"{part}_labels"]):
                        new.writestr(f"{part}/{names[label]}/{number:05d}.jpg", files[ends[number] : ends[number + 1]])
        to.parent.mkdir(parents=True, exist_ok=True)
        durable.write(to, content.getvalue())
    return to


def top(name: str) -> str:
    """The first folder of a path in a zip."""
    return name.partition("/")[0]


def archive(name: str, file: str) -> Path:
    """A file of a set.

    Raises:
        Absent: it is not there.
    """
    for folder in folders(name):
        if (folder / file).is_file():
            return folder / file
    raise Absent(f"'{file}' is not there; put it into {' or '.join(map(str, folders(name)))}, or set PUSHFORWARD_DATA.")


def written(source: Path, to: Path, place: Callable[[str], str]) -> Path:
    """The files of an archive under the names that `place` gives them; those without one are left out."""
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        content = BytesIO()
        with ZipFile(source) as old, ZipFile(content, "w") as new:
            for info in old.infolist():
                if not info.is_dir() and (name := place(info.filename)):
                    new.writestr(name, old.read(info))
        durable.write(to, content.getvalue())
    return to
