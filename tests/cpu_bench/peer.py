"""peer.py MODEL.onnx FOLDER THREADS: ONNX Runtime's CPU provider on one network, dimensions that are open being 1.

Makes random inputs (FOLDER/input<i>.bin), writes its outputs (FOLDER/theirs<i>.bin), then answers as bench_cpu does.
"""
import sys
import time

import numpy
import onnxruntime

TYPES = {'tensor(float)': numpy.float32, 'tensor(uint8)': numpy.uint8, 'tensor(int64)': numpy.int64,
         'tensor(int32)': numpy.int32, 'tensor(bool)': numpy.bool_}


def memory(field):
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def random_input(facts, generator):
    shape = [size if isinstance(size, int) else 1 for size in facts.shape]
    kind = TYPES[facts.type]
    if kind == numpy.float32:
        return generator.uniform(-1, 1, shape).astype(kind)
    return generator.integers(0, 2, shape).astype(kind)  # indices and masks that every network takes


def main():
    model, folder, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    before = memory('VmRSS:')  # Python and the library itself are not the engine's
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])
    generator = numpy.random.default_rng(1)
    feed = {facts.name: random_input(facts, generator) for facts in session.get_inputs()}
    for index, array in enumerate(feed.values()):
        array.tofile(f'{folder}/input{index}.bin')
    for index, array in enumerate(session.run(None, feed)):
        array.tofile(f'{folder}/theirs{index}.bin')
    print('ready', flush=True)
    for line in sys.stdin:
        if line.strip() == 'memory':
            print(memory('VmHWM:') - before, flush=True)
            continue
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            session.run(None, feed)
            times.append((time.perf_counter() - start) * 1e3)
        print(*times, flush=True)


main()
