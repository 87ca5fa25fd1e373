"""`corrupt`: gather, scaling, addressed noise and M copies in one pass."""

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, rooms


def corrupt(
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    dtype: torch.dtype | None = None,
    backend: str = "auto",
) -> Tensor:
    """M corrupted copies x~ ~ c(x~ | x) of a batch [N, ...], as [copies, N, ...].

    x is uint8 (value / 255) or floating; `index` [N] gathers rows of x first; the noise of row i is that of row_offset
    + i, so that pieces of a batch equal the whole. The result has `dtype`: float32 for uint8, else the dtype of x, by
    default. Corruption None copies; Patches and Shuffling are of images, x [N, ..., H, W]. Differentiable in x, to any
    order. Raises TypeError or ValueError for arguments that do not fit, IndexError for an index outside x (on a device,
    which is not waited for, such a row becomes NaN), RuntimeError for a named backend that cannot run. Source: Creswell
    and Bharath 2018, Algorithms 1 and 2 (line 3 of each).
    """
    index, draw = checks.as_batch(x, corruption, noise, index, copies, row_offset, site)
    room = rooms.choose("corrupt", backend, "corruption", x, draw)
    if room is None:
        return reference.corrupt(x, corruption, noise, index=index, dtype=dtype, **draw.address)
    dtype = dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
    x_tilde = room.corruption.corrupt(x.flatten(1), index, noise.state, draw, dtype)
    return x_tilde if x.dim() == 2 else x_tilde.reshape(draw.copies, x_tilde.shape[1], *x.shape[1:])
