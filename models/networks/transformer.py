"""Transformer encoders: ViT-B/16 (Dosovitskiy et al. 2020) and BERT-base (Devlin et al. 2018), ops as exporters of
opset 13 write them."""
import numpy as np
from onnx import TensorProto

from .network import Network

WIDTH, HEADS, BLOCKS, HIDDEN = 768, 12, 12, 3072
PATCH = 16
VOCABULARY, POSITIONS, SEGMENTS = 30522, 512, 2


def _scalar(net, name, value):
    return net.constant(name, np.float32(value))


def _layer_norm(net, name, x, epsilon):
    """Layer normalization over the last axis, in parts."""
    reduced = [*x.shape[:-1], 1]
    mean = net.op('ReduceMean', f'{name}.mean', [x], reduced, axes=[-1], keepdims=1)
    centred = net.sub(f'{name}.sub', x, mean)
    square = net.op('Pow', f'{name}.pow', [centred, _scalar(net, f'{name}.two', 2)], x.shape)
    variance = net.op('ReduceMean', f'{name}.variance', [square], reduced, axes=[-1], keepdims=1)
    spread = net.op('Sqrt', f'{name}.sqrt', [net.add(f'{name}.add', variance, _scalar(net, f'{name}.epsilon', epsilon))],
                    reduced)
    gain = net.constant(f'{name}.weight', 1 + net.normal((x.shape[-1],), 0.1))
    shift = net.constant(f'{name}.bias', net.normal((x.shape[-1],), 0.1))
    return net.add(f'{name}.shift', net.mul(f'{name}.scale', net.div(f'{name}.div', centred, spread), gain), shift)


def _dense(net, name, x, features, gain=1.0):
    weight = net.constant(f'{name}.weight', net.normal((x.shape[-1], features), np.sqrt(gain / x.shape[-1])))
    bias = net.constant(f'{name}.bias', net.normal((features,), 0.02))
    return net.add(f'{name}.add', net.matmul(name, x, weight), bias)


def _gelu(net, name, x):
    y = net.div(f'{name}.div', x, _scalar(net, f'{name}.root2', np.sqrt(2)))
    y = net.add(f'{name}.add', net.op('Erf', f'{name}.erf', [y], x.shape), _scalar(net, f'{name}.one', 1))
    return net.mul(f'{name}.half', net.mul(f'{name}.mul', x, y), _scalar(net, f'{name}.point5', 0.5))


