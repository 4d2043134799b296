#!/usr/bin/python3
"""Renders handwritten-looking digits: strokes, random affine and elastic distortion, pen width, noise.

As a program it writes the pictures of this folder, which the sample and the tests use:

    models/digits/render.py --count 1100 --seed 2024 --output models/digits

They are IDX files, like MNIST's: images (28x28 bytes, ink is bright) and labels. A model is calibrated with the
first 100 and judged by the rest.
"""
import argparse
import pathlib

import numpy as np

import idx

SIDE = 28
POINTS = 24  # of each stroke after interpolation

# Every way to write a digit: strokes, each a list of points (x to the right, y down) in the unit square, joined by
# a smooth curve. A point written twice in a row is a corner.
STYLES = {
    0: [[[(.5, 0), (.15, .2), (.1, .55), (.3, .95), (.6, .98), (.88, .6), (.85, .25), (.5, 0)]],
        [[(.6, .05), (.25, .1), (.1, .5), (.25, .9), (.55, 1), (.85, .8), (.9, .4), (.65, .08), (.5, .08)]]],
    1: [[[(.5, 0), (.5, .5), (.5, 1)]],
        [[(.3, .25), (.55, 0), (.55, 0), (.52, .5), (.5, 1)]],
        [[(.25, .25), (.52, 0), (.52, 0), (.52, 1)], [(.22, 1), (.8, 1)]]],
    2: [[[(.15, .25), (.4, 0), (.8, .15), (.75, .45), (.4, .75), (.1, 1), (.1, 1), (.5, .97), (.9, .98)]],
        [[(.12, .2), (.45, .02), (.82, .25), (.6, .6), (.25, .9), (.12, .95), (.2, .8), (.5, .9), (.92, .95)]]],
    3: [[[(.15, .12), (.5, 0), (.8, .2), (.7, .42), (.4, .48), (.4, .48), (.75, .55), (.85, .78), (.55, 1), (.12, .9)]],
        [[(.15, .02), (.8, .02), (.8, .02), (.45, .4), (.45, .4), (.82, .55), (.8, .85), (.5, 1), (.12, .9)]]],
    4: [[[(.3, 0), (.2, .3), (.1, .6), (.1, .6), (.5, .6), (.92, .58)], [(.72, .05), (.7, .5), (.68, 1)]],
        [[(.68, 1), (.68, .5), (.68, 0), (.68, 0), (.4, .35), (.08, .68), (.08, .68), (.5, .68), (.95, .68)]]],
    5: [[[(.25, .02), (.22, .25), (.18, .45), (.18, .45), (.5, .38), (.85, .55), (.82, .85), (.5, 1), (.1, .92)],
         [(.25, .02), (.55, .03), (.88, 0)]],
        [[(.88, .02), (.55, .02), (.28, .05), (.28, .05), (.2, .42), (.2, .42), (.55, .4), (.85, .65), (.65, .95),
          (.3, 1), (.1, .88)]]],
    6: [[[(.7, 0), (.35, .25), (.12, .65), (.3, .98), (.7, .98), (.82, .7), (.55, .5), (.2, .65)]],
        [[(.55, 0), (.25, .35), (.15, .75), (.45, 1), (.8, .82), (.7, .55), (.4, .55), (.18, .78)]]],
    7: [[[(.1, .05), (.5, .03), (.9, .02), (.9, .02), (.65, .4), (.42, 1)]],
        [[(.1, .12), (.12, .02), (.12, .02), (.5, .04), (.88, .02), (.88, .02), (.6, .45), (.4, 1)],
         [(.3, .5), (.55, .48), (.8, .48)]]],
    8: [[[(.75, .15), (.5, 0), (.22, .18), (.45, .45), (.8, .72), (.6, .98), (.3, .95), (.18, .72), (.5, .46), (.78, .2)]],
        [[(.5, .46), (.2, .25), (.45, .01), (.78, .2), (.5, .46), (.15, .75), (.45, 1), (.85, .78), (.5, .46)]]],
    9: [[[(.82, .2), (.55, 0), (.2, .15), (.2, .42), (.5, .52), (.8, .25), (.8, .25), (.78, .6), (.7, 1)]],
        [[(.8, .25), (.5, .02), (.18, .22), (.35, .5), (.7, .42), (.82, .18), (.82, .18), (.8, .7), (.55, .98),
          (.25, .95)]]],
}


