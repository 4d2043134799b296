"""The generated networks have the published structure, and stay alive."""
import collections
import csv
import os
import pathlib
import sys
import unittest

import numpy as np
import onnx

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get('DLAEXEC_SHARED', ROOT.parent / 'shared'))
sys.path.insert(0, str(ROOT / 'models'))
import networks  # noqa: E402  (the path comes first)

# GMAC for one image at the published size, and millions of parameters: from the papers and the tables of the
# reference implementations. ResNet-34 backbone: ResNet-34 less its classifier, times 768 * 1280 / 224^2. GoogLeNet:
# the paper says 1.5 and its own table adds up to 1.58. U-Net small is ours: its two figures only hold it in place.
# BERT at 128 tokens; SSD, RetinaNet and YOLOv5s with the class counts of the networks that were measured (YOLOv5s
# 640: 16.5 GFLOP, so 9.1 GMAC at 672). SSD-ResNet-34: MLPerf's 433 GFLOP. RetinaNet on ResNet-34 was published without
# figures: ours hold it in place.
PUBLISHED = {
    'resnet18': (1.81, 11.7),
    'resnet34': (3.66, 21.8),
    'resnet50': (4.09, 25.6),
    'resnet101': (7.80, 44.5),
    'resnext50': (4.23, 25.0),
    'resnet34-backbone': (71.8, 21.3),
    'mobilenet-v1': (0.569, 4.2),
    'mobilenet-v2': (0.30, 3.5),
    'vgg16': (15.47, 138.4),
    'googlenet': (1.58, 7.0),
    'efficientnet-b0': (0.39, 5.3),
    'ssd-mobilenet-v1': (1.24, 6.8),
    'ssd-mobilenet-v1-heads': (1.24, 6.8),
    'ssd-resnet34': (216.5, 20.0),
    'retinanet-resnext50': (201.2, 38.0),
    'retinanet-resnet34': (184.7, 29.4),
    'yolov5s': (9.1, 7.2),
    'unet-small': (3.03, 1.9),
    'vit-b16': (17.58, 86.6),
    'bert-base': (11.17, 109.5),
}


def without_large_weights(model):
    """The same graph with its large weights as inputs: quick to check, and all shapes are still there."""
    light = onnx.ModelProto()
    light.CopyFrom(onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import))
    light.graph.CopyFrom(onnx.GraphProto(name=model.graph.name, node=model.graph.node, input=model.graph.input,
                                         output=model.graph.output))
    for weight in model.graph.initializer:
        if np.prod(weight.dims) < 1000:
            light.graph.initializer.append(weight)
        else:
            light.graph.input.append(onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    return light


class EveryNetwork(unittest.TestCase):
    """Each network is built once and asked everything."""

    def test_is_as_published_and_valid_and_alive(self):
        self.assertEqual(set(PUBLISHED), set(networks.NETWORKS))
        for name, published in PUBLISHED.items():
            network = networks.build(name)
            with self.subTest(name):
                self.check_size(network, *published)
                self.check_shapes(network.model())
                self.check_activations(network.output_pilots[0])

    def check_size(self, network, gmac, parameters):
        self.assertAlmostEqual(network.macs / 1e9 / gmac, 1, delta=0.015)
        self.assertAlmostEqual(network.parameters / 1e6 / parameters, 1, delta=0.03)

    def check_shapes(self, model):
        """The checker accepts the file, and its inference finds the shapes that the file claims."""
        light = without_large_weights(model)
        onnx.checker.check_model(light)
        inferred = onnx.shape_inference.infer_shapes(light, strict_mode=True, data_prop=True)
        found = {value.name: value for value in [*inferred.graph.value_info, *inferred.graph.output]}
        claimed = {output.name: output for output in model.graph.output}
        for name, output in claimed.items():
            dims = [[d.dim_value for d in value.type.tensor_type.shape.dim] for value in (output, found[name])]
            self.assertEqual(*dims)

    def check_activations(self, output):
        """Spread near one; different pictures give different outputs."""
        if output is None:
            return  # layer normalization keeps these alive
        spread = output.std()
        self.assertTrue(0.05 < spread < 20, f'spread {spread}')
        noise, patches = (picture.ravel() - picture.mean() for picture in output)
        likeness = noise @ patches / np.linalg.norm(noise) / np.linalg.norm(patches)
        self.assertLess(likeness, 0.9)


class Structure(unittest.TestCase):
    def test_resnet50_has_the_convolutions_of_the_published_sheet(self):
        sheet = SHARED / 'data/nvdla_perf_model_layers.csv'
        if not sheet.exists():
            self.skipTest('needs ../shared')
        with open(sheet, newline='') as lines:
            rows = [row for row in csv.DictReader(lines) if row['network'] == 'resnet50']
        expected = collections.Counter(
            tuple(int(float(row[key])) for key in ('C', 'K', 'R', 'S')) for row in rows if row['kind'].startswith('conv'))
        # The sheet gives Res2a_branch2a the 256 channels of its later siblings; the pooled input has 64.
        expected[256, 64, 1, 1] -= 1
        expected[64, 64, 1, 1] += 1
        weights = {w.name: list(w.dims) for w in networks.build('resnet50').model().graph.initializer}
        found = collections.Counter((c, k, r, s) for k, c, r, s in
                                    (dims for dims in weights.values() if len(dims) == 4))
        self.assertEqual(found, expected)

    def test_same_arguments_give_the_same_file_and_another_seed_another(self):
        first, again, other = (networks.build('mobilenet-v2', seed=seed).model().SerializeToString(deterministic=True)
                               for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_batch_and_size_are_honoured(self):
        model = networks.build('resnet18', batch=3, size=(96, 160)).model()
        dims = model.graph.input[0].type.tensor_type.shape.dim
        self.assertEqual([d.dim_value for d in dims], [3, 3, 96, 160])
        dims = networks.build('resnet18', batch='N').model().graph.output[0].type.tensor_type.shape.dim
        self.assertEqual((dims[0].dim_param, dims[1].dim_value), ('N', 1000))


if __name__ == '__main__':
    unittest.main()
