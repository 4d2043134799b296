"""The committed digit network reads real and rendered digits."""
import os
import pathlib
import sys
import unittest

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get('DLAEXEC_SHARED', ROOT.parent / 'shared'))
DIGITS = ROOT / 'models/digits'
sys.path[:0] = [str(ROOT / 'models'), str(DIGITS)]
import idx  # noqa: E402  (the paths come first)
import model  # noqa: E402
import render  # noqa: E402
from networks import arithmetic  # noqa: E402

CALIBRATION = 100  # rendered digits at the front that calibrate; the rest judge


def classify(pictures):
    """The digit that the committed network reads in each picture."""
    weights = model.weights_of(DIGITS / 'digits.onnx')
    answers = []
    for first in range(0, len(pictures), 100):
        x = pictures[first:first + 100, None].astype(np.float32) / 255
        for name, _, _, pad, pooled in model.LAYERS:
            kernels, bias = weights[name]
            x = arithmetic.convolve(x, kernels, 1, [pad] * 4, 1, 1) + arithmetic.channel(bias)
            if pooled:
                x = arithmetic.pool(np.maximum(x, 0), True, 2, 2, [0] * 4, False)
        answers.append(x.reshape(len(x), -1).argmax(1))
    return np.concatenate(answers)


class Digits(unittest.TestCase):
    def assert_reads(self, pictures, labels, least):
        right = (classify(pictures) == labels).mean()
        self.assertGreaterEqual(right, least, f'{100 * right:.2f} % right')

    def test_reads_rendered_digits(self):
        pictures = idx.read(DIGITS / 'rendered-images-idx3-ubyte')
        labels = idx.read(DIGITS / 'rendered-labels-idx1-ubyte')
        self.assertEqual(pictures.shape, (CALIBRATION + 1000, 28, 28))
        self.assert_reads(pictures[CALIBRATION:], labels[CALIBRATION:], 0.99)

    def test_reads_digits_rendered_afresh(self):
        self.assert_reads(*render.render_many(200, seed=99), 0.98)

    def test_reads_real_digits(self):
        folder = SHARED / 'data/images/mnist'
        if not folder.exists():
            self.skipTest('needs ../shared')
        pictures = idx.read(folder / 't10k-0-1999-images-idx3-ubyte')
        self.assert_reads(pictures, idx.read(folder / 't10k-0-1999-labels-idx1-ubyte'), 0.99)

    def test_file_is_the_model_that_the_training_script_writes_and_small(self):
        path = DIGITS / 'digits.onnx'
        self.assertLess(path.stat().st_size, 1e6)
        found = model.onnx.load(str(path))
        self.assertEqual([node.op_type for node in found.graph.node], ['Conv', 'Relu', 'MaxPool'] * 3 + ['Conv'])


if __name__ == '__main__':
    unittest.main()
