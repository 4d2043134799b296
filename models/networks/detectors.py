"""Detectors up to their raw outputs: SSD-MobileNet-v1 300, RetinaNet-ResNeXt50 800, YOLOv5s-style 672."""
from . import mobilenet, resnet
from .network import Network

# SSD (Liu et al. 2016; Howard et al. 2017), COCO

SSD_CLASSES = 91
SSD_EXTRAS = ((256, 512), (128, 256), (128, 256), (64, 128))  # squeezed, output channels of each extra stage


def _ssd_head(net, name, x, outputs, width):
    y = net.transpose(f'{name}.nhwc', net.conv(name, x, outputs * width, 1, bias=True, gain=1.0), 0, 2, 3, 1)
    return net.reshape(f'{name}.boxes', y, -1, width)


def _ssd_mobilenet(name, batch, size, seed):
    net = Network(name, batch, seed)
    blocks = mobilenet.v1_features(net, net.input('input', 3, *size))
    sources = [blocks[10], blocks[12]]
    for index, (squeezed, channels) in enumerate(SSD_EXTRAS):
        y = mobilenet.conv_bn_relu6(net, f'extras.{index}.0', sources[-1], squeezed, 1)
        sources.append(mobilenet.conv_bn_relu6(net, f'extras.{index}.1', y, channels, 3, 2))
    boxes, scores = [], []
    for index, x in enumerate(sources):
        anchors = 3 if index == 0 else 6
        boxes.append(_ssd_head(net, f'box.{index}', x, anchors, 4))
        scores.append(_ssd_head(net, f'class.{index}', x, anchors, SSD_CLASSES))
    net.output(net.concat('boxes_all', boxes, 1), 'boxes')
    net.output(net.sigmoid('scores_sigmoid', net.concat('scores_all', scores, 1)), 'scores')
    return net


# RetinaNet (Lin et al. 2017) on ResNeXt50 32x4d, the 264 classes of OpenImages as MLPerf takes them

RETINA_CLASSES, RETINA_ANCHORS = 264, 9


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
    for level, x in enumerate(_pyramid(net, *stages[1:]), 3):
        net.output(_retina_head(net, 'class', level, x, RETINA_ANCHORS * RETINA_CLASSES), f'class_p{level}')
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
    'retinanet-resnext50': (_retinanet, (800, 800)),
    'yolov5s': (_yolo, (672, 672)),
}
