"""peer.py MODEL:BATCH...: PyTorch's time for torchvision models in FP16: torch.compile with freezing, channels_last, replay of a
CUDA graph, inputs that rotate. One line each: PEER <model> <batch> <median ms> <minimum ms> <seconds to prepare>."""
import sys
import time

import torch
import torch._inductor.config as inductor
import torchvision.models as models

REPLAYS = 200
WARM_UP_SECONDS = 0.3


def measure(name, batch):
    torch.manual_seed(0)
    model = getattr(models, name)(weights=None).eval().half().cuda().to(memory_format=torch.channels_last)
    inputs = [torch.randn(batch, 3, 224, 224, device="cuda", dtype=torch.half).contiguous(memory_format=torch.channels_last)
              for _ in range(3)]
    begin = time.time()
    compiled = torch.compile(model)
    for _ in range(3):
        compiled(inputs[0])
    torch.cuda.synchronize()
    graphs = []
    for x in inputs:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            compiled(x)
        graphs.append(graph)
    prepared = time.time() - begin
    end = time.time() + WARM_UP_SECONDS
    while time.time() < end:
        graphs[0].replay()
        torch.cuda.synchronize()
    start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    times = []
    for i in range(REPLAYS):
        start.record()
        graphs[i % len(graphs)].replay()
        stop.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(stop))
    times.sort()
    return times[len(times) // 2], times[0], prepared


inductor.freezing = True
for argument in sys.argv[1:]:
    name, batch = argument.split(":")
    with torch.no_grad():
        median, least, seconds = measure(name, int(batch))
    print(f"PEER {name} {batch} {median:.4f} {least:.4f} {seconds:.1f}", flush=True)
    torch._dynamo.reset()
