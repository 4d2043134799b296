"""Builds one ONNX file: nodes with seeded weights, shapes and MACs counted on the way.

Beside the shapes, a small batch of pictures (the pilot) flows through each layer as it is added. Batch
normalization takes its statistics from the pilot, so that activations keep a spread near one however deep the
network is. The same seed gives the same file.
"""
import dataclasses
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import arithmetic

OPSET = 13  # what exporters of the years of TensorRT 8 wrote; every reader knows it


@dataclasses.dataclass
class Value:
    """A tensor of the network. `shape` is what the file says: the first dimension may be a symbol."""
    name: str
    shape: list
    pilot: np.ndarray = None

    @property
    def channels(self):
        return self.shape[1]


class Network:
    def __init__(self, name, batch=1, seed=1, pilot_size=64):
        """`batch` is a number or the name of a symbol. `pilot_size` None: no layer here takes statistics."""
        self.name, self.batch, self.pilot_size = name, batch, pilot_size
        self.macs = 0  # multiply-accumulates for one image
        self.output_pilots = []  # what each output of the network is for the pilot
        self.layers = []  # (name, kind, output shape, MACs) of every convolution and matrix product
        self._random = np.random.default_rng(seed)
        self._nodes, self._weights, self._inputs, self._outputs = [], [], [], []
        self._names, self._parameters = set(), {}

    # Inputs, outputs, weights

    def input(self, name, *shape, kind=TensorProto.FLOAT):
        """An input whose first dimension is the batch; pictures (channels, height, width) start the pilot."""
        shape = [self.batch, *shape]
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        pilot = None
        if self.pilot_size and len(shape) == 4:
            pilot = self._pilot_pictures(shape[1])
        return Value(name, shape, pilot)

    def _pilot_pictures(self, channels):
        """Two pictures in [-1, 1]: noise, and smooth patches."""
        size = self.pilot_size
        noise = self._random.uniform(-1, 1, (1, channels, size, size))
        patches = np.kron(self._random.uniform(-1, 1, (1, channels, size // 8, size // 8)), np.ones((8, 8)))
        return np.concatenate([noise, patches]).astype(np.float32)

    def output(self, value, name=None):
        """Makes `value` an output of the network, under `name` if that is given."""
        if name:
            self._rename(value, name)
        self.output_pilots.append(value.pilot)
        self._outputs.append(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, value.shape))

    def _rename(self, value, name):
        assert name not in self._names, f'{name} is there already'
        self._names.add(name)
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [name if n == value.name else n for n in names]
        value.name = name

    def constant(self, name, array):
        """A weight or other fixed tensor of the file; its name must be new."""
        assert name not in self._names, f'{name} is there already'
        self._names.add(name)
        array = np.asarray(array, order='C')
        self._weights.append(numpy_helper.from_array(array, name))
        return Value(name, list(array.shape), array)

    def _parameter(self, name, shape, std, middle=0):
        """Normally distributed weights called `name`: fresh ones, or those that are there already."""
        if name not in self._parameters:
            self._parameters[name] = self.constant(name, self.normal(shape, std) + np.float32(middle))
        return self._parameters[name]

    def normal(self, shape, std):
        return self._random.standard_normal(shape, dtype=np.float32) * np.float32(std)

    def _node(self, op, name, inputs, shape, pilot=None, out_name=None, **attributes):
        assert name not in self._names, f'{name} is there already'
        self._names.add(name)
        out = out_name or name + '_out'
        names = [value.name if value else '' for value in inputs]
        self._nodes.append(helper.make_node(op, names, [out], name=name, **attributes))
        return Value(out, list(shape), pilot)

    def _count(self, name, kind, shape, macs):
        self.macs += macs
        self.layers.append((name, kind, tuple(shape), macs))

    # Layers with weights

    def conv(self, name, x, channels, kernel, stride=1, pad=None, groups=1, dilation=1, bias=False, gain=2.0,
             weights=None):
        """Convolution with He-normal weights; `pad` None keeps the size at stride 1 (an int, or top, left, bottom,
        right). `weights` names the parameters; convolutions that give the same name share them."""
        rows, columns = arithmetic.pair(kernel)
        if pad is None:
            pad = ((rows - 1) * dilation // 2, (columns - 1) * dilation // 2)
        pads = arithmetic.pads_of(pad)
        fan_in = x.channels // groups * rows * columns
        shape, std = (channels, x.channels // groups, rows, columns), np.sqrt(gain / fan_in)
        inputs = [x, self._parameter(f'{weights or name}.weight', shape, std)]
        pilot = arithmetic.convolve(x.pilot, inputs[1].pilot, stride, pads, groups, dilation)
        if bias:
            middle = 0 if pilot is None else pilot.mean((0, 2, 3))  # stands in for normalization
            inputs.append(self._parameter(f'{weights or name}.bias', (channels,), 0.05, -middle))
            pilot = None if pilot is None else pilot + arithmetic.channel(inputs[2].pilot)
        height = arithmetic.steps(x.shape[2] + pads[0] + pads[2], rows, stride, dilation)
        width = arithmetic.steps(x.shape[3] + pads[1] + pads[3], columns, stride, dilation)
        out = self._node('Conv', name, inputs, [x.shape[0], channels, height, width], pilot,
                         kernel_shape=[rows, columns], strides=[stride] * 2, pads=pads, dilations=[dilation] * 2,
                         group=groups)
        self._count(name, 'conv', out.shape[1:], channels * height * width * fan_in)
        return out

    def deconv(self, name, x, channels, factor=2):
        """Transposed convolution that makes each pixel factor x factor pixels."""
        weight = self.normal((x.channels, channels, factor, factor), np.sqrt(1 / x.channels))
        offset = self.normal((channels,), 0.05)
        pilot = None if x.pilot is None else arithmetic.spread(x.pilot, weight, offset)
        inputs = [x, self.constant(name + '.weight', weight), self.constant(name + '.bias', offset)]
        out = self._node('ConvTranspose', name, inputs, [x.shape[0], channels, *(n * factor for n in x.shape[2:])],
                         pilot, kernel_shape=[factor] * 2, strides=[factor] * 2)
        self._count(name, 'deconv', out.shape[1:], x.channels * int(np.prod(out.shape[1:])))
        return out

    def batch_norm(self, name, x, scale=1.0):
        """Normalizes by the pilot's statistics, then scales by about `scale`."""
        channels = x.channels
        mean, variance = x.pilot.mean((0, 2, 3)), x.pilot.var((0, 2, 3))
        variance = np.maximum(0.5 * variance + 0.5 * variance.mean(), 1e-3)  # few pilot pixels: lean on the others
        gamma = (scale * (1 + self.normal((channels,), 0.1))).astype(np.float32)
        beta = self.normal((channels,), 0.1)
        inputs = [x] + [self.constant(f'{name}.{part}', array.astype(np.float32)) for part, array in
                        (('weight', gamma), ('bias', beta), ('running_mean', mean), ('running_var', variance))]
        factor = gamma / np.sqrt(variance + 1e-5)
        pilot = x.pilot * arithmetic.channel(factor) + arithmetic.channel(beta - mean * factor)
        return self._node('BatchNormalization', name, inputs, x.shape, pilot.astype(np.float32), epsilon=1e-5)

    def linear(self, name, x, features, gain=1.0):
        """A fully connected layer on [batch, features]."""
        weight = self.normal((features, x.shape[1]), np.sqrt(gain / x.shape[1]))
        offset = self.normal((features,), 0.05)
        pilot = None
        if x.pilot is not None and x.pilot.shape[1] == x.shape[1]:  # a flattened smaller picture has fewer
            pilot = x.pilot @ weight.T + offset
        inputs = [x, self.constant(name + '.weight', weight), self.constant(name + '.bias', offset)]
        self._count(name, 'gemm', [features], features * x.shape[1])
        return self._node('Gemm', name, inputs, [x.shape[0], features], pilot, transB=1)

    # Layers without weights

    def relu(self, name, x):
        return self._node('Relu', name, [x], x.shape, _map(x, lambda a: np.maximum(a, 0)))

    def relu6(self, name, x):
        low = self.constant(name + '.min', np.float32(0))
        high = self.constant(name + '.max', np.float32(6))
        return self._node('Clip', name, [x, low, high], x.shape, _map(x, lambda a: np.clip(a, 0, 6)))

    def sigmoid(self, name, x):
        return self._node('Sigmoid', name, [x], x.shape, _map(x, arithmetic.sigmoid))

    def silu(self, name, x):
        """x * sigmoid(x), as exporters write it."""
        return self.mul(name + '.mul', x, self.sigmoid(name + '.sigmoid', x))

    def add(self, name, a, b):
        return self._binary('Add', name, a, b, np.add)

    def mul(self, name, a, b):
        return self._binary('Mul', name, a, b, np.multiply)

    def sub(self, name, a, b):
        return self._binary('Sub', name, a, b, np.subtract)

    def div(self, name, a, b):
        return self._binary('Div', name, a, b, np.divide)

    def _binary(self, op, name, a, b, function):
        pilot = function(a.pilot, b.pilot) if a.pilot is not None and b.pilot is not None else None
        rank = max(len(a.shape), len(b.shape))
        left, right = ([1] * (rank - len(v.shape)) + v.shape for v in (a, b))
        return self._node(op, name, [a, b], [m if n == 1 else n for m, n in zip(left, right)], pilot)

    def max_pool(self, name, x, kernel, stride, pad=0, ceil_mode=False):
        return self._pool('MaxPool', name, x, kernel, stride, pad, ceil_mode)

    def average_pool(self, name, x, kernel, stride, pad=0):
        return self._pool('AveragePool', name, x, kernel, stride, pad, False)

    def _pool(self, op, name, x, kernel, stride, pad, ceil_mode):
        pads = arithmetic.pads_of(pad)
        sizes = [arithmetic.steps(n + 2 * pad, kernel, stride, 1, ceil_mode) for n in x.shape[2:]]
        pilot = None if x.pilot is None else arithmetic.pool(x.pilot, op == 'MaxPool', kernel, stride, pads, ceil_mode)
        return self._node(op, name, [x], [*x.shape[:2], *sizes], pilot, kernel_shape=[kernel] * 2,
                          strides=[stride] * 2, pads=pads, ceil_mode=int(ceil_mode))

    def global_average_pool(self, name, x):
        pilot = _map(x, lambda a: a.mean((2, 3), keepdims=True))
        return self._node('GlobalAveragePool', name, [x], [*x.shape[:2], 1, 1], pilot)

    def lrn(self, name, x, size=5, alpha=1e-4, beta=0.75, bias=1.0):
        return self._node('LRN', name, [x], x.shape, _map(x, lambda a: arithmetic.lrn(a, size, alpha, beta, bias)), size=size,
                          alpha=alpha, beta=beta, bias=bias)

    def concat(self, name, parts, axis=1):
        shape = list(parts[0].shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        pilots = [part.pilot for part in parts]
        pilot = None if any(p is None for p in pilots) else np.concatenate(pilots, axis)
        return self._node('Concat', name, parts, shape, pilot, axis=axis)

    def upsample(self, name, x, factor=2):
        """Nearest neighbour."""
        scales = self.constant(name + '.scales', np.array([1, 1, factor, factor], np.float32))
        shape = [*x.shape[:2], x.shape[2] * factor, x.shape[3] * factor]
        pilot = _map(x, lambda a: a.repeat(factor, 2).repeat(factor, 3))
        return self._node('Resize', name, [x, None, scales], shape, pilot, mode='nearest',
                          coordinate_transformation_mode='asymmetric', nearest_mode='floor')

    def flatten(self, name, x):
        return self._node('Flatten', name, [x], [x.shape[0], int(np.prod(x.shape[1:]))],
                          _map(x, lambda a: a.reshape(len(a), -1)), axis=1)

    def dropout(self, name, x):
        return self._node('Dropout', name, [x], x.shape, x.pilot)

    def softmax(self, name, x, axis=-1):
        return self._node('Softmax', name, [x], x.shape, axis=axis)

    def reshape(self, name, x, *sizes):
        """`sizes` are those after the batch; at most one may be -1. The pilot ends here."""
        count = int(np.prod(x.shape[1:]))
        known = int(np.prod([n for n in sizes if n != -1]))
        shape = self.constant(name + '.shape', np.array([0, *sizes], np.int64))
        return self._node('Reshape', name, [x, shape],
                          [x.shape[0], *(count // known if n == -1 else n for n in sizes)])

    def transpose(self, name, x, *order):
        return self._node('Transpose', name, [x], [x.shape[i] for i in order], perm=list(order))

    def matmul(self, name, a, b):
        """A matrix product; MACs count all leading dimensions but the batch."""
        rows = int(np.prod(a.shape[1:-1]))
        shape = [*a.shape[:-1], b.shape[-1]]
        self._count(name, 'matmul', shape[1:], rows * a.shape[-1] * b.shape[-1])
        return self._node('MatMul', name, [a, b], shape)

    def op(self, op, name, inputs, shape, **attributes):
        """Any other op; the caller gives the shape. The pilot ends here."""
        return self._node(op, name, inputs, shape, **attributes)

    # The file

    @property
    def parameters(self):
        return sum(int(np.prod(w.dims)) for w in self._weights if w.data_type == TensorProto.FLOAT)

    def model(self):
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, self._weights)
        return helper.make_model(graph, producer_name='dlaexec models', ir_version=7,
                                 opset_imports=[helper.make_opsetid('', OPSET)])

    def save(self, path):
        """Writes the file, or leaves nothing."""
        temporary = f'{path}.{os.getpid()}.new'
        try:
            onnx.save(self.model(), temporary)
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.remove(temporary)

    def summary(self):
        inputs = ', '.join(f'{i.name} ' + 'x'.join(d.dim_param or str(d.dim_value) for d in
                                                   i.type.tensor_type.shape.dim) for i in self._inputs)
        return (f'{self.name}: {len(self._nodes)} nodes, {self.parameters / 1e6:.1f} M parameters, '
                f'{self.macs / 1e9:.2f} GMAC an image; input {inputs}')


def _map(value, function):
    return None if value.pilot is None else function(value.pilot).astype(np.float32)
