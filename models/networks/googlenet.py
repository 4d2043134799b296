"""GoogLeNet (Szegedy et al. 2014) as first released: 5x5 branches, LRN, no normalization, no auxiliary heads."""
from .network import Network

# name: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection
INCEPTIONS = {
    '3a': (64, 96, 128, 16, 32, 32), '3b': (128, 128, 192, 32, 96, 64),
    '4a': (192, 96, 208, 16, 48, 64), '4b': (160, 112, 224, 24, 64, 64), '4c': (128, 128, 256, 24, 64, 64),
    '4d': (112, 144, 288, 32, 64, 64), '4e': (256, 160, 320, 32, 128, 128),
    '5a': (256, 160, 320, 32, 128, 128), '5b': (384, 192, 384, 48, 128, 128),
}


def _conv_relu(net, name, x, channels, kernel, stride=1):
    return net.relu(f'{name}.relu', net.conv(name, x, channels, kernel, stride, bias=True))


def _inception(net, name, x, widths):
    one, three_reduce, three, five_reduce, five, pool = widths
    branches = [
        _conv_relu(net, f'{name}.1x1', x, one, 1),
        _conv_relu(net, f'{name}.3x3', _conv_relu(net, f'{name}.3x3_reduce', x, three_reduce, 1), three, 3),
        _conv_relu(net, f'{name}.5x5', _conv_relu(net, f'{name}.5x5_reduce', x, five_reduce, 1), five, 5),
        _conv_relu(net, f'{name}.pool_proj', net.max_pool(f'{name}.pool', x, 3, 1, 1), pool, 1),
    ]
    return net.concat(f'{name}.output', branches)


def _googlenet(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = _conv_relu(net, 'conv1', net.input('input', 3, *size), 64, 7, 2)
    x = net.lrn('norm1', net.max_pool('pool1', x, 3, 2, ceil_mode=True))
    x = _conv_relu(net, 'conv2', _conv_relu(net, 'conv2_reduce', x, 64, 1), 192, 3)
    x = net.max_pool('pool2', net.lrn('norm2', x), 3, 2, ceil_mode=True)
    for index, widths in INCEPTIONS.items():
        x = _inception(net, f'inception_{index}', x, widths)
        if index in ('3b', '4e'):
            x = net.max_pool(f'pool{index[0]}', x, 3, 2, ceil_mode=True)
    x = net.dropout('dropout', net.flatten('flatten', net.global_average_pool('avgpool', x)))
    net.output(net.linear('fc', x, 1000), 'output')
    return net


NETWORKS = {'googlenet': (_googlenet, (224, 224))}
