"""The networks that can be generated, by name: each is a function (name, batch, size, seed) -> Network and the
published input size (height, width)."""
from . import detectors, efficientnet, googlenet, mobilenet, resnet, transformer, unet, vgg

NETWORKS = {name: row for family in (resnet, mobilenet, vgg, googlenet, efficientnet, detectors, unet, transformer)
            for name, row in family.NETWORKS.items()}


def build(name, batch=1, size=None, seed=1):
    """The network `name`; `size` is (height, width), the published one if None."""
    function, published = NETWORKS[name]
    return function(name, batch, size or published, seed)
