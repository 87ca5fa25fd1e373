"""Groups "corrupt" and "draws": Gaussian noise on images in one pass, and addressed normal and uniform numbers."""

import functools

import gates
import torch
from checkout import default_backend
from common import SIGMA, add_noise, images, pixels
from gates import Gate
from interleaved import Group, Ready, Row, Unavailable
from torch import Tensor

from fastdaae import corruptions, ops
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Noise

GAUSSIAN, NOISE = Gaussian(SIGMA), Noise(0)


@functools.lru_cache(maxsize=1)
def _many_rows(rows: int) -> Tensor:
    return pixels(images()[torch.arange(rows) % len(images())])


def _ours(rows: int, backend: str) -> Ready:
    x = _many_rows(rows)
    with default_backend(backend):
        given = ops.corrupt(x[:320], GAUSSIAN, NOISE)
    normals = gates.normals(given, ops.corrupt(x[:320], GAUSSIAN, NOISE, backend="reference"), SIGMA)
    passed = (*normals, gates.moments(given - x[:320], SIGMA))
    return Ready(lambda: ops.corrupt(x, GAUSSIAN, NOISE, backend=backend), passed)


def _torch(rows: int, call) -> Ready:
    x = _many_rows(rows)
    return Ready(lambda: call(x), (gates.moments(call(x) - x, SIGMA),))


def _in_place(x: Tensor) -> Tensor:
    return add_noise(x, torch.randn_like(x))


def _plain(x: Tensor) -> Tensor:
    return x + SIGMA * torch.randn_like(x)


def _corrupt(rows: int) -> Group:
    members = (
        Row("ours", lambda: _ours(rows, "auto")),
        *((Row("ours-reference", lambda: _ours(rows, "reference")),) if rows < 1000 else ()),
        Row("torch", lambda: _torch(rows, _in_place), "torch"),
        Row("torch-plain", lambda: _torch(rows, _plain), "torch"),
    )
    return Group(f"corrupt {rows} x 784", members, moved=2 * rows * 784 * 4)


def _our_gather() -> Ready:
    x, index = images(), torch.randperm(len(images()))[:64]

    def call(backend: str = "auto") -> Tensor:
        return ops.corrupt(x, GAUSSIAN, NOISE, copies=5, index=index, backend=backend)

    moments = gates.moments(call() - pixels(x[index]), SIGMA)
    return Ready(call, (*gates.normals(call(), call("reference"), SIGMA), moments))


def _torch_gather() -> Ready:
    x, index = images(), torch.randperm(len(images()))[:64]

    def call() -> Tensor:
        return add_noise(pixels(x[index]), torch.randn(5, 64, 784))

    return Ready(call, (gates.moments(call() - pixels(x[index]), SIGMA),))


def _removed_share(call) -> Gate:
    """How far the share of removed pixels is from its closed form: a pixel stays where all rectangles miss it."""
    place = torch.arange(28)
    along = ((place + 1).clamp(max=22) - (place - 6).clamp(min=0)) / 22
    expected = 1 - ((1 - along[:, None] * along) ** 5).mean()
    share = (call(torch.ones(5000, 1, 28, 28)) == 0).double().mean()
    return Gate("removed_share", float((share - expected).abs()), 5e-3, "of all pixels")


def _our_patches(rows: int) -> Ready:
    if not hasattr(corruptions, "Patches"):
        raise Unavailable("this version has no fd.corruptions.Patches")
    x, patches = _many_rows(rows).reshape(rows, 1, 28, 28), corruptions.Patches(7, 5)

    def call(x: Tensor = x, backend: str = "auto") -> Tensor:
        return ops.corrupt(x, patches, NOISE, backend=backend)

    wrong = Gate("wrong_pixels", float((call(x[:320]) != call(x[:320], "reference")).sum()), 0.0, "pixels")
    return Ready(call, (wrong, _removed_share(call)))


def _torch_patches(rows: int) -> Ready:
    x, place = _many_rows(rows).reshape(rows, 1, 28, 28), torch.arange(28)

    def call(x: Tensor = x) -> Tensor:
        """The rectangles of all rows at once: what they cover along each side, and a product of both."""
        start = torch.randint(0, 22, (2, len(x), 5, 1))
        covered = ((place >= start) & (place < start + 7)).float()
        return x.masked_fill((covered[0].mT @ covered[1] > 0)[:, None], 0.0)

    return Ready(call, (_removed_share(call),))


def _torch_indexed(rows: int) -> Ready:
    x, place = _many_rows(rows).reshape(rows, 1, 28, 28), torch.arange(7)

    def call(x: Tensor = x) -> Tensor:
        """Zeros written at the pixels of every rectangle."""
        top, left = torch.randint(0, 22, (2, len(x), 5, 1, 1))
        out, row = x.clone(), torch.arange(len(x))[:, None, None, None]
        out[row, 0, top + place[:, None], left + place] = 0.0
        return out

    return Ready(call, (_removed_share(call),))


def _patches(rows: int) -> Group:
    members = (
        Row("ours", lambda: _our_patches(rows)),
        Row("torch", lambda: _torch_patches(rows), "torch"),
        Row("torch-indexed", lambda: _torch_indexed(rows), "torch"),
    )
    return Group(f"corrupt {rows} x 784, five patches", members, moved=2 * rows * 784 * 4)


def _our_draw(name: str, rows: int) -> Ready:
    if not hasattr(ops, name):
        raise Unavailable(f"this version has no fd.ops.{name}")
    call = functools.partial(getattr(ops, name), rows, 784, NOISE, site=0)
    drawn, expected = call(), call(backend="reference")
    if name == "normal":
        return Ready(call, (*gates.normals(drawn, expected, 1.0), gates.moments(drawn, 1)))
    uniform = Gate("uniform_error", float((drawn - expected).abs().max()), 1e-15, "of [0, 1]")
    return Ready(call, (uniform, gates.moments(drawn - 0.5, 12**-0.5)))


def _torch_draw(name: str, rows: int) -> Ready:
    if name == "normal":
        return Ready(lambda: torch.randn(1, rows, 784), (gates.moments(torch.randn(1, rows, 784), 1),))

    def call() -> Tensor:
        return torch.rand(1, rows, 784, dtype=torch.float64)

    return Ready(call, (gates.moments(call() - 0.5, 12**-0.5),))


def _draws(name: str, rows: int) -> Group:
    numbers = rows * 784 * (4 if name == "normal" else 8)  # normals are float32, uniform numbers float64
    ours, torchs = Row("ours", lambda: _our_draw(name, rows)), Row("torch", lambda: _torch_draw(name, rows), "torch")
    return Group(f"{name} {rows} x 784", (ours, torchs), moved=numbers)


GROUPS = (
    _corrupt(320),
    _corrupt(100_000),
    _patches(320),
    _patches(20_000),
    Group(
        "corrupt: gather 64 of 60,000 uint8 rows, 5 copies",
        (Row("ours", _our_gather), Row("torch", _torch_gather, "torch")),
        moved=64 * 784 + 5 * 64 * 784 * 4,
    ),
    *(_draws(name, rows) for name in ("normal", "uniform") for rows in (320, 10_000)),
)


def test_row(show, case):
    show(case)
