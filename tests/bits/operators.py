"""The operators of layers: corruptions, dtypes, addresses, widths on both sides of where kernels begin, gradients."""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper

ops = fd.ops
CORRUPTIONS = {
    "none": None,
    "gaussian": Gaussian(0.5),
    "clipped": Gaussian(0.5, clip=(0.0, 1.0)),
    "masking": Masking(0.3),
    "salt": SaltAndPepper(0.3, low=-1.0),
}
ACTIVATIONS = ("none", "relu", "sigmoid")
# of images; earlier versions have none
REGIONS = {"patches": fd.corruptions.Patches(3, 2, 0.5)} if hasattr(fd.corruptions, "Patches") else {}
# rows, inputs, outputs: odd and small, wide, and enough rows for several blocks on two threads
SIZES = {"small": (5, 17, 6), "wide": (37, 200, 160), "many": (600, 150, 131)}
NOISE = fd.Noise(11, step=3)


def numbers(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Uniform numbers in [0, 1), or bytes, that no version's own draws touch."""
    drawn = torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (drawn * 256).to(torch.uint8) if dtype == torch.uint8 else drawn.to(dtype)


def layer(inputs: int, outputs: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """A weight [outputs, inputs] and a bias [outputs] that ask for gradients."""
    weight = (numbers(outputs, inputs, seed=2, dtype=torch.float64) - 0.5) * (12 / inputs) ** 0.5
    bias = numbers(outputs, seed=3, dtype=torch.float64) - 0.5
    return weight.to(dtype).requires_grad_(), bias.to(dtype).requires_grad_()


def with_gradients(out: Tensor, leaves: dict[str, Tensor]) -> dict[str, Tensor]:
    """An output and the gradients of a weighted sum of it by each leaf that takes part."""
    probe = numbers(*out.shape, seed=4, dtype=torch.float64).to(out.dtype)
    wanted = {name: leaf for name, leaf in leaves.items() if leaf is not None and leaf.requires_grad}
    found = torch.autograd.grad((out * probe).sum(), list(wanted.values()), allow_unused=True)
    gradients = {f"grad {name}": gradient for name, gradient in zip(wanted, found, strict=True)}
    return {"out": out, **{name: gradient for name, gradient in gradients.items() if gradient is not None}}


def address(rows: int, copies: int) -> dict:
    return {"copies": copies, "row_offset": 9, "site": 2, "index": (torch.arange(rows) * 7) % rows}


def corrupt(corruption, rows: int, columns: int, dtype: torch.dtype, how: dict, shape=(-1,)) -> Callable:
    def call(backend: str) -> dict:
        x = numbers(rows, columns, dtype=dtype).reshape(rows, *shape)
        x = x.requires_grad_() if x.is_floating_point() else x
        out = ops.corrupt(x, corruption, NOISE, backend=backend, **how)
        return with_gradients(out, {"x": x}) if x.requires_grad else {"out": out}

    return call


def corruption_cases() -> Iterator[tuple[str, Callable]]:
    for (name, corruption), dtype in itertools.product(
        CORRUPTIONS.items(), (torch.uint8, torch.float32, torch.bfloat16, torch.float16)
    ):
        yield f"corrupt {name} {dtype}", corrupt(corruption, 33, 70, dtype, {})
        yield f"corrupt {name} {dtype} addressed", corrupt(corruption, 33, 70, dtype, address(33, 4))
    for name, corruption in REGIONS.items():
        for dtype in (torch.uint8, torch.float32):
            yield f"corrupt {name} {dtype}", corrupt(corruption, 33, 70, dtype, address(33, 4), shape=(2, 5, 7))
    for name, corruption in CORRUPTIONS.items():
        yield f"corrupt {name} many", corrupt(corruption, 700, 91, torch.float32, {"copies": 5})
        yield f"corrupt {name} to bf16", corrupt(corruption, 20, 31, torch.uint8, {"dtype": torch.bfloat16})
        yield (
            f"corrupt {name} images",
            lambda backend, c=corruption: {
                "out": ops.corrupt(numbers(6, 3, 5, 5), c, NOISE, copies=2, backend=backend)
            },
        )


def corrupted_linear(
    corruption, activation: str, size: tuple, dtypes: tuple, how: dict, cast: bool = False
) -> Callable:
    def call(backend: str) -> dict:
        rows, inputs, outputs = size
        x = numbers(rows, inputs, dtype=dtypes[0])
        x = x.requires_grad_() if x.is_floating_point() else x
        weight, bias = layer(inputs, outputs, dtypes[1])
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            out = ops.corrupted_linear(
                x, weight, bias, corruption, NOISE, activation=activation, backend=backend, **how
            )
        return with_gradients(out, {"x": x, "weight": weight, "bias": bias})

    return call


def layer_cases() -> Iterator[tuple[str, Callable]]:
    plain, half = (torch.float32, torch.float32), (torch.bfloat16, torch.bfloat16)
    for (name, corruption), activation in itertools.product(CORRUPTIONS.items(), ACTIVATIONS):
        words = f"corrupted_linear {name} {activation}"
        wide = SIZES["wide"]
        yield f"{words} small", corrupted_linear(corruption, activation, SIZES["small"], plain, {"copies": 2})
        yield f"{words} wide", corrupted_linear(corruption, activation, wide, plain, address(37, 3))
        yield f"{words} uint8", corrupted_linear(corruption, activation, wide, (torch.uint8, plain[1]), {"copies": 3})
        yield f"{words} bf16", corrupted_linear(corruption, activation, wide, half, {"copies": 2})
        yield f"{words} autocast", corrupted_linear(corruption, activation, wide, plain, {"copies": 2}, cast=True)
    for name in ("none", "gaussian", "masking"):
        yield f"corrupted_linear {name} many", corrupted_linear(CORRUPTIONS[name], "relu", SIZES["many"], plain, {})


def linear_mean(activation: str, size: tuple, dtype: torch.dtype, biased: bool = True, cast: bool = False) -> Callable:
    def call(backend: str) -> dict:
        rows, inputs, outputs = size
        h = numbers(3, rows, inputs, dtype=dtype).requires_grad_()
        weight, bias = layer(inputs, outputs, dtype)
        bias = bias if biased else None
        with torch.autocast("cpu", torch.bfloat16, enabled=cast):
            out = ops.linear_mean(h, weight, bias, activation=activation, backend=backend)
        return with_gradients(out, {"h": h, "weight": weight, "bias": bias})

    return call


def mean_cases() -> Iterator[tuple[str, Callable]]:
    for activation, (size, shape) in itertools.product(ACTIVATIONS, SIZES.items()):
        words = f"linear_mean {activation} {size}"
        yield words, linear_mean(activation, shape, torch.float32)
        yield f"{words} bf16", linear_mean(activation, shape, torch.bfloat16)
        yield f"{words} autocast", linear_mean(activation, shape, torch.float32, cast=True)
        yield f"{words} without bias", linear_mean(activation, shape, torch.float32, biased=False)


def linear_sigmoid_corrupt(corruption, size: tuple, dtype: torch.dtype, keep: bool) -> Callable:
    def call(backend: str) -> dict:
        rows, inputs, outputs = size
        h = (numbers(rows, inputs, dtype=torch.float64) - 0.5).to(dtype).requires_grad_()
        weight, bias = layer(inputs, outputs, dtype)
        how = {"keep_clean": keep, "row_offset": 5, "site": 1, "backend": backend}
        found = ops.linear_sigmoid_corrupt(h, weight, bias, corruption, NOISE, **how)
        kept = with_gradients(found.x_tilde, {"h": h, "weight": weight, "bias": bias})
        with torch.no_grad():
            kept["plain"] = ops.linear_sigmoid_corrupt(h, weight, bias, corruption, NOISE, **how).x_tilde
        return {**kept, "x": found.x} if keep else kept

    return call


def ending_cases() -> Iterator[tuple[str, Callable]]:
    for (name, corruption), keep in itertools.product(CORRUPTIONS.items(), (False, True)):
        for size, dtype in (("small", torch.float32), ("wide", torch.float32), ("wide", torch.bfloat16)):
            words = f"linear_sigmoid_corrupt {name} {size} {dtype}{' kept' if keep else ''}"
            yield words, linear_sigmoid_corrupt(corruption, SIZES[size], dtype, keep)


def cases() -> Iterator[tuple[str, Callable]]:
    """(name, call) of every operator's cases."""
    for family in (corruption_cases, layer_cases, mean_cases, ending_cases):
        yield from family()
