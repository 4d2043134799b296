"""EfficientNet-B0 (Tan and Le 2019): inverted residuals with SiLU and squeeze-and-excitation."""
from .network import Network

# expansion, kernel, stride of the first, output channels, repeats
BLOCKS = ((1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4),
          (6, 3, 1, 320, 1))


def _conv_bn_silu(net, name, x, channels, kernel, stride=1, groups=1):
    x = net.batch_norm(f'{name}.bn', net.conv(f'{name}.conv', x, channels, kernel, stride, groups=groups))
    return net.silu(name, x)


def _squeeze_excite(net, name, x, squeezed):
    y = net.conv(f'{name}.fc1', net.global_average_pool(f'{name}.avgpool', x), squeezed, 1, bias=True)
    y = net.conv(f'{name}.fc2', net.silu(f'{name}.silu', y), x.channels, 1, bias=True, gain=1.0)
    return net.mul(f'{name}.scale', x, net.sigmoid(f'{name}.gate', y))


def _block(net, name, x, expansion, kernel, stride, channels):
    y = x
    if expansion > 1:
        y = _conv_bn_silu(net, f'{name}.expand', y, x.channels * expansion, 1)
    y = _conv_bn_silu(net, f'{name}.depthwise', y, y.channels, kernel, stride, groups=y.channels)
    y = _squeeze_excite(net, f'{name}.se', y, max(1, x.channels // 4))
    residual = stride == 1 and x.channels == channels
    y = net.conv(f'{name}.project.conv', y, channels, 1, gain=1.0)
    y = net.batch_norm(f'{name}.project.bn', y, scale=0.5 if residual else 1.0)
    return net.add(f'{name}.add', x, y) if residual else y


def _b0(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = _conv_bn_silu(net, 'features.0', net.input('input', 3, *size), 32, 3, 2)
    for stage, (expansion, kernel, stride, channels, repeats) in enumerate(BLOCKS, 1):
        for repeat in range(repeats):
            x = _block(net, f'features.{stage}.{repeat}', x, expansion, kernel, stride if repeat == 0 else 1, channels)
    x = _conv_bn_silu(net, 'features.8', x, 1280, 1)
    x = net.flatten('flatten', net.global_average_pool('avgpool', x))
    net.output(net.linear('classifier', x, 1000), 'output')
    return net


NETWORKS = {'efficientnet-b0': (_b0, (224, 224))}
