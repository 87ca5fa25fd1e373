"""The process that records one backend: `python -m tests.bits.worker BACKEND PACKAGE OUT ONLY`."""

import hashlib
import importlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path


def compiled_module():
    """The compiled module, under whichever name this version has it."""
    for name in ("fastdaae._cpp", "fastdaae._C"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise SystemExit("this fastdaae has no compiled module")


def kept(result) -> dict:
    """What a record holds of one result: a tensor, an array or a number."""
    import torch

    tensor = torch.as_tensor(result).detach().contiguous().cpu()
    content = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
    norm = float(tensor.double().norm()) if tensor.numel() else 0.0
    dtype = str(tensor.dtype).removeprefix("torch.")
    digest = hashlib.sha256(f"{dtype} {list(tensor.shape)}".encode() + content).hexdigest()
    return {"hash": digest, "dtype": dtype, "shape": list(tensor.shape), "norm": norm}


def cases() -> Iterator[tuple[str, Callable[[str], dict]]]:
    """(name, call) of every case; a call takes the backend and gives {result name: tensor, array or number}."""
    from tests.bits import networks, operators, points, whole

    for part in (operators, networks, points, whole):
        yield from part.cases()


def record(backend: str, only: str) -> dict[str, dict]:
    """{"backend, isa: case: result": what is kept of it}."""
    import torch

    compiled = compiled_module()
    isas = compiled.build_info()["isas"] if backend == "cpp" else ["no isa"]
    found = {}
    for isa in isas:
        if backend == "cpp":
            compiled.choose_isa(isa)
        for name, call in cases():
            if only not in name:
                continue
            torch.manual_seed(7)
            for result, value in call(backend).items():
                key = f"{backend}, {isa}: {name}: {result}"
                assert key not in found, key
                found[key] = kept(value)
    return found


def main() -> None:
    backend, package, out, only = sys.argv[1:]
    sys.path.insert(0, package)
    import fastdaae

    if not Path(fastdaae.__file__).is_relative_to(package):
        raise SystemExit(f"fastdaae comes from {fastdaae.__file__} and not from {package}")
    warnings.simplefilter("ignore")
    Path(out).write_text(json.dumps(record(backend, only)))


if __name__ == "__main__":
    main()
