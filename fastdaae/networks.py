"""Networks that can be rebuilt from a configuration: plain `nn.Sequential` modules that remember how they were made."""

from collections.abc import Iterable

from torch import nn

from fastdaae.arguments import whole_in

_WIDEST = 2**31 - 1
_OUTPUTS = {"sigmoid": nn.Sigmoid}


def mlp(sizes: Iterable[int], output: str | None = None) -> nn.Sequential:
    """Fully connected layers with ReLU between them: x [N, ...] with sizes[0] numbers a row -> [N, sizes[-1]].

    `output` is None (linear) or "sigmoid". The result carries `config`, from which the same network can be made.
    Raises ValueError for fewer than two sizes, sizes below 1 or another output. Source: Creswell and Bharath 2018,
    section VI-C.
    """
    if not isinstance(sizes, Iterable) or isinstance(sizes, str):
        raise ValueError(f"sizes must be at least two whole numbers >= 1, got {sizes!r}")
    sizes = [whole_in(f"sizes[{place}]", size, 1, _WIDEST) for place, size in enumerate(sizes)]
    if len(sizes) < 2:
        raise ValueError(f"sizes must be at least two whole numbers >= 1, got {sizes}")
    if output is not None and (not isinstance(output, str) or output not in _OUTPUTS):
        raise ValueError(f"output must be None or 'sigmoid', got {output!r}")
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in zip(sizes[:-2], sizes[1:-1], strict=True):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    if output is not None:
        layers.append(_OUTPUTS[output]())
    network = nn.Sequential(*layers)
    network.config = {  # type: ignore[assignment]  # a plain attribute, no tensor and no module
        "network": "mlp",
        "sizes": sizes,
        "output": output,
    }
    return network
