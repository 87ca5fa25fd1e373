"""The layer operators of one case beside float64: values, and gradients away from kinks."""

import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae import reference
from fastdaae.activation import SIGMOID, Activation
from fastdaae.corruptions import Gaussian
from tests.differential.draw import HALVES, Draw

NORMAL_ERROR = 2e-6  # of a float32 normal number, whose definition is float64
# relative rounding of a result, and of every number that enters a product, by the dtype of the computation
ROUNDING = {torch.float64: 2e-13, torch.float32: 2e-6, torch.bfloat16: 3 * 2.0**-8, torch.float16: 3 * 2.0**-10}


def exact(x: Tensor) -> Tensor:
    return x.double() / 255 if x.dtype == torch.uint8 else x.double()


def noise_error(corruption, dtype: torch.dtype) -> float:
    if not isinstance(corruption, Gaussian):
        return 0.0
    return corruption.sigma * (1e-12 if dtype == torch.float64 else NORMAL_ERROR)


def require_close(ours: Tensor, expected: Tensor, allowed: Tensor, what: str) -> None:
    assert ours.shape == expected.shape, f"{what}: {list(ours.shape)} instead of {list(expected.shape)}"
    error = (ours.detach().double() - expected.detach()).abs() - allowed
    # NaN compares as a failure
    assert not error.numel() or float(error.max()) <= 0, f"{what}: {float(error.max()):.3g} beyond what rounding allows"


def backend_for(draw: Draw, *tensors: Tensor) -> str:
    """Any backend that can run these tensors on the CPU."""
    full = any(t.dtype == torch.float64 for t in tensors)
    return draw.one_of("auto", "reference", *([] if full else ["cpp", "cpp", "cpp"]))


def kinks(x: Tensor, corruption, noise: fd.Noise, **address) -> Tensor:
    """Where x~ is too close to an end of its clipping for float32 to say whether it is clipped."""
    if not isinstance(corruption, Gaussian) or corruption.clip is None:
        return torch.zeros((), dtype=torch.bool)
    noisy = reference.corrupt(x, Gaussian(corruption.sigma), noise, **address)
    return torch.stack([(noisy - end).abs() < 1e-5 for end in corruption.clip]).any(0)


def words(activation: Activation) -> dict:
    """An activation as operators take it."""
    return {"activation": activation.name, **({"slope": activation.slope} if activation.name == "leaky_relu" else {})}


def rows_back(of_outputs: Tensor, index: Tensor | None, rows: int) -> Tensor:
    """Something of every output row, summed over copies and over the outputs of a row of x."""
    summed = of_outputs.sum(0)
    return summed if index is None else summed.new_zeros(rows, summed.shape[1]).index_add_(0, index, summed)


def corrupt(draw: Draw) -> None:
    rows, columns, dtype = (
        draw.count(40, 0),
        draw.count(90),
        draw.one_of(torch.uint8, torch.float32, torch.float64, *HALVES),
    )
    x, corruption, noise = draw.pixels((rows, columns), dtype), draw.corruption(), draw.noise()
    address = {"copies": draw.count(4), "index": draw.index(rows), **draw.address()}
    out_dtype = draw.one_of(None, torch.float32, *HALVES)
    backend = backend_for(draw, x)
    leaf = x if dtype == torch.uint8 else x.detach().requires_grad_()
    with draw.surroundings():
        ours = fd.ops.corrupt(leaf, corruption, noise, dtype=out_dtype, backend=backend, **address)
    expected = reference.corrupt(exact(x), corruption, noise, **address)
    assert ours.dtype == (out_dtype or (torch.float32 if dtype == torch.uint8 else dtype))
    computed = torch.float64 if dtype == torch.float64 else torch.float32
    once = torch.finfo(ours.dtype).eps / 2 + 4 * torch.finfo(computed).eps
    require_close(ours, expected, noise_error(corruption, dtype) + once * (expected.abs() + 1e-3), "x~")
    if dtype == torch.uint8 or not ours.requires_grad:
        return
    unit = max(ROUNDING[ours.dtype], ROUNDING[dtype])
    grad = draw.normal(*ours.shape, dtype=ours.dtype)
    with draw.surroundings():
        (dx,) = torch.autograd.grad(ours, leaf, grad)
    wide = exact(x).requires_grad_()
    (wanted,) = torch.autograd.grad(reference.corrupt(wide, corruption, noise, **address), wide, grad.double())
    unsure = kinks(exact(x), corruption, noise, **address).expand_as(grad)
    rounded = torch.where(unsure, grad.double().abs(), unit * grad.double().abs())
    require_close(dx, wanted, rows_back(rounded, address["index"], rows) * (1 + unit) + 1e-7 * wanted.abs(), "dx")


