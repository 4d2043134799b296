"""Layers in plain numpy, NCHW: what the pilot and the tests of trained models compute with."""
import numpy as np


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def pads_of(pad):
    """ONNX's order: top, left, bottom, right."""
    pad = pair(pad)
    return list(pad) if len(pad) == 4 else [pad[0], pad[1]] * 2


def steps(size, kernel, stride, dilation, ceil_mode=False):
    room = size - (kernel - 1) * dilation - 1
    return (-(-room // stride) if ceil_mode else room // stride) + 1


def channel(vector):
    return vector.reshape(1, -1, 1, 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolve(x, weight, stride, pads, groups, dilation):
    if x is None:
        return None
    count, channels = x.shape[:2]
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])))
    kernels, _, rows, columns = weight.shape
    height = steps(x.shape[2], rows, stride, dilation)
    width = steps(x.shape[3], columns, stride, dilation)
    weight = weight.reshape(groups, kernels // groups, channels // groups, rows, columns)
    total = np.zeros((count, groups, kernels // groups, height * width), np.float32)
    for r in range(rows):
        for s in range(columns):
            window = x[:, :, r * dilation:, s * dilation:][:, :, :(height - 1) * stride + 1:stride,
                                                           :(width - 1) * stride + 1:stride]
            total += weight[None, ..., r, s] @ window.reshape(count, groups, channels // groups, -1)
    return total.reshape(count, kernels, height, width)


def pool(x, is_max, kernel, stride, pads, ceil_mode):
    fill = -np.inf if is_max else np.nan  # nan: padding does not count
    height, width = (steps(n + pads[0] + pads[2], kernel, stride, 1, ceil_mode) for n in x.shape[2:])
    short = [max(0, (steps - 1) * stride + kernel - n - pads[0] - pads[2])
             for steps, n in zip((height, width), x.shape[2:])]
    x = np.pad(x, ((0, 0), (0, 0), (pads[0], pads[2] + short[0]), (pads[1], pads[3] + short[1])),
               constant_values=fill)
    windows = np.stack([x[:, :, r:r + (height - 1) * stride + 1:stride, s:s + (width - 1) * stride + 1:stride]
                        for r in range(kernel) for s in range(kernel)])
    return windows.max(0) if is_max else np.nanmean(windows, 0)


def lrn(x, size, alpha, beta, bias):
    squares = np.pad(x * x, ((0, 0), (size // 2, (size - 1) // 2), (0, 0), (0, 0)))
    total = sum(squares[:, i:i + x.shape[1]] for i in range(size))
    return x / (bias + alpha / size * total) ** beta


def spread(x, weight, bias):
    """Transposed convolution whose stride is its kernel's side; weight is [C, K, side, side]."""
    count, _, height, width = x.shape
    side = weight.shape[2]
    blocks = np.einsum('nchw,ckrs->nkhrws', x, weight, optimize=True)
    return blocks.reshape(count, -1, height * side, width * side) + channel(bias)