def _curve(points):
    """POINTS points of the Catmull-Rom spline through `points`."""
    points = np.array(points)
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    place = np.linspace(0, len(points) - 1, POINTS)
    index = np.minimum(place.astype(int), len(points) - 2)
    t = (place - index)[:, None]
    a, b, c, d = (padded[index + i] for i in range(4))
    return .5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3)


def _strokes(digit, random):
    """The segments (start, end) of one digit, written by a random hand, centred in the picture."""
    style = STYLES[digit][random.integers(len(STYLES[digit]))]
    curves = [_curve(np.array(stroke) + random.normal(0, .025, (len(stroke), 2))) for stroke in style]
    points = (np.vstack(curves) - .5) * [random.uniform(.55, .95), 1]
    turn, slant = random.normal(0, .12), random.normal(.08, .18)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = points @ rotation.T @ np.array([[1, 0], [-slant, 1]])
    for _ in range(3):  # elastic: waves of one to two periods across the digit
        wave, phase = random.uniform(-7, 7, 2), random.uniform(0, 2 * np.pi)
        points = points + np.sin(points @ wave + phase)[:, None] * random.normal(0, .02, 2)
    low, high = points.min(0), points.max(0)
    size = random.uniform(16.5, 19.5) / max((high - low).max(), .3)
    points = (points - (low + high) / 2) * size + SIDE / 2 - .5
    bounds = np.cumsum([0] + [len(curve) for curve in curves])
    starts = np.concatenate([np.arange(first, last - 1) for first, last in zip(bounds, bounds[1:])])
    return points[starts], points[starts + 1]


def _ink(starts, ends, width):
    """Brightness 0..1 of all pixels: one inside the stroke, falling off over a pixel at its edge."""
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 1, 2)
    along = ends - starts
    t = ((grid - starts) * along).sum(-1) / np.maximum((along ** 2).sum(-1), 1e-9)
    nearest = starts + np.clip(t, 0, 1)[..., None] * along
    distance = np.sqrt(((grid - nearest) ** 2).sum(-1)).min(1)
    return np.clip((width / 2 + .7 - distance) / 1.4, 0, 1).reshape(SIDE, SIDE)


def render(digit, random):
    """One picture of `digit`: SIDE x SIDE bytes."""
    starts, ends = _strokes(digit, random)
    ink = _ink(starts, ends, random.uniform(1.4, 3.6)) * random.uniform(.85, 1.1)
    rows, columns = np.indices(ink.shape)  # centre of mass to the middle, as in MNIST
    shift = [int(round(SIDE / 2 - .5 - (ink * axis).sum() / ink.sum())) for axis in (rows, columns)]
    ink = np.roll(ink, shift, (0, 1))
    ink = ink * random.normal(1, .08, ink.shape) + random.normal(0, .015, ink.shape)
    return np.clip(ink * 255, 0, 255).astype(np.uint8)


def render_many(count, seed):
    """`count` pictures and their labels; every digit equally often, in random order."""
    random = np.random.default_rng(seed)
    labels = random.permutation(np.arange(count) % 10).astype(np.uint8)
    return np.stack([render(int(label), random) for label in labels]), labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=1100)
    parser.add_argument('--seed', type=int, default=2024)
    parser.add_argument('--output', type=pathlib.Path, default=pathlib.Path('.'), help='folder for the two files')
    arguments = parser.parse_args()
    pictures, labels = render_many(arguments.count, arguments.seed)
    idx.write(arguments.output / 'rendered-images-idx3-ubyte', pictures)
    idx.write(arguments.output / 'rendered-labels-idx1-ubyte', labels)


if __name__ == '__main__':
    main()
