"""Addressed noise: every random number of the library is a pure function of where it is used.

Philox 4x32-10 (Salmon et al. 2011) with key = the 64-bit seed and counter = (column // 4, row, copy | site << 16,
step); column j reads word j % 4. Words (0, 1) and (2, 3) make two normals each by Box-Muller. Batches, chunks, ranks
and threads therefore never change a draw: whole equals pieces. The plain PyTorch below defines the integers and the
normals that every backend must produce.
"""

import math

import torch
from torch import Tensor

from fastdaae.arguments import whole

MASK = 0xFFFFFFFF
ROWS = 1 << 32  # what the counter's word for the row can tell apart
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


class Site:
    """Constants of the call sites: one each, so that one seed never repeats another site's noise."""

    RECONSTRUCTION = 0
    MATCHING = 1
    PRIOR = 2
    CHAIN = 3
    EVALUATION = 4
    INITIAL = 5
    VALIDATION = 6
    DRAWS = 7
    POSTERIOR = 8
    BOUND = 9
    TOP_DOWN = 10
    VARIANT = 11


class Noise:
    """The address of a run's random numbers: a 64-bit seed and a training step, held as int64 [3] on the device.

    `state` is (seed low, seed high, step). Operators read it and never change it, so that equal calls give equal
    results; `advance` is the only mutation. Raises ValueError for a seed outside 0..2^64-1 or a step outside 0..2^32-1,
    TypeError for what is no whole number.
    """

    def __init__(self, seed: int = 0, *, step: int = 0, device: torch.device | str = "cpu"):
        seed, step = whole("seed", seed), whole("step", step)
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"seed must be in 0..2^64-1, got {seed}")
        if not 0 <= step <= MASK:
            raise ValueError(f"step must be in 0..2^32-1, got {step}")
        self.state = torch.tensor([seed & MASK, seed >> 32, step], dtype=torch.int64, device=device)

    @property
    def seed(self) -> int:
        """The 64-bit seed (waits for the device)."""
        low, high, _ = self.state.tolist()
        return low | high << 32

    @property
    def step(self) -> int:
        """The training step (waits for the device)."""
        return int(self.state[2])

    @property
    def device(self) -> torch.device:
        """Where the state lives, and so where priors make their draws."""
        return self.state.device

    def advance(self, steps: int = 1) -> None:
        """Move to the noise of a later step, in place; captured graphs see the change."""
        self.state[2].add_(whole("steps", steps)).bitwise_and_(MASK)

    def ahead(self, steps: int) -> "Noise":
        """The noise `steps` steps later, as a new object: chain step t reads `noise.ahead(t)`."""
        other = object.__new__(Noise)
        other.state = self.state.clone()
        other.advance(steps)
        return other

    def to(self, device: torch.device | str) -> "Noise":
        """The same noise with its state on `device`."""
        other = object.__new__(Noise)
        other.state = self.state.to(device)
        return other

    def __repr__(self) -> str:
        return f"Noise(seed={self.seed}, step={self.step}, device='{self.device}')"


def philox4x32(counter: tuple[Tensor, ...], key: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Ten rounds of Philox 4x32 on int64 tensors of 32-bit words: four counters and two keys in, four words out."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        # the product wraps modulo 2^64, which keeps all the bits that are read
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c2 = ((p1 >> 32) & MASK) ^ c1 ^ k0, ((p0 >> 32) & MASK) ^ c3 ^ k1
        c1, c3 = p1 & MASK, p0 & MASK
        k0, k1 = (k0 + _KEY_STEPS[0]) & MASK, (k1 + _KEY_STEPS[1]) & MASK
    return c0, c1, c2, c3


def require_rows(row_offset: int, rows: int) -> None:
    """Raises ValueError where rows from row_offset would leave the counter, and so repeat the noise of the first."""
    if row_offset < 0:
        raise ValueError(f"row_offset must be >= 0, got {row_offset}")
    # a traced number of rows stays free
    if row_offset + (0 if torch.compiler.is_compiling() else rows) > ROWS:
        raise ValueError(
            f"row_offset must be at most 2^32 - rows = {ROWS - rows}, got {row_offset}; rows 2^32 apart would share "
            "their noise: use another seed or site"
        )


def words(noise: Noise, rows: int, columns: int, *, copies: int = 1, row_offset: int = 0, site: int = 0) -> Tensor:
    """The 32-bit words at an address range, int64 [copies, rows, columns] with values in 0..2^32-1.

    Raises ValueError for rows beyond the counter's 2^32.
    """
    copies, row_offset, site = whole("copies", copies), whole("row_offset", row_offset), whole("site", site)
    require_rows(row_offset, rows)
    state = noise.state
    quads = (columns + 3) // 4
    quad = torch.arange(quads, dtype=torch.int64, device=state.device)
    row = torch.arange(rows, dtype=torch.int64, device=state.device) + row_offset
    copy = torch.arange(copies, dtype=torch.int64, device=state.device) | site << 16
    counter = (quad[None, None, :], row[None, :, None], copy[:, None, None], state[2])
    mixed = torch.broadcast_tensors(*philox4x32(counter, (state[0], state[1])))
    return torch.stack(mixed, dim=-1).reshape(copies, rows, 4 * quads)[:, :, :columns]


def uniform(noise: Noise, rows: int, columns: int, *, copies: int = 1, row_offset: int = 0, site: int = 0) -> Tensor:
    """Uniform numbers (word + 1/2) 2^-32 in (0, 1), float64 [copies, rows, columns], exact."""
    drawn = words(noise, rows, columns, copies=copies, row_offset=row_offset, site=site)
    return (drawn.double() + 0.5) * 2.0**-32


def normal(noise: Noise, rows: int, columns: int, *, copies: int = 1, row_offset: int = 0, site: int = 0) -> Tensor:
    """Standard normal numbers by Box-Muller, float64 [copies, rows, columns]."""
    padded = (columns + 3) // 4 * 4
    drawn = words(noise, rows, padded, copies=copies, row_offset=row_offset, site=site)
    first, second = drawn.reshape(copies, rows, padded // 2, 2).unbind(-1)
    from_one = (first - MASK).double() - 0.5
    log_uniform = torch.where(
        first < 1 << 31, torch.log((first.double() + 0.5) * 2.0**-32), torch.log1p(from_one * 2.0**-32)
    )
    radius = torch.sqrt(-2.0 * log_uniform)
    signed = torch.where(second < 1 << 31, second, second - (1 << 32)).double()
    angle = signed * (2.0 * math.pi * 2.0**-32)
    pair = torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)), dim=-1)
    return pair.reshape(copies, rows, padded)[:, :, :columns]
