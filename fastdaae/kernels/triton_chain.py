"""The chain on a GPU: blocks of rows, each the replay of one captured CUDA graph.

A block's chain is a few short kernels a step, so that starting them would cost as much as running them. The first block
runs eagerly and so compiles and warms up what the second one captures; rows are numbered from a number in device
memory, which is set before each replay.

Decoder end, corruption and encoder start stay two kernels, with x~ between them in the L2 cache (12 MiB for 8192 rows
of 784 in bfloat16). In one kernel, the encoder's 1000 sums for a block of rows stay in registers while the columns of
x~ go by. 64 rows x 1024 float32 are 256 KiB, the whole register file: compiled for sm_90, 688 spills. 32 rows fit, 16
columns at a time (230 registers, 33 KiB of shared memory, no spills on sm_80, sm_90 and sm_100), but each block of 32
rows reads both weights, 3 MiB in bfloat16, for 0.1 GFLOP: 8192 rows would read 0.8 GB from L2, about 0.15 ms at 5.5
TB/s, where the two products take 0.05 ms.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae.kernels.memory import zeros
from fastdaae.kernels.triton_configs import on_device

_FEWEST_BLOCKS = 4  # a capture waits for the device and costs some milliseconds


def worthwhile(z: Tensor, rows: int) -> bool:
    """Whether chains from z [N, Z] in blocks of `rows` should be replayed from a captured graph, and can be."""
    return z.is_cuda and len(z) >= _FEWEST_BLOCKS * rows and not torch.cuda.is_current_stream_capturing()


def replayed(run: Callable[[Tensor, Tensor], Tensor], z: Tensor, rows: int) -> Tensor:
    """run(z, first row) over blocks of `rows` rows of z [N, Z], one capture for all full blocks: [kept, N, ...].

    `run` must do the same device work for every block, given the block's z and the int64 [1] number of its first row.
    """
    with on_device(z.device):
        block, first_row = z[:rows].clone(), zeros(1, dtype=torch.int64, device=z.device)
        eager = run(block, first_row)
        out = eager.new_empty((eager.shape[0], len(z), *eager.shape[2:]))
        out[:, :rows] = eager
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            kept = run(block, first_row)
        full = len(z) // rows * rows
        for start in range(rows, full, rows):
            block.copy_(z[start : start + rows])
            first_row.fill_(start)
            graph.replay()
            out[:, start : start + rows] = kept
        if full < len(z):
            first_row.fill_(full)
            out[:, full:] = run(z[full:].clone(), first_row)
    return out
