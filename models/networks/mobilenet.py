"""MobileNet v1 (Howard et al. 2017) and v2 (Sandler et al. 2018), width 1."""
from .network import Network

# v1: output channels and stride of each depthwise-separable block.
V1_BLOCKS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1),
             (512, 1), (1024, 2), (1024, 1))
# v2: expansion, output channels, repeats, stride of the first.
V2_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def conv_bn_relu6(net, name, x, channels, kernel, stride=1, groups=1):
    x = net.batch_norm(f'{name}.bn', net.conv(f'{name}.conv', x, channels, kernel, stride, groups=groups))
    return net.relu6(f'{name}.relu6', x)


def separable(net, name, x, channels, stride):
    x = conv_bn_relu6(net, f'{name}.depthwise', x, x.channels, 3, stride, groups=x.channels)
    return conv_bn_relu6(net, f'{name}.pointwise', x, channels, 1)


def v1_features(net, x):
    """The outputs of all blocks of v1."""
    x = conv_bn_relu6(net, 'features.0', x, 32, 3, 2)
    outputs = []
    for index, (channels, stride) in enumerate(V1_BLOCKS, 1):
        x = separable(net, f'features.{index}', x, channels, stride)
        outputs.append(x)
    return outputs


def inverted_residual(net, name, x, expansion, channels, stride):
    y = x
    if expansion > 1:
        y = conv_bn_relu6(net, f'{name}.expand', y, x.channels * expansion, 1)
    y = conv_bn_relu6(net, f'{name}.depthwise', y, y.channels, 3, stride, groups=y.channels)
    residual = stride == 1 and x.channels == channels
    y = net.conv(f'{name}.project.conv', y, channels, 1, gain=1.0)
    y = net.batch_norm(f'{name}.project.bn', y, scale=0.5 if residual else 1.0)
    return net.add(f'{name}.add', x, y) if residual else y


def _classify(net, x):
    x = net.flatten('flatten', net.global_average_pool('avgpool', x))
    net.output(net.linear('classifier', x, 1000), 'output')
    return net


def _v1(name, batch, size, seed):
    net = Network(name, batch, seed)
    return _classify(net, v1_features(net, net.input('input', 3, *size))[-1])


def _v2(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = conv_bn_relu6(net, 'features.0', net.input('input', 3, *size), 32, 3, 2)
    index = 1
    for expansion, channels, repeats, stride in V2_BLOCKS:
        for repeat in range(repeats):
            x = inverted_residual(net, f'features.{index}', x, expansion, channels, stride if repeat == 0 else 1)
            index += 1
    return _classify(net, conv_bn_relu6(net, f'features.{index}', x, 1280, 1))


NETWORKS = {
    'mobilenet-v1': (_v1, (224, 224)),
    'mobilenet-v2': (_v2, (224, 224)),
}
