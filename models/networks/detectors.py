"""Detectors up to their raw outputs: SSD (MobileNet-v1 300, ResNet-34 1200), RetinaNet (ResNeXt50 800, ResNet-34
768x1280), YOLOv5s-style 672."""
from . import mobilenet, resnet
from .network import Network

# SSD (Liu et al. 2016; Howard et al. 2017), COCO

SSD_CLASSES = 91
SSD_EXTRAS = ((256, 512), (128, 256), (128, 256), (64, 128))  # squeezed, output channels of each extra stage


def _ssd_head(net, name, x, outputs, width):
    y = net.transpose(f'{name}.nhwc', net.conv(name, x, outputs * width, 1, bias=True, gain=1.0), 0, 2, 3, 1)
    return net.reshape(f'{name}.boxes', y, -1, width)


def _ssd_mobilenet_sources(net, size):
    """The tensors that the heads look at."""
    blocks = mobilenet.v1_features(net, net.input('input', 3, *size))
    sources = [blocks[10], blocks[12]]
    for index, (squeezed, channels) in enumerate(SSD_EXTRAS):
        y = mobilenet.conv_bn_relu6(net, f'extras.{index}.0', sources[-1], squeezed, 1)
        sources.append(mobilenet.conv_bn_relu6(net, f'extras.{index}.1', y, channels, 3, 2))
    return sources


def _ssd_mobilenet(name, batch, size, seed):
    net = Network(name, batch, seed)
    boxes, scores = [], []
    for index, x in enumerate(_ssd_mobilenet_sources(net, size)):
        anchors = 3 if index == 0 else 6
        boxes.append(_ssd_head(net, f'box.{index}', x, anchors, 4))
        scores.append(_ssd_head(net, f'class.{index}', x, anchors, SSD_CLASSES))
    net.output(net.concat('boxes_all', boxes, 1), 'boxes')
    net.output(net.sigmoid('scores_sigmoid', net.concat('scores_all', scores, 1)), 'scores')
    return net


def _ssd_mobilenet_heads(name, batch, size, seed):
    """Ends with the heads: one convolution a level for boxes and classes together, as for a DLA."""
    net = Network(name, batch, seed)
    for index, x in enumerate(_ssd_mobilenet_sources(net, size)):
        outputs = (3 if index == 0 else 6) * (4 + SSD_CLASSES)
        net.output(net.conv(f'head.{index}', x, outputs, 1, bias=True, gain=1.0), f'level{index}')
    return net


# SSD-ResNet-34 as MLPerf has it: three stages of ResNet-34, the third without a stride, 81 classes, heads of stride 3

R34_CLASSES, R34_ANCHORS = 81, (4, 6, 6, 6, 4, 4)
R34_EXTRAS = ((256, 512, 2, 1), (256, 512, 2, 1), (128, 256, 2, 1), (128, 256, 2, 0), (128, 256, 1, 0))


def _ssd_resnet34(name, batch, size, seed):
    """`R34_EXTRAS`: squeezed and output channels, stride and padding of each extra stage."""
    net = Network(name, batch, seed)
    sources = [resnet.stages(net, net.input('image', 3, *size), 34, resnet.basic_block, strides=(1, 2, 1))[-1]]
    for index, (squeezed, channels, stride, pad) in enumerate(R34_EXTRAS):
        if not pad:
            sources[-1].pilot = None  # too small by now for what follows
        y = net.relu(f'extras.{index}.relu0', net.conv(f'extras.{index}.conv0', sources[-1], squeezed, 1, bias=True))
        y = net.conv(f'extras.{index}.conv1', y, channels, 3, stride, pad, bias=True)
        sources.append(net.relu(f'extras.{index}.relu1', y))
    for index, (x, anchors) in enumerate(zip(sources, R34_ANCHORS)):
        outputs = anchors * (4 + R34_CLASSES)
        net.output(net.conv(f'head.{index}', x, outputs, 3, 3, bias=True, gain=1.0), f'level{index}')
    return net


# RetinaNet (Lin et al. 2017) on ResNeXt50 32x4d, the 264 classes of OpenImages as MLPerf takes them

RETINA_CLASSES, RETINA_ANCHORS = 264, 9
ROAD_CLASSES = 4  # vehicles, pedestrians, cyclists, signs: what the one on ResNet-34 looks for


def _pyramid(net, c3, c4, c5):
    laterals = [net.conv(f'fpn.inner.{level}', c, 256, 1, bias=True, gain=1.0) for level, c in enumerate((c3, c4, c5), 3)]
    merged = [laterals[2]]
    for level in (4, 3):
        up = net.upsample(f'fpn.upsample.{level}', merged[0])
        merged.insert(0, net.add(f'fpn.add.{level}', laterals[level - 3], up))
    outputs = [net.conv(f'fpn.layer.{level}', x, 256, 3, bias=True, gain=1.0) for level, x in enumerate(merged, 3)]
    outputs.append(net.conv('fpn.p6', outputs[-1], 256, 3, 2, bias=True, gain=1.0))
    outputs.append(net.conv('fpn.p7', net.relu('fpn.relu', outputs[-1]), 256, 3, 2, bias=True))
    return outputs


