"""ResNet (He et al. 2015) in the v1.5 form: the stride of a bottleneck sits in its 3x3 convolution."""
from .network import Network

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def _conv_bn(net, name, norm, x, channels, kernel, stride=1, groups=1, scale=1.0):
    x = net.conv(name, x, channels, kernel, stride, groups=groups)
    return net.batch_norm(norm, x, scale)


def _shortcut(net, name, x, channels, stride):
    if stride == 1 and x.channels == channels:
        return x
    return _conv_bn(net, f'{name}.downsample.0', f'{name}.downsample.1', x, channels, 1, stride)


def basic_block(net, name, x, width, stride):
    y = net.relu(f'{name}.relu1', _conv_bn(net, f'{name}.conv1', f'{name}.bn1', x, width, 3, stride))
    y = _conv_bn(net, f'{name}.conv2', f'{name}.bn2', y, width, 3, scale=0.5)
    y = net.add(f'{name}.add', y, _shortcut(net, name, x, width, stride))
    return net.relu(f'{name}.relu2', y)


def bottleneck(net, name, x, width, stride, groups=1, group_width=None):
    """`group_width` channels in each of `groups` groups of the 3x3 convolution (ResNeXt); plain: `width` in one."""
    inner = groups * (group_width * width // 64 if group_width else width)
    y = net.relu(f'{name}.relu1', _conv_bn(net, f'{name}.conv1', f'{name}.bn1', x, inner, 1))
    y = net.relu(f'{name}.relu2', _conv_bn(net, f'{name}.conv2', f'{name}.bn2', y, inner, 3, stride, groups))
    y = _conv_bn(net, f'{name}.conv3', f'{name}.bn3', y, 4 * width, 1, scale=0.5)
    y = net.add(f'{name}.add', y, _shortcut(net, name, x, 4 * width, stride))
    return net.relu(f'{name}.relu3', y)


def stages(net, x, depth, block, strides=(1, 2, 2, 2), **block_options):
    """The outputs of layer1 to layer4, or to as many as `strides` has."""
    x = net.relu('relu', _conv_bn(net, 'conv1', 'bn1', x, 64, 7, 2))
    x = net.max_pool('maxpool', x, 3, 2, 1)
    outputs = []
    for stage, (count, first_stride) in enumerate(zip(BLOCKS[depth], strides)):
        for index in range(count):
            stride = first_stride if index == 0 else 1
            x = block(net, f'layer{stage + 1}.{index}', x, 64 << stage, stride, **block_options)
        outputs.append(x)
    return outputs


def _classifier(depth, block, **block_options):
    def build(name, batch, size, seed):
        net = Network(name, batch, seed)
        x = stages(net, net.input('input', 3, *size), depth, block, **block_options)[-1]
        x = net.flatten('flatten', net.global_average_pool('avgpool', x))
        net.output(net.linear('fc', x, 1000), 'output')
        return net
    return build


def _backbone(name, batch, size, seed):
    net = Network(name, batch, seed)
    net.output(stages(net, net.input('input', 3, *size), 34, basic_block)[-1], 'features')
    return net


NETWORKS = {
    'resnet18': (_classifier(18, basic_block), (224, 224)),
    'resnet34': (_classifier(34, basic_block), (224, 224)),
    'resnet50': (_classifier(50, bottleneck), (224, 224)),
    'resnet101': (_classifier(101, bottleneck), (224, 224)),
    'resnext50': (_classifier(50, bottleneck, groups=32, group_width=4), (224, 224)),
    'resnet34-backbone': (_backbone, (768, 1280)),
}
