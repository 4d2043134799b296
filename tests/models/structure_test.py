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

# GMAC for one image at the published size, and millions of parameters. Sources: the papers and the tables of the
# reference implementations. MobileNet-v1 569 M, MobileNet-v2 300 M; ResNet-34 backbone: 3.66 less the classifier,
# times 768 * 1280 / 224^2.
PUBLISHED = {
    'resnet18': (1.81, 11.7),
    'resnet34': (3.66, 21.8),
    'resnet50': (4.09, 25.6),
    'resnet34-backbone': (71.8, 21.3),
    'mobilenet-v1': (0.569, 4.2),
    'mobilenet-v2': (0.30, 3.5),
}


class Structure(unittest.TestCase):
    def test_macs_and_parameters_are_as_published(self):
        self.assertEqual(set(PUBLISHED), set(networks.NETWORKS))
        for name, (gmac, parameters) in PUBLISHED.items():
            with self.subTest(name):
                network = networks.build(name)
                self.assertAlmostEqual(network.macs / 1e9 / gmac, 1, delta=0.015)
                self.assertAlmostEqual(network.parameters / 1e6 / parameters, 1, delta=0.03)

    def test_the_checker_accepts_the_file_and_infers_the_same_shapes(self):
        for name in networks.NETWORKS:
            with self.subTest(name):
                model = networks.build(name).model()
                onnx.checker.check_model(model)
                inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
                said = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in model.graph.output]
                found = [[d.dim_value for d in o.type.tensor_type.shape.dim] for o in inferred.graph.output]
                self.assertEqual(said, found)

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


class Activations(unittest.TestCase):
    def test_spread_stays_near_one_and_different_pictures_give_different_outputs(self):
        for name in networks.NETWORKS:
            with self.subTest(name):
                output = networks.build(name).last_pilot
                if output is None:
                    continue  # layer normalization keeps these alive
                spread = output.std()
                self.assertTrue(0.05 < spread < 20, f'spread {spread}')
                noise, patches = (picture.ravel() - picture.mean() for picture in output)
                likeness = noise @ patches / np.linalg.norm(noise) / np.linalg.norm(patches)
                self.assertLess(likeness, 0.9)


if __name__ == '__main__':
    unittest.main()
