"""How a call walks through the package: `python benchmarks/walks.py` counts its calls from one file to another.

With PYTHONPATH=CHECKOUT the fastdaae of another checkout is counted. A walk that goes down and comes back once has few.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import torch

import fastdaae as fd

PACKAGE = str(Path(fd.__file__).parent)


def calls_between_files(call: Callable[[], object]) -> tuple[int, int]:
    """(calls from one file of the package to another, files entered) of one call, after one that warms up."""
    call()
    stack, files, crossings = [], set(), 0

    def profile(frame, event, _):
        nonlocal crossings
        file = frame.f_code.co_filename
        if not file.startswith(PACKAGE):
            return
        if event == "call":
            crossings += bool(stack) and stack[-1] != file
            stack.append(file)
            files.add(file)
        elif event == "return" and stack:
            stack.pop()

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return crossings, len(files)


def walks() -> dict[str, Callable[[], object]]:
    mlp, noise, corruption = fd.networks.mlp, fd.Noise(0), fd.corruptions.Gaussian(0.5)
    encoder, decoder = mlp([784, 200, 200, 10]), mlp([10, 200, 784], output="sigmoid")
    model = fd.AAE(encoder, decoder, mlp([10, 200, 1]), prior=fd.priors.Normal(10))
    optimizers = {name: torch.optim.Adam(group, fused=True) for name, group in model.parameter_groups().items()}
    step, x, z = fd.compile_step(model, optimizers, seed=0), torch.rand(64, 784), torch.randn(64, 10)
    return {
        "encode_mean": torch.no_grad()(lambda: fd.ops.encode_mean(encoder, x, corruption, noise, copies=5)),
        "AAE.step": lambda: step(x),
        "sample_chain": lambda: fd.ops.sample_chain(decoder, encoder, z, corruption, noise, steps=3),
    }


if __name__ == "__main__":
    for name, call in walks().items():
        crossings, files = calls_between_files(call)
        print(f"{name}: {crossings} calls between {files} files of {PACKAGE}")
