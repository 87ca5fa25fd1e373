"""Addressed draws as tensors."""

import torch
from torch import Tensor

from fastdaae import noise as addressed
from fastdaae.noise import Noise, Site


def normal(
    n: int, columns: int, noise: Noise, *, copies: int = 1, row_offset: int = 0, site: int = Site.DRAWS
) -> Tensor:
    return addressed.normal(noise, n, columns, copies=copies, row_offset=row_offset, site=site).to(torch.float32)


def uniform(
    n: int, columns: int, noise: Noise, *, copies: int = 1, row_offset: int = 0, site: int = Site.DRAWS
) -> Tensor:
    return addressed.uniform(noise, n, columns, copies=copies, row_offset=row_offset, site=site)