def _retina_head(net, head, level, x, outputs):
    """One head on one level; all levels share the weights of a head."""
    name = f'{head}.p{level}'
    for index in range(4):
        x = net.conv(f'{name}.conv{index}', x, 256, 3, bias=True, weights=f'{head}.conv{index}')
        x = net.relu(f'{name}.relu{index}', x)
    return net.conv(f'{name}.out', x, outputs, 3, bias=True, gain=1.0, weights=f'{head}.out')


def _retinanet(name, batch, size, seed):
    net = Network(name, batch, seed)
    stages = resnet.stages(net, net.input('input', 3, *size), 50, resnet.bottleneck, groups=32, group_width=4)
    return _retina_heads(net, stages, RETINA_CLASSES)


def _retinanet_resnet34(name, batch, size, seed):
    net = Network(name, batch, seed)
    return _retina_heads(net, resnet.stages(net, net.input('input', 3, *size), 34, resnet.basic_block), ROAD_CLASSES)


def _retina_heads(net, stages, classes):
    for level, x in enumerate(_pyramid(net, *stages[1:]), 3):
        net.output(_retina_head(net, 'class', level, x, RETINA_ANCHORS * classes), f'class_p{level}')
        net.output(_retina_head(net, 'box', level, x, RETINA_ANCHORS * 4), f'box_p{level}')
    return net


# YOLOv5s-style: CSP backbone with SiLU, SPPF, path aggregation, three heads of 3 x (5 + 80) channels


def _cbs(net, name, x, channels, kernel=1, stride=1):
    pad = kernel // 2 if kernel != 6 else 2
    x = net.batch_norm(f'{name}.bn', net.conv(f'{name}.conv', x, channels, kernel, stride, pad))
    return net.silu(f'{name}.act', x)


def _c3(net, name, x, channels, repeats, shortcut=True):
    half = channels // 2
    y = _cbs(net, f'{name}.cv1', x, half)
    for index in range(repeats):
        z = _cbs(net, f'{name}.m.{index}.cv1', y, half)
        z = _cbs(net, f'{name}.m.{index}.cv2', z, half, 3)
        y = net.add(f'{name}.m.{index}.add', y, z) if shortcut else z
    y = net.concat(f'{name}.concat', [y, _cbs(net, f'{name}.cv2', x, half)])
    return _cbs(net, f'{name}.cv3', y, channels)


def _sppf(net, name, x, channels):
    x = _cbs(net, f'{name}.cv1', x, channels // 2)
    parts = [x]
    for index in range(3):
        parts.append(net.max_pool(f'{name}.m.{index}', parts[-1], 5, 1, 2))
    return _cbs(net, f'{name}.cv2', net.concat(f'{name}.concat', parts), channels)


def _yolo(name, batch, size, seed):
    net = Network(name, batch, seed)
    x = _cbs(net, 'model.0', net.input('images', 3, *size), 32, 6, 2)
    kept = []
    for index, (channels, repeats) in enumerate(((64, 1), (128, 2), (256, 3), (512, 1))):
        x = _cbs(net, f'model.{2 * index + 1}', x, channels, 3, 2)
        x = _c3(net, f'model.{2 * index + 2}', x, channels, repeats)
        kept.append(x)
    x = _sppf(net, 'model.9', x, 512)
    top5 = _cbs(net, 'model.10', x, 256)
    x = net.concat('model.12', [net.upsample('model.11', top5), kept[2]])
    x = _c3(net, 'model.13', x, 256, 1, shortcut=False)
    top4 = _cbs(net, 'model.14', x, 128)
    x = net.concat('model.16', [net.upsample('model.15', top4), kept[1]])
    p3 = _c3(net, 'model.17', x, 128, 1, shortcut=False)
    x = net.concat('model.19', [_cbs(net, 'model.18', p3, 128, 3, 2), top4])
    p4 = _c3(net, 'model.20', x, 256, 1, shortcut=False)
    x = net.concat('model.22', [_cbs(net, 'model.21', p4, 256, 3, 2), top5])
    p5 = _c3(net, 'model.23', x, 512, 1, shortcut=False)
    for index, x in enumerate((p3, p4, p5)):
        net.output(net.conv(f'model.24.m.{index}', x, 255, 1, bias=True, gain=1.0), f'output{index}')
    return net


NETWORKS = {
    'ssd-mobilenet-v1': (_ssd_mobilenet, (300, 300)),
    'ssd-mobilenet-v1-heads': (_ssd_mobilenet_heads, (300, 300)),
    'ssd-resnet34': (_ssd_resnet34, (1200, 1200)),
    'retinanet-resnext50': (_retinanet, (800, 800)),
    'retinanet-resnet34': (_retinanet_resnet34, (768, 1280)),
    'yolov5s': (_yolo, (672, 672)),
}
