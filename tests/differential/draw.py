"""Random inputs of operators, and the state of the process that they must not depend on; all from one case number."""

import contextlib
import random

import torch
from torch import Tensor

import fastdaae as fd
from fastdaae.activation import Activation
from fastdaae.kernels.compiled import load
from tests.conftest import ISAS

HALVES = (torch.float16, torch.bfloat16)


class Draw:
    """The choices of one case: equal numbers make equal cases."""

    def __init__(self, operator: str, number: int):
        self.random = random.Random(f"{operator} {number}")
        self.generator = torch.Generator().manual_seed(self.random.getrandbits(32))

    def one_of(self, *choices):
        return self.random.choice(choices)

    def count(self, most: int, least: int = 1) -> int:
        """Sizes from least to most, small ones as likely as large ones."""
        return self.random.randint(least, max(least, self.one_of(min(least + 2, most), most, most)))

    def strided(self, values: Tensor) -> Tensor:
        """The same values at other strides and offsets."""
        if values.dim() < 2:
            spaced = torch.empty(3 * len(values) + 1, dtype=values.dtype)
            spaced[1::3] = values
            return self.one_of(values, spaced[1::3])
        rows, columns = values.shape[-2:]
        roomy = torch.zeros(*values.shape[:-2], 2 * rows + 1, columns + 3, dtype=values.dtype)
        roomy[..., 1::2, 2 : columns + 2] = values
        turned = values.transpose(-1, -2).contiguous().transpose(-1, -2)
        return self.one_of(values, values, turned, roomy[..., 1::2, 2 : columns + 2])

    def pixels(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Values of [0, 1] in a dtype, bytes for uint8, at any strides."""
        if dtype == torch.uint8:
            return self.strided(torch.randint(0, 256, shape, generator=self.generator, dtype=dtype))
        return self.strided(torch.rand(shape, generator=self.generator, dtype=torch.float32).to(dtype))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.randn(shape, generator=self.generator, dtype=torch.float32).to(dtype)

    def layer(self, inputs: int, outputs: int, dtype: torch.dtype) -> tuple[Tensor, Tensor | None]:
        """A weight [outputs, inputs] at any strides and a bias or None."""
        weight = self.strided((self.normal(outputs, inputs) / max(1, inputs) ** 0.5).to(dtype))
        return weight, self.one_of(None, self.strided(self.normal(outputs, dtype=dtype)))

    def index(self, rows: int) -> Tensor | None:
        """None, or row numbers with repetitions, at any stride."""
        picked = torch.randint(0, max(rows, 1), (self.count(12, 0) if rows else 0,), generator=self.generator)
        return self.one_of(None, None, self.strided(picked))

    def corruption(self):
        return self.one_of(
            None,
            fd.corruptions.Gaussian(self.one_of(0.0, 0.25, 1.0)),
            fd.corruptions.Gaussian(0.5, clip=(0.0, 1.0)),
            fd.corruptions.Masking(self.one_of(0.0, 0.3, 1.0)),
            fd.corruptions.SaltAndPepper(0.4, low=-0.5, high=1.5),
        )

    def activation(self) -> Activation:
        return self.one_of(*map(Activation, ("none", "relu", "relu", "sigmoid", "tanh")), Activation("leaky_relu", 0.2))

    def noise(self) -> fd.Noise:
        return fd.Noise(self.random.getrandbits(64), step=self.one_of(0, 7, 2**32 - 1))

    def address(self) -> dict[str, int]:
        return {"row_offset": self.one_of(0, 3, 2**31 + 1), "site": self.one_of(0, 5, 65535)}

    @contextlib.contextmanager
    def surroundings(self):
        """Another default dtype, default device, number of threads and instruction set."""
        dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
        compiled = load() if ISAS else None
        isa = compiled.build_info()["isa"] if compiled else None
        device = self.one_of("cpu", "cpu", "meta")
        try:
            torch.set_default_dtype(self.one_of(torch.float32, torch.float64, *HALVES))
            torch.set_num_threads(self.one_of(1, 2, 3))
            if compiled:
                compiled.choose_isa(self.one_of(*ISAS))
            with torch.device(device):
                yield
        finally:
            torch.set_default_dtype(dtype)
            torch.set_num_threads(threads)
            if compiled:
                compiled.choose_isa(isa)
