"""Draws faces from numbers: ellipses, curves and a little light, all images of a batch at once.

A face lives in the square [-1, 1]^2, y downwards. Every shape is a signed distance (below 0: inside), painted over what is there with an
edge one pixel wide; the parsing map takes the part of the last shape that holds the centre of a pixel. Turning the head moves features
sideways by their depth on a ball and narrows what turns away.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

PARTS = ("background", "clothes", "neck", "hair", "ear", "skin", "eye", "brow", "nose", "mouth", "teeth", "beard", "glasses")
"""Names of the numbers in a parsing map."""
SKINS = ((255, 224, 196), (240, 194, 152), (214, 160, 114), (168, 112, 72), (118, 74, 46), (74, 46, 32))
HAIRS = ((24, 20, 20), (62, 40, 28), (110, 66, 34), (164, 88, 40), (222, 180, 100), (168, 168, 170), (236, 234, 230))
EYES = ((60, 36, 20), (104, 68, 34), (86, 110, 60), (90, 130, 170), (120, 130, 140))
Column = Float[Tensor, "n 1 1"]
Map = Float[Tensor, "n h w"]


@dataclass(frozen=True)
class Features:
    """What a face looks like: one column a quantity, each [N, 1, 1] in [0, 1] unless said otherwise."""

    skin: Column
    hair: Column
    hair_length: Column
    smile: Column
    mouth_open: Column
    glasses: Column
    beard: Column
    turn: Column
    tilt: Column
    light: Column
    background: Column
    eyes: Column
    width: Column
    age: Column
    jitter: Float[Tensor, "n 12 1 1"]
    """Small differences without a name, in [-1, 1]."""


class Canvas:
    """Images and parsing maps under way."""

    def __init__(self, background: Float[Tensor, "n 3 h w"], edge: float):
        n, _, h, w = background.shape
        self.colour, self.edge = background, edge
        self.parts = torch.zeros(n, h, w, dtype=torch.int64)

    def paint(self, distance: Map, colour: Float[Tensor, "n 3 #h #w"], part: str = "", strength: Tensor | float = 1.0) -> None:
        """Lay a shape over what is there; without a part it only tints."""
        alpha = (0.5 - distance / self.edge).clamp(0, 1) * strength
        self.colour.lerp_(colour.expand_as(self.colour), alpha[:, None])
        if part:
            shown = strength > 0.5 if isinstance(strength, Tensor) else torch.tensor(strength > 0.5)
            self.parts[(distance < 0) & shown] = PARTS.index(part)


def draw(f: Features, size: int) -> tuple[Float[Tensor, "n 3 s s"], Int[Tensor, "n s s"]]:
    """Images in [-1, 1] and their parsing maps."""
    side = (torch.arange(size) + 0.5) * 2 / size - 1
    y, x = torch.meshgrid(side, side, indexing="ij")
    canvas = Canvas(background(f, x, y), 2.5 / size)
    j = f.jitter
    angle = (f.tilt - 0.5) * 0.5
    x0, y0 = x - 0.06 * j[:, 0], y - 0.05 - 0.04 * j[:, 1]
    x, y = x0 * angle.cos() + y0 * angle.sin(), y0 * angle.cos() - x0 * angle.sin()
    scale = 1 + 0.07 * j[:, 2]
    x, y = x / scale, y / scale
    yaw = (f.turn - 0.5) * 1.3
    shade = lit(f, x, y)
    back_hair(canvas, f, x, y, yaw)
    torso(canvas, f, x0, y0, shade)
    head(canvas, f, x, y, yaw, shade)
    eyes(canvas, f, x, y, yaw)
    nose(canvas, f, x, y, yaw)
    mouth(canvas, f, x, y, yaw)
    front_hair(canvas, f, x, y, yaw)
    glasses(canvas, f, x, y, yaw)
    return canvas.colour.clamp(0, 1) * 2 - 1, canvas.parts


def background(f: Features, x: Tensor, y: Tensor) -> Float[Tensor, "n 3 h w"]:
    """A colour by hue, lighter towards where the light comes from."""
    hue = f.background[:, None] + torch.tensor([0.0, 1 / 3, 2 / 3])[:, None, None]
    colour = 0.62 + 0.22 * torch.cos(2 * torch.pi * hue)
    ramp = 0.16 * ((f.light - 0.5) * 2 * x - 0.5 * y)[:, None]
    return (colour + ramp).contiguous()


def lit(f: Features, x: Tensor, y: Tensor) -> Map:
    """Brightness of a ball-like head under a lamp to the left (light = 0) to the right (1), above."""
    nx, ny = x / 0.75, (y + 0.05) / 0.95
    nz = (1 - nx.square() - ny.square()).clamp(min=0.05).sqrt()
    lx = (f.light - 0.5) * 1.7
    dot = (nx * lx - ny * 0.45 + nz) / (1.2 + lx.square()).sqrt()
    return 0.62 + 0.45 * dot.clamp(0, 1.2)


def palette(where: Column, colours: tuple[tuple[int, int, int], ...]) -> Float[Tensor, "n 3 1 1"]:
    """The colour at a place in [0, 1] along a row of colours."""
    table = torch.tensor(colours).float() / 255
    place = where.flatten().clamp(0, 1) * (len(colours) - 1)
    low = place.floor().long().clamp(max=len(colours) - 2)
    return torch.lerp(table[low], table[low + 1], (place - low)[:, None])[..., None, None]


def ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Map:
    """About the distance to an ellipse with half axes a, b around the origin."""
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    return ((x / a).square() + (y / b).square()).sqrt().sub(1) * torch.minimum(a, b)


def seen(yaw: Column, across: Tensor | float, depth: float) -> tuple[Tensor, Tensor]:
    """Where a feature at `across` of the middle and so deep on the ball of the head is seen, and how much it is narrowed."""
    across = torch.as_tensor(across)
    place = across * yaw.cos() + depth * yaw.sin()
    return place, (yaw.cos() - across.sign() * yaw.sin() * 0.45).clamp(0.35, 1.1)


def torso(canvas: Canvas, f: Features, x: Tensor, y: Tensor, shade: Map) -> None:
    """Shoulders and neck, which stay where they are when the head turns."""
    j = f.jitter
    hue = f.jitter[:, 3, None] * 1.5 + torch.tensor([0.0, 1 / 3, 2 / 3])[:, None, None]
    clothes = 0.42 + 0.3 * torch.cos(2 * torch.pi * hue)
    canvas.paint(ellipse(x, y - 1.42, 0.95 + 0.06 * j[:, 4], 0.62), clothes, "clothes")
    neck = torch.maximum(x.abs() - 0.22, torch.maximum(0.3 - y, y - 0.98))
    canvas.paint(neck, palette(f.skin, SKINS) * (0.75 * shade[:, None]).clamp(max=1), "neck")


def face_width(f: Features) -> Column:
    """Half the width of the face."""
    return 0.47 + 0.11 * f.width


def face_shape(f: Features, x: Tensor, y: Tensor) -> Map:
    """The outline: an ellipse that narrows towards the chin."""
    chin = (y - 0.1).clamp(min=0)
    return ellipse(x * (1 + (0.32 - 0.2 * f.width) * chin), y, face_width(f), 0.70)


def back_hair(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """Hair behind the head: short hair is a cap, long hair falls to the shoulders."""
    long = ((f.hair_length - 0.45) / 0.55).clamp(0, 1)
    away = x + 0.12 * yaw.sin()
    top = ellipse(away, y + 0.16, face_width(f) + 0.13, 0.74)
    wave = 0.02 * (y * 17 + 6 * f.jitter[:, 8]).sin() * long
    fall = ellipse(away + wave, y - 0.32 * long, face_width(f) + 0.13 + 0.07 * long + 0.05 * f.jitter[:, 5], 0.55 + 0.42 * long)
    shape = torch.where(long > 0, torch.minimum(top, fall), torch.maximum(top, y - 0.1))
    canvas.paint(shape, hair_colour(f) * 0.72, "hair", strength=(f.hair_length > 0.08).float())


def hair_colour(f: Features) -> Float[Tensor, "n 3 1 1"]:
    """Greyer with age."""
    own, grey = palette(f.hair, HAIRS), palette(torch.full_like(f.hair, 5 / 6), HAIRS)
    return torch.lerp(own, grey, ((f.age - 0.6) / 0.4).clamp(0, 0.9)[:, None])


def head(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column, shade: Map) -> None:
    """Ears, face, cheeks, and the lines that come with age."""
    skin = palette(f.skin, SKINS)
    for side in (-1.0, 1.0):
        place, narrow = seen(yaw, side * face_width(f), -0.1)
        canvas.paint(ellipse(x - place, y + 0.0, 0.10 * narrow, 0.15), skin * (0.85 * shade[:, None]).clamp(max=1), "ear")
    face = face_shape(f, x, y)
    canvas.paint(face, (skin * shade[:, None]).clamp(max=1), "skin")
    rosy = skin * torch.tensor([1.0, 0.72, 0.70])[:, None, None]
    for side in (-1.0, 1.0):
        place, _ = seen(yaw, side * 0.26, 0.30)
        spot = (1 - ((x - place).square() + (y - 0.22).square()) / 0.035).clamp(0, 1)
        canvas.paint(face, rosy, strength=spot * (0.25 + 0.25 * f.smile))
    for height in (0.42, 0.50):
        crease = (y + height + 0.03 * f.jitter[:, 6]).abs() - 0.006
        canvas.paint(torch.maximum(crease, x.abs() - 0.25), skin * 0.62, strength=((f.age - 0.55) * 1.6).clamp(0, 0.8))


def eyes(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """Whites, irises that look where the head turns, lids and brows."""
    j = f.jitter
    white, black = torch.full((1, 3, 1, 1), 0.96), torch.full((1, 3, 1, 1), 0.06)
    open_by = 0.062 + 0.012 * j[:, 7] - 0.018 * f.smile
    for side in (-1.0, 1.0):
        place, narrow = seen(yaw, side * (0.22 + 0.015 * j[:, 8]), 0.30)
        ex, ey = x - place, y + 0.08
        almond = ellipse(ex, ey + 0.25 * ex.square(), 0.105 * narrow, open_by)
        canvas.paint(almond - 0.012, palette(f.skin, SKINS) * 0.55)
        canvas.paint(almond, white, "eye")
        gaze = 0.03 * yaw.sin() + 0.015 * j[:, 9]
        iris = torch.maximum(ellipse(ex - gaze, ey, 0.052 * narrow, 0.052), almond)
        canvas.paint(iris, palette(f.eyes, EYES))
        canvas.paint(torch.maximum(ellipse(ex - gaze, ey, 0.024 * narrow, 0.024), almond), black)
        canvas.paint(torch.maximum(ellipse(ex - gaze - 0.016, ey + 0.018, 0.010, 0.010), almond), white)
        arch = ey + 0.135 + 0.02 * j[:, 10] + 0.9 * ex.square() - 0.06 * side * ex * (f.smile - 0.5)
        brow = torch.maximum(arch.abs() - 0.020, ex.abs() - 0.13 * narrow)
        canvas.paint(brow, hair_colour(f) * 0.7, "brow")


def nose(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """A ridge that catches the light, and a tip with its shadow."""
    skin = palette(f.skin, SKINS)
    tip, _ = seen(yaw, 0.0, 0.44)
    root, _ = seen(yaw, 0.0, 0.30)
    along = ((y + 0.05) / 0.27).clamp(0, 1)
    ridge = (x - torch.lerp(root, tip, along)).abs() - (0.022 + 0.035 * along)
    ridge = torch.maximum(ridge, torch.maximum(-0.05 - y, y - 0.22))
    canvas.paint(ridge, (skin * 1.12).clamp(max=1), "nose", strength=0.55)
    canvas.paint(ellipse(x - tip, y - 0.20, 0.085 + 0.02 * f.jitter[:, 11], 0.055), (skin * 0.94).clamp(max=1), "nose")
    for side in (-1.0, 1.0):
        canvas.paint(ellipse(x - tip - side * 0.038, y - 0.225, 0.018, 0.012), skin * 0.45)


def mouth(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """Lips along a parabola that a smile bends upwards, teeth and dark inside where it is open; a beard around it."""
    skin = palette(f.skin, SKINS)
    place, narrow = seen(yaw, 0.0, 0.34)
    mx = (x - place) / narrow
    half = 0.15 + 0.10 * f.smile
    bend = (f.smile - 0.4) * 4.5
    my = y - 0.415 + bend * (mx.square() - 0.5 * half.square())
    strand = (x * 61 + y * 23).sin() * 0.012
    line = 0.34 - 1.5 * (mx.abs() - 0.16).clamp(min=0) + 0.02 * f.jitter[:, 6]  # down the cheeks and under the lip
    moustache = torch.maximum((my + 0.07 + 0.2 * mx.square()).abs() - 0.028, mx.abs() - half)
    around = torch.maximum(torch.minimum(torch.maximum(line - y, -0.05 - y), moustache), face_shape(f, x, y)) + strand
    grown = (f.beard > 0.5).float()
    canvas.paint(around, hair_colour(f) * 0.9, "beard", strength=grown)
    gape = (0.006 + 0.075 * f.mouth_open) * (1 - (mx / half).square()).clamp(min=0)
    lips = torch.maximum(my.abs() - (gape + 0.034 * (1 - (mx / half).square()).clamp(min=0).sqrt()), mx.abs() - half)
    red = skin * torch.tensor([0.92, 0.52, 0.52])[:, None, None]
    canvas.paint(lips, red, "mouth")
    inside = torch.maximum(my.abs() - gape, mx.abs() - half * 0.94)
    canvas.paint(inside, torch.tensor([0.22, 0.05, 0.06])[None, :, None, None], "mouth")
    teeth = torch.maximum(inside, my - gape * 0.05)
    canvas.paint(teeth, torch.full((1, 3, 1, 1), 0.95), "teeth", strength=(f.mouth_open > 0.15).float())


def front_hair(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """The hairline over the forehead, with a parting and strands; none where hair_length is near 0."""
    side = 0.25 * f.jitter[:, 5] + 0.3 * yaw.sin()
    line = -0.40 + 0.55 * (x - side).square() - 0.06 * f.jitter[:, 6] + 0.015 * (x * 23 + 5 * f.jitter[:, 8]).sin()
    skull = ellipse(x + 0.08 * yaw.sin(), y + 0.14, face_width(f) + 0.085, 0.70)
    shape = torch.maximum(skull, y - line)
    strands = 1 + 0.13 * (x * 37 + 9 * y + 6 * f.jitter[:, 9]).sin()
    colour = hair_colour(f) * (strands * (0.8 + 0.35 * (f.light - 0.5) * 2 * x - 0.25 * y))[:, None].clamp(0.4, 1.5)
    canvas.paint(shape, colour.clamp(0, 1), "hair", strength=(f.hair_length > 0.08).float())


def glasses(canvas: Canvas, f: Features, x: Tensor, y: Tensor, yaw: Column) -> None:
    """Two rims, a bridge and temples, where glasses > 1/2."""
    worn = (f.glasses > 0.5).float()
    dark = palette(f.jitter[:, 10] * 0.5 + 0.5, ((20, 20, 24), (90, 50, 30), (150, 30, 40), (40, 60, 110)))
    frame = []
    for side in (-1.0, 1.0):
        place, narrow = seen(yaw, side * 0.225, 0.34)
        lens = ellipse(x - place, y + 0.07, 0.165 * narrow, 0.135)
        canvas.paint(lens, torch.full((1, 3, 1, 1), 0.95), strength=worn * 0.14)
        frame.append(lens.abs() - 0.014)
        ear, _ = seen(yaw, side * face_width(f), -0.1)
        outer = place + side * 0.165 * narrow
        low, high = torch.minimum(ear, outer), torch.maximum(ear, outer)
        frame.append(torch.maximum((y + 0.09).abs() - 0.012, torch.maximum(low - x, x - high)))
    middle, _ = seen(yaw, 0.0, 0.36)
    frame.append(torch.maximum((y + 0.09).abs() - 0.013, (x - middle).abs() - 0.07))
    canvas.paint(torch.stack(frame).amin(0), dark, "glasses", strength=worn)
