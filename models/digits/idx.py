"""IDX files, as MNIST is kept in."""
import gzip
import pathlib
import struct

import numpy as np


def read(path):
    """The bytes of an IDX file as an array; a name ending in .gz is unpacked."""
    data = pathlib.Path(path).read_bytes()
    if str(path).endswith('.gz'):
        data = gzip.decompress(data)
    zero, kind, rank = struct.unpack_from('>HBB', data)
    if zero != 0 or kind != 8:
        raise ValueError(f"'{path}' is no IDX file of bytes")
    dims = struct.unpack_from('>' + 'I' * rank, data, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(dims)


def write(path, array):
    header = struct.pack('>HBB' + 'I' * array.ndim, 0, 8, array.ndim, *array.shape)
    pathlib.Path(path).write_bytes(header + array.tobytes())
