"""The digit network: three convolutions with pooling, and one over all that is left. It all fits a DLA core.

Input `image` [1,1,28,28], bytes / 255, ink is bright; output `scores` [1,10,1,1], the largest wins.
"""
import onnx
from onnx import TensorProto, helper, numpy_helper

# name, kernels, kernel side, padding, ReLU and 2x2 max pooling behind it
LAYERS = (('conv1', 16, 5, 2, True), ('conv2', 32, 5, 2, True), ('conv3', 64, 3, 1, True), ('scores', 10, 3, 0, False))


def to_onnx(weights):
    """The ONNX model of `weights`: {layer: (kernels, bias)}."""
    nodes, initializers, value = [], [], 'image'
    for name, _, side, pad, pooled in LAYERS:
        for part, array in zip(('weight', 'bias'), weights[name]):
            initializers.append(numpy_helper.from_array(array, f'{name}.{part}'))
        out = name + '_out' if pooled else name
        nodes.append(helper.make_node('Conv', [value, f'{name}.weight', f'{name}.bias'], [out], name=name,
                                      kernel_shape=[side] * 2, pads=[pad] * 4, strides=[1, 1]))
        value = out
        if pooled:
            relu, pool = name.replace('conv', 'relu'), name.replace('conv', 'pool')
            nodes.append(helper.make_node('Relu', [value], [relu + '_out'], name=relu))
            nodes.append(helper.make_node('MaxPool', [relu + '_out'], [pool + '_out'], name=pool, kernel_shape=[2, 2],
                                          strides=[2, 2]))
            value = pool + '_out'
    graph = helper.make_graph(nodes, 'digits',
                              [helper.make_tensor_value_info('image', TensorProto.FLOAT, [1, 1, 28, 28])],
                              [helper.make_tensor_value_info('scores', TensorProto.FLOAT, [1, 10, 1, 1])],
                              initializers)
    model = helper.make_model(graph, producer_name='dlaexec models', ir_version=7,
                              opset_imports=[helper.make_opsetid('', 13)])
    onnx.checker.check_model(model)
    return model


def weights_of(path):
    """The weights in an ONNX file that to_onnx() made."""
    arrays = {w.name: numpy_helper.to_array(w) for w in onnx.load(str(path)).graph.initializer}
    return {name: (arrays[name + '.weight'], arrays[name + '.bias']) for name, *_ in LAYERS}
