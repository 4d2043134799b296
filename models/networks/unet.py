"""A small U-Net (Ronneberger et al. 2015): four levels from 16 channels, padded convolutions with normalization."""
from .network import Network

WIDTHS = (16, 32, 64, 128)
BOTTOM = 256
CLASSES = 2


def _double_conv(net, name, x, channels):
    for index in (1, 2):
        x = net.batch_norm(f'{name}.bn{index}', net.conv(f'{name}.conv{index}', x, channels, 3))
        x = net.relu(f'{name}.relu{index}', x)
    return x


def _unet(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = net.input('input', 3, *size)
    kept = []
    for level, channels in enumerate(WIDTHS):
        kept.append(_double_conv(net, f'down{level}', x, channels))
        x = net.max_pool(f'pool{level}', kept[-1], 2, 2)
    x = _double_conv(net, 'bottom', x, BOTTOM)
    for level in reversed(range(len(WIDTHS))):
        x = net.deconv(f'up{level}', x, WIDTHS[level])
        x = _double_conv(net, f'merge{level}', net.concat(f'concat{level}', [kept[level], x]), WIDTHS[level])
    net.output(net.conv('classes', x, CLASSES, 1, bias=True, gain=1.0), 'output')
    return net


NETWORKS = {'unet-small': (_unet, (256, 256))}
