#!/usr/bin/python3
"""Trains the digit network on MNIST's files and on rendered digits, with numpy alone, and writes digits.onnx.

    models/digits/train.py --mnist DIR --output models/digits/digits.onnx

DIR holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz. Half an hour on one core with a good BLAS
(pip's numpy); the result is committed, so that nobody else needs to.
"""
import argparse
import pathlib
import time

import numpy as np
import onnx

import idx
import model
import render

BATCH = 64
RENDERED = 20000  # beside MNIST's 60,000
WEIGHT_DECAY = 5e-4


def windows(x, side, pad):
    """[N,H,W,C] to [N*P*Q, side*side*C], and the output size."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))  # N,P,Q,C,R,S
    count, height, width = view.shape[:3]
    return view.transpose(0, 1, 2, 4, 5, 3).reshape(count * height * width, -1), (count, height, width)


class Layer:
    """Convolution, and for all but the last one ReLU and pooling; activations are [N,H,W,C]."""

    def __init__(self, random, channels, kernels, side, pad, pooled):
        self.side, self.pad, self.pooled = side, pad, pooled
        fan_in = side * side * channels
        self.weight = (random.standard_normal((fan_in, kernels)) * np.sqrt(2 / fan_in)).astype(np.float32)
        self.bias = np.zeros(kernels, np.float32)
        self.steps = [np.zeros_like(self.weight), np.zeros_like(self.bias)]

    def forward(self, x):
        self.shape = x.shape
        self.columns, (count, height, width) = windows(x, self.side, self.pad)
        y = (self.columns @ self.weight + self.bias).reshape(count, height, width, -1)
        if not self.pooled:
            return y
        even_h, even_w = height // 2 * 2, width // 2 * 2
        blocks = y[:, :even_h, :even_w].reshape(count, even_h // 2, 2, even_w // 2, 2, -1)
        best = blocks.max((2, 4))
        self.blocks, self.best = blocks, best
        return np.maximum(best, 0)

    def backward(self, gradient, need_input):
        if self.pooled:
            gradient = gradient * (self.best > 0)
            count, rows, _, columns, _, channels = self.blocks.shape
            chosen = self.blocks == self.best[:, :, None, :, None]
            spread = (chosen * gradient[:, :, None, :, None]).reshape(count, 2 * rows, 2 * columns, channels)
            height = self.shape[1] + 2 * self.pad - self.side + 1
            width = self.shape[2] + 2 * self.pad - self.side + 1
            gradient = np.zeros((count, height, width, channels), np.float32)
            gradient[:, :2 * rows, :2 * columns] = spread
        flat = gradient.reshape(-1, gradient.shape[-1])
        self.gradients = [self.columns.T @ flat, flat.sum(0)]
        if not need_input:
            return None
        count, height, width, channels = self.shape
        padded = np.zeros((count, height + 2 * self.pad, width + 2 * self.pad, channels), np.float32)
        parts = (flat @ self.weight.T).reshape(*gradient.shape[:3], self.side, self.side, channels)
        for r in range(self.side):
            for s in range(self.side):
                padded[:, r:r + gradient.shape[1], s:s + gradient.shape[2]] += parts[:, :, :, r, s]
        return padded[:, self.pad:self.pad + height, self.pad:self.pad + width]

    def step(self, rate):
        for array, momentum, gradient in zip((self.weight, self.bias), self.steps, self.gradients):
            momentum *= 0.9
            momentum -= rate * (gradient + WEIGHT_DECAY * array)
            array += momentum

    def onnx_weights(self, channels):
        """[K,C,R,S] and bias."""
        weight = self.weight.reshape(self.side, self.side, channels, -1).transpose(3, 2, 0, 1)
        return np.ascontiguousarray(weight), self.bias


def make_layers(random):
    layers, channels = [], 1
    for _, kernels, side, pad, pooled in model.LAYERS:
        layers.append(Layer(random, channels, kernels, side, pad, pooled))
        channels = kernels
    return layers


def shifted(x, random):
    """Each picture moved by up to two pixels."""
    moves = random.integers(-2, 3, (len(x), 2))
    return np.stack([np.roll(picture, move, (0, 1)) for picture, move in zip(x, moves)])


def train(pictures, labels, epochs, seed):
    random = np.random.default_rng(seed)
    layers = make_layers(random)
    total, done = epochs * (len(labels) // BATCH), 0
    for epoch in range(epochs):
        start, right, order = time.time(), 0, random.permutation(len(labels))
        for first in range(0, len(labels) - BATCH + 1, BATCH):
            chosen = order[first:first + BATCH]
            x = shifted(pictures[chosen], random)[..., None].astype(np.float32) / 255
            for layer in layers:
                x = layer.forward(x)
            scores = x.reshape(BATCH, -1)
            odds = np.exp(scores - scores.max(1, keepdims=True))
            odds /= odds.sum(1, keepdims=True)
            right += (scores.argmax(1) == labels[chosen]).sum()
            odds[np.arange(BATCH), labels[chosen]] -= 1
            gradient = (odds / BATCH).reshape(BATCH, 1, 1, -1).astype(np.float32)
            rate = 0.04 * 0.5 * (1 + np.cos(np.pi * done / total)) * min(1, (done + 1) / 200)
            for layer in reversed(layers):
                gradient = layer.backward(gradient, layer is not layers[0])
            for layer in layers:
                layer.step(rate)
            done += 1
        print(f'epoch {epoch + 1} of {epochs}: {100 * right / len(labels):.2f} % of the training pictures right, '
              f'{time.time() - start:.0f} s', flush=True)
    channels = [1] + [row[1] for row in model.LAYERS]
    return {row[0]: layer.onnx_weights(c) for row, layer, c in zip(model.LAYERS, layers, channels)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--mnist', type=pathlib.Path, required=True, help="folder of MNIST's training files")
    parser.add_argument('--epochs', type=int, default=6)
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--output', default='digits.onnx')
    arguments = parser.parse_args()
    pictures = idx.read(arguments.mnist / 'train-images-idx3-ubyte.gz')
    labels = idx.read(arguments.mnist / 'train-labels-idx1-ubyte.gz')
    rendered, rendered_labels = render.render_many(RENDERED, seed=arguments.seed)
    weights = train(np.concatenate([pictures, rendered]), np.concatenate([labels, rendered_labels]),
                    arguments.epochs, arguments.seed)
    onnx.save(model.to_onnx(weights), arguments.output)


if __name__ == '__main__':
    main()