def _split_heads(net, name, x, order):
    y = net.reshape(f'{name}.heads', x, x.shape[1], HEADS, WIDTH // HEADS)
    return net.transpose(f'{name}.transpose', y, *order)


def _attention(net, name, x, mask=None):
    query = _split_heads(net, f'{name}.q', _dense(net, f'{name}.query', x, WIDTH), (0, 2, 1, 3))
    key = _split_heads(net, f'{name}.k', _dense(net, f'{name}.key', x, WIDTH), (0, 2, 3, 1))
    value = _split_heads(net, f'{name}.v', _dense(net, f'{name}.value', x, WIDTH), (0, 2, 1, 3))
    scores = net.matmul(f'{name}.scores', query, key)
    scores = net.div(f'{name}.scale', scores, _scalar(net, f'{name}.root', np.sqrt(WIDTH // HEADS)))
    if mask:
        scores = net.add(f'{name}.mask', scores, mask)
    context = net.matmul(f'{name}.context', net.softmax(f'{name}.softmax', scores), value)
    context = net.reshape(f'{name}.merge', net.transpose(f'{name}.back', context, 0, 2, 1, 3), x.shape[1], WIDTH)
    return _dense(net, f'{name}.output', context, WIDTH)


def _feed_forward(net, name, x):
    return _dense(net, f'{name}.output', _gelu(net, f'{name}.gelu', _dense(net, f'{name}.intermediate', x, HIDDEN)), WIDTH)


def _class_token(net, x):
    """[batch, 1, WIDTH]: the learned token, repeated for each picture."""
    token = net.constant('class_token', net.normal((1, 1, WIDTH), 0.02))
    if isinstance(net.batch, int):
        shape = net.constant('class_token.shape', np.array([net.batch, 1, WIDTH], np.int64))
    else:
        sizes = net.op('Shape', 'class_token.shape_of', [x], [3])
        first = net.op('Gather', 'class_token.batch', [sizes, net.constant('class_token.zero', np.array([0]))], [1])
        rest = net.constant('class_token.rest', np.array([1, WIDTH], np.int64))
        shape = net.concat('class_token.shape', [first, rest], 0)
    return net.op('Expand', 'class_token.expand', [token, shape], [net.batch, 1, WIDTH])


def _first_token(net, name, x):
    index = net.constant(f'{name}.index', np.int64(0))
    return net.op('Gather', name, [x, index], [x.shape[0], WIDTH], axis=1)


def _vit(name, batch, size, seed):
    net = Network(name, batch, seed, pilot_size=None)
    x = net.conv('patches', net.input('input', 3, *size), WIDTH, PATCH, PATCH, pad=0, bias=True, gain=1.0)
    x = net.transpose('patches.transpose', net.reshape('patches.flatten', x, WIDTH, x.shape[2] * x.shape[3]), 0, 2, 1)
    x = net.concat('tokens', [_class_token(net, x), x], 1)
    x = net.add('positions.add', x, net.constant('positions', net.normal((1, x.shape[1], WIDTH), 0.02)))
    for index in range(BLOCKS):
        block = f'encoder.{index}'
        y = _attention(net, f'{block}.attention', _layer_norm(net, f'{block}.norm1', x, 1e-6))
        x = net.add(f'{block}.add1', x, y)
        y = _feed_forward(net, f'{block}.mlp', _layer_norm(net, f'{block}.norm2', x, 1e-6))
        x = net.add(f'{block}.add2', x, y)
    x = _first_token(net, 'class', _layer_norm(net, 'norm', x, 1e-6))
    net.output(net.linear('head', x, 1000), 'output')
    return net


def _embedding(net, name, ids, count, std=0.05):
    table = net.constant(f'{name}.weight', net.normal((count, WIDTH), std))
    return net.op('Gather', name, [table, ids], [*ids.shape, WIDTH])


def _attention_mask(net, mask):
    """[batch, 1, 1, tokens]: 0 where a token counts, -10000 where it does not."""
    axes = net.constant('mask.axes', np.array([1, 2], np.int64))
    shape = [mask.shape[0], 1, 1, mask.shape[1]]
    y = net.op('Unsqueeze', 'mask.unsqueeze', [mask, axes], shape)
    y = net.op('Cast', 'mask.cast', [y], shape, to=TensorProto.FLOAT)
    y = net.sub('mask.invert', _scalar(net, 'mask.one', 1), y)
    return net.mul('mask.scale', y, _scalar(net, 'mask.low', -10000))


def _bert(name, batch, size, seed):
    net = Network(name, batch, seed, pilot_size=None)
    tokens = size[0]
    ids, mask, segments = (net.input(part, tokens, kind=TensorProto.INT64)
                           for part in ('input_ids', 'attention_mask', 'token_type_ids'))
    x = net.add('embeddings.add1', _embedding(net, 'embeddings.word', ids, VOCABULARY),
                _embedding(net, 'embeddings.segment', segments, SEGMENTS))
    positions = net.constant('embeddings.positions', net.normal((POSITIONS, WIDTH), 0.05)[None, :tokens])
    x = _layer_norm(net, 'embeddings.norm', net.add('embeddings.add2', x, positions), 1e-12)
    mask = _attention_mask(net, mask)
    for index in range(BLOCKS):
        layer = f'encoder.{index}'
        y = _attention(net, f'{layer}.attention', x, mask)
        x = _layer_norm(net, f'{layer}.norm1', net.add(f'{layer}.add1', x, y), 1e-12)
        y = _feed_forward(net, f'{layer}.mlp', x)
        x = _layer_norm(net, f'{layer}.norm2', net.add(f'{layer}.add2', x, y), 1e-12)
    net.output(x, 'last_hidden_state')
    pooled = net.linear('pooler', _first_token(net, 'pooler.first', x), WIDTH)
    net.output(net.op('Tanh', 'pooler.tanh', [pooled], pooled.shape), 'pooler_output')
    return net


NETWORKS = {
    'vit-b16': (_vit, (224, 224)),
    'bert-base': (_bert, (128, 128)),  # size: tokens
}