class Layer:
    """activation(x~ W^T + b) in float64 and how far each of its results may be off in another dtype."""

    def __init__(
        self, x_tilde: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation, unit: float, noise: float
    ):
        self.x, self.weight, self.activation = x_tilde, weight.double(), activation
        self.unit = unit + 1e-7 * weight.shape[1]
        self.before = nn.functional.linear(x_tilde, self.weight, None if bias is None else bias.double())
        self.value = reference.activate(self.before, activation)
        magnitude = x_tilde.abs() @ self.weight.abs().T + (0 if bias is None else bias.double().abs())
        slope = {"sigmoid": 0.25, "leaky_relu": max(1.0, activation.slope)}.get(activation.name, 1.0)
        self.before_error = self.unit * magnitude + noise * self.weight.abs().sum(1)
        self.error = slope * self.before_error + self.unit * self.value.abs() + 1e-9
        self.noise = noise

    def away_from_kinks(self, grad: Tensor) -> Tensor:
        """The gradient, 0 where rounding decides whether a rectifier passes it: by the definition, not our result."""
        bent = self.activation.name in ("relu", "leaky_relu")
        return torch.where(self.before.abs() > self.before_error, grad, 0.0) if bent else grad

    def gradients(self, grad: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        """{name: (gradient, allowed error)} of x~, weight and bias for the gradient of the value."""
        slopes = {
            "relu": (self.before > 0).double(),
            "leaky_relu": torch.where(self.before > 0, 1.0, self.activation.slope),
            "none": 1.0,
            "sigmoid": self.value * (1 - self.value),
            "tanh": 1 - self.value.square(),
        }
        before = grad * slopes[self.activation.name]
        # the slope changes by at most once the value's error, a tanh's by twice it
        bends = {"sigmoid": 1.0, "tanh": 2.0}.get(self.activation.name, 0.0)
        bent = bends * grad.abs() * self.error
        off = bent + self.unit * grad.abs()
        flat, flat_off, x = before.flatten(0, -2), off.flatten(0, -2), self.x.flatten(0, -2)
        spread = self.unit + 1e-7 * len(flat)
        return {
            "x": (before @ self.weight, (off + spread * before.abs()) @ self.weight.abs()),
            "weight": (
                flat.T @ x,
                flat_off.T @ x.abs() + flat.abs().T @ (spread * x.abs() + self.noise) + 1e-9,
            ),
            "bias": (flat.sum(0), flat_off.sum(0) + spread * flat.abs().sum(0) + 1e-9),
        }


def _leaves(*tensors: Tensor | None) -> list[Tensor | None]:
    return [t if t is None or t.dtype == torch.uint8 else t.detach().requires_grad_() for t in tensors]


def _require_gradients(draw: Draw, ours: Tensor, leaves: dict[str, Tensor | None], wanted: dict, grad: Tensor) -> None:
    named = {name: leaf for name, leaf in leaves.items() if leaf is not None and leaf.requires_grad}
    with draw.surroundings():
        found = torch.autograd.grad(ours, list(named.values()), grad)
    for (name, leaf), gradient in zip(named.items(), found, strict=True):
        assert gradient.dtype == leaf.dtype and gradient.shape == leaf.shape
        value, allowed = wanted[name]
        require_close(gradient, value, allowed + ROUNDING[leaf.dtype] * value.abs(), f"d {name}")


def corrupted_linear(draw: Draw) -> None:
    rows, columns, outputs = draw.count(50, 0), draw.count(200), draw.count(150)
    dtype = draw.one_of(torch.float32, torch.float32, torch.bfloat16, torch.float64)
    x = draw.pixels((rows, columns), draw.one_of(torch.uint8, dtype))
    weight, bias = draw.layer(columns, outputs, dtype)
    corruption, noise, activation = draw.corruption(), draw.noise(), draw.activation()
    address = {"copies": draw.count(4), "index": draw.index(rows), **draw.address()}
    leaves = dict(zip(("x", "weight", "bias"), _leaves(x, weight, bias), strict=True))
    backend = backend_for(draw, x, weight)
    with draw.surroundings():
        ours = fd.ops.corrupted_linear(
            *leaves.values(), corruption, noise, **words(activation), backend=backend, **address
        )
    assert ours.dtype == dtype
    x_tilde = reference.corrupt(exact(x), corruption, noise, **address)
    unit = max(ROUNDING[dtype], ROUNDING[torch.float32] if x.dtype == torch.uint8 else 0.0)
    layer = Layer(x_tilde, weight, bias, activation, unit, noise_error(corruption, x.dtype))
    require_close(ours, layer.value, layer.error, "y")
    grad = layer.away_from_kinks(draw.normal(*ours.shape, dtype=dtype).double())
    wanted = layer.gradients(grad)
    of_rows, allowed = wanted["x"]
    wide = exact(x).requires_grad_()
    (through,) = torch.autograd.grad(reference.corrupt(wide, corruption, noise, **address), wide, of_rows)
    unsure = torch.where(kinks(exact(x), corruption, noise, **address), of_rows.abs(), 0.0)
    wanted["x"] = (through, rows_back(allowed + unsure, address["index"], rows) + 1e-9)
    _require_gradients(draw, ours, leaves, wanted, grad.to(dtype))


def linear_mean(draw: Draw) -> None:
    copies, rows, inputs, outputs = draw.count(5), draw.count(40, 0), draw.count(200), draw.count(150)
    dtype = draw.one_of(torch.float32, torch.float32, torch.bfloat16, torch.float64)
    h = draw.strided(draw.normal(copies, rows, inputs, dtype=dtype))
    weight, bias = draw.layer(inputs, outputs, dtype)
    activation = draw.activation()
    leaves = dict(zip(("x", "weight", "bias"), _leaves(h, weight, bias), strict=True))
    backend = backend_for(draw, h)
    with draw.surroundings():
        ours = fd.ops.linear_mean(*leaves.values(), **words(activation), backend=backend)
    assert ours.dtype == dtype
    layer = Layer(h.double(), weight, bias, activation, ROUNDING[dtype], 0.0)
    require_close(ours, layer.value.mean(0), layer.error.mean(0), "mean")
    grad = draw.normal(*ours.shape, dtype=dtype).double()
    if activation.name in ("relu", "leaky_relu"):  # one gradient serves all copies: none may be at a kink
        grad = torch.where((layer.before.abs() > layer.before_error).all(0), grad, 0.0)
    wanted = layer.gradients((grad / copies).expand_as(layer.value))
    _require_gradients(draw, ours, leaves, wanted, grad.to(dtype))


def linear_sigmoid_corrupt(draw: Draw) -> None:
    rows, inputs, outputs = draw.count(40, 0), draw.count(160), draw.count(150)
    dtype = draw.one_of(torch.float32, torch.float32, torch.bfloat16, torch.float64)
    h = draw.strided(draw.normal(rows, inputs, dtype=dtype))
    weight, bias = draw.layer(inputs, outputs, dtype)
    corruption, noise, address = draw.corruption(), draw.noise(), draw.address()
    backend, leaves = backend_for(draw, h), _leaves(h, weight, bias)
    with draw.surroundings():
        ours = fd.ops.linear_sigmoid_corrupt(*leaves, corruption, noise, keep_clean=True, backend=backend, **address)
    layer = Layer(h.double(), weight, bias, SIGMOID, ROUNDING[dtype], 0.0)
    require_close(ours.x, layer.value, layer.error, "x")
    x_tilde = reference.corrupt(layer.value, corruption, noise, **address)[0]
    allowed = layer.error + noise_error(corruption, dtype) + ROUNDING[dtype] * x_tilde.abs()
    require_close(ours.x_tilde, x_tilde, allowed, "x~")
