"""Every kernel through its public operator, once: `python -m gpu_check.launches OPERATION small|full`.

`small` is for the sanitizers, odd shapes that leave no tile whole; `full` for the profiler, the benchmarks' shapes. A
first call compiles and warms up; the second one runs between the profiler's start and stop.
"""

import sys

import torch

import fastdaae as fd
from fastdaae.ops.log_ratios import log_ratio_moments

NOISE = fd.corruptions.Gaussian(0.5)
_SIZES = {
    "small": {"rows": 37, "columns": 70, "hidden": 45, "points": 301, "k": 5, "chains": 33},
    "full": {"rows": 4096, "columns": 784, "hidden": 1000, "points": 10_000, "k": 100, "chains": 8192},
}


def _differentiated(result: torch.Tensor) -> None:
    result.float().square().sum().backward()


def _layer(size: dict, device: str, columns: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    weight = torch.randn(size["hidden"], columns or size["columns"], device=device) / 30
    return weight.requires_grad_(), torch.zeros(size["hidden"], device=device, requires_grad=True)


def _corrupt(size: dict, device: str):
    x = torch.rand(size["rows"], size["columns"], device=device, requires_grad=True)
    noise = fd.Noise(0, device=device)
    return lambda: _differentiated(fd.ops.corrupt(x, NOISE, noise, copies=2, backend="triton"))


def _corrupted_linear(size: dict, device: str):
    x = torch.randint(0, 256, (size["rows"], size["columns"]), dtype=torch.uint8, device=device)
    noise, layer = fd.Noise(0, device=device), _layer(size, device)
    return lambda: _differentiated(fd.ops.corrupted_linear(x, *layer, NOISE, noise, backend="triton"))


def _wide_corrupted_linear(size: dict, device: str):
    """More columns than a tile of x~ holds: the other kernel."""
    x, noise = torch.rand(size["rows"], 1030, device=device), fd.Noise(0, device=device)
    layer = _layer(size, device, 1030)
    return lambda: _differentiated(fd.ops.corrupted_linear(x, *layer, NOISE, noise, backend="triton"))


def _linear_mean(size: dict, device: str):
    h = torch.rand(3, size["rows"], size["columns"], device=device, requires_grad=True)
    layer = _layer(size, device)
    return lambda: _differentiated(fd.ops.linear_mean(h, *layer, backend="triton"))


def _linear_sigmoid_corrupt(size: dict, device: str):
    h, noise = torch.rand(size["chains"], size["columns"], device=device), fd.Noise(0, device=device)
    weight, bias = (tensor.detach() for tensor in _layer(size, device))
    return lambda: fd.ops.linear_sigmoid_corrupt(h, weight, bias, NOISE, noise, keep_clean=True, backend="triton")


def _parzen(size: dict, device: str):
    queries, samples = (torch.rand(n, size["columns"], device=device) for n in (size["rows"], size["points"]))
    return lambda: fd.ops.parzen_log_density(queries, samples, [0.1, 0.5, 1.0], backend="triton")


def _neighbors(size: dict, device: str):
    points = torch.rand(size["points"], size["columns"], device=device)
    as_float64 = points[:257].double()

    def call() -> None:
        fd.ops.nearest_neighbors(points, size["k"], backend="cuda")
        fd.ops.nearest_neighbors(as_float64, 3, as_float64[:9], backend="cuda")

    return call


def _log_ratio_moments(size: dict, device: str):
    distances = torch.rand(size["points"], size["k"], dtype=torch.float64, device=device).cumsum(1) + 0.01
    return lambda: [log_ratio_moments(d, backend="cuda") for d in (distances, distances.float())]


def _draws(size: dict, device: str):
    given, how = (size["rows"], size["columns"], fd.Noise(0, device=device)), {"copies": 2, "backend": "triton"}
    return lambda: (fd.ops.normal(*given, **how), fd.ops.uniform(*given, **how))


OPERATIONS = {
    "draws": _draws,
    "corrupt": _corrupt,
    "corrupted_linear": _corrupted_linear,
    "wide_corrupted_linear": _wide_corrupted_linear,
    "linear_mean": _linear_mean,
    "linear_sigmoid_corrupt": _linear_sigmoid_corrupt,
    "parzen": _parzen,
    "neighbors": _neighbors,
    "log_ratio_moments": _log_ratio_moments,
}


def launch(operation: str, size: str, device: str):
    """The call, without arguments, that launches an operation's kernels on tensors of a size."""
    torch.manual_seed(0)
    return OPERATIONS[operation](_SIZES[size], device)


def main(operation: str, size: str) -> None:
    """Launch once to compile and warm up, and once for the profiler."""
    call = launch(operation, size, "cuda")
    call()
    torch.cuda.synchronize()
    torch.cuda.profiler.start()
    call()
    torch.cuda.synchronize()
    torch.cuda.profiler.stop()
    print(f"{operation}, {size}: launched")


if __name__ == "__main__":
    main(*sys.argv[1:])
