"""Tables of how fast things are, and of the instruments that come with the package."""

from writing import machine, percent, read, table

from pushforward import figures
from pushforward.data import faces


def vae_training() -> str:
    """Speed beside pythae, the usual loop and the bound."""
    found = read("vae_training")
    rows = []
    for kind in sorted({"a", "b"} & found.keys()):
        for side, told in found[kind]["milliseconds a step"].items():
            ratio = found[kind]["ratios"][side]
            spread = f"{told['median']:.2f} ({told['least']:.2f} to {told['most']:.2f})"
            rows.append([found[kind]["networks"], side, spread, f"{ratio['pythae / side']:.2f}", f"{ratio['float32 products / side']:.2f}"])
    heads = ["networks", "side", "ms a step: median (spread)", "times pythae's speed", "share of the float32 bound"]
    return table(heads, rows) + f"\nMeasured by `{found['command']}`, batch {found['batch']}, {found['data']}, {machine(found)}.\n"


def neighbours() -> str:
    """What the graph guesses right."""
    found = read("neighbours")
    given = found["share of the given guesses that is right"]
    alone = found["share of all images right, clusters without labels, matched one to one"]
    rows = [[way, percent(sum(each) / len(each)), " · ".join(map(percent, each)), percent(alone[way])] for way, each in given.items()]
    share = percent(found["share that is given"])
    after = f"\nMeasured by `{found['command']}`: {found['data']}, {found['labels']} labels, the surest {share} of the guesses; "
    after += "clusters (of all images) matched with classes one to one.\n"
    return table(["images are compared by", "guesses right, mean", "each draw of labels", "clusters, no label"], rows) + after


def startup() -> str:
    """Seconds until something happens."""
    found = read("startup")
    rows = [[what, f"{took:.2f}"] for what, took in found["seconds"].items()]
    after = f"\nMeasured by `{found['command']}`, medians of {found['processes of each']} processes, {machine(found)}.\n"
    return table(["start", "seconds"], rows) + after


def instruments() -> str:
    """Faces drawn, and metrics of samples."""
    found = read("instruments")
    rows = [
        ["procedural faces of 64 pixels, with their parsing maps", f"{found['faces of 64 pixels a second']:,.0f} a second"],
        [
            f"all metrics of five sets of {found['samples of a set']:,} images of 28x28",
            f"{found['seconds for all metrics of samples']:.0f} s",
        ],
    ]
    return table(["what", "speed"], rows) + f"\nMeasured by `{found['command']}`, {machine(found)}.\n"


def attributes() -> str:
    """How far attributes of made faces are from those asked for."""
    found = read("instruments")
    told, key = found["attributes"], "attributes, apart from"
    rows = [
        [what, f"{told[f'{key} {whose}{kind}']:.3f}", f"{told[f'{key} others{kind}']:.3f}"]
        for what, whose, kind in (("made faces", "those asked", ""), ("held-out faces", "those asked", ", real against real"))
    ]
    after = f"\nMeasured by `{found['command']}`, {told['samples']:,} samples, mean of 5 sets, as {told['net']}.\n"
    return table(["attributes as read, mean distance, each in 0..1", "from those asked for", "from another face's"], rows) + after


def part_colours() -> str:
    """The colours of a drawn face's parts."""
    words = [f"{part} `{colour}`" for part, colour in zip(faces.PARTS, figures.part_colours(len(faces.PARTS)), strict=True)]
    return ", ".join(words) + "\n"
