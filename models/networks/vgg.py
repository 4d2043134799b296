"""VGG-16 (Simonyan and Zisserman 2014), configuration D, without normalization."""
from .network import Network

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def _vgg16(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = net.input('input', 3, *size)
    for stage, widths in enumerate(STAGES, 1):
        for index, channels in enumerate(widths, 1):
            x = net.conv(f'conv{stage}_{index}', x, channels, 3, bias=True)
            x = net.relu(f'relu{stage}_{index}', x)
        x = net.max_pool(f'pool{stage}', x, 2, 2)
    x = net.flatten('flatten', x)
    for index in (6, 7):
        x = net.relu(f'relu{index}', net.linear(f'fc{index}', x, 4096, gain=2.0))
        x = net.dropout(f'drop{index}', x)
    net.output(net.linear('fc8', x, 1000), 'output')
    return net


NETWORKS = {'vgg16': (_vgg16, (224, 224))}
