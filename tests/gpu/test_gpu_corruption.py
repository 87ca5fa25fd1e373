"""Addressed noise and `corrupt` in Triton on a CUDA device."""

import pytest
import torch

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Gaussian, Masking, Patches, SaltAndPepper
from fastdaae.draw import draw_of

pytestmark = [pytest.mark.needs_cuda, pytest.mark.needs_triton]
CORRUPTIONS = [
    None,
    Gaussian(0.0),
    Gaussian(0.5),
    Gaussian(0.5, clip=(0.0, 1.0)),
    Masking(0.3),
    SaltAndPepper(0.25),
    SaltAndPepper(1.0, low=-1.0, high=2.0),
]


def noise(step: int = 7) -> fd.Noise:
    return fd.Noise(0xFEDCBA9876543210, step=step, device="cuda")


def pixels(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda")


def test_tiles_are_the_addressed_noise():
    from tests.interpreted import noise_kernels

    words, normals = noise_kernels.tile(noise().state, 64, 128, row_offset=2**32 - 64, col0=64, word=2 | 9 << 16)
    address = {"copies": 3, "row_offset": 2**32 - 64, "site": 9}
    assert torch.equal(words, addressed.words(noise(), 64, 192, **address)[2, :, 64:])
    error = (normals.double() - addressed.normal(noise(), 64, 192, **address)[2, :, 64:]).abs()
    assert float(error.max()) < 1e-3 and float((error < 5e-6).double().mean()) >= 0.999


def test_normals_of_forced_words_keep_their_digits():
    from tests.interpreted import noise_kernels

    u, v = (words.cuda() for words in noise_kernels.forced_words())
    found = noise_kernels.normals_of_words(u, v)
    low = torch.log((u.double() + 0.5) * 2.0**-32)
    log = torch.where(u < 2**31, low, torch.log1p(-(2**32 - 0.5 - u.double()) * 2.0**-32))
    angle = torch.where(v < 2**31, v, v - 2**32).double() * (2 * torch.pi * 2.0**-32)
    radius = torch.sqrt(-2 * log)
    error = (found.double() - torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)))).abs()
    assert float(error.max()) < 1e-5
    assert float((error / radius).max()) < 5e-6  # the radius of the last word is 1.5e-5


def test_draws_are_the_addressed_noise():
    address = {"copies": 3, "row_offset": 2**32 - 4096, "site": 9}
    for rows in (37, 1500):
        uniform = fd.ops.uniform(rows, 99, noise(), backend="triton", **address)
        assert torch.equal(uniform, addressed.uniform(noise(), rows, 99, **address))
        normal = fd.ops.normal(rows, 99, noise(), backend="triton", **address)
        error = (normal.double() - addressed.normal(noise(), rows, 99, **address)).abs()
        assert float(error.max()) < 1e-3 and float((error < 5e-6).double().mean()) >= 0.999


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_patches_and_their_gradients_are_the_reference_s(dtype):
    address = {"copies": 3, "row_offset": 2**32 - 2**20, "site": 65535}
    for rows, image, patches in (
        (300, (1, 28, 28), Patches(7, 5, fill=0.5)),
        (2000, (3, 10, 12), Patches((10, 1), 3)),
        (5, (7, 9), Patches((3, 2), 4, fill=-2.0)),
    ):
        x, found, gradients = pixels(rows, *image), [], []
        x = x if dtype == torch.uint8 else (x / 255).to(dtype)
        for backend in ("triton", "reference"):
            leaf = x if dtype == torch.uint8 else x.clone().requires_grad_()
            found.append(fd.ops.corrupt(leaf, patches, noise(), backend=backend, **address))
            if dtype == torch.float32:
                gradients.append(torch.autograd.grad((found[-1] * x).sum(), leaf)[0])
        assert torch.equal(*found)
        assert not gradients or torch.allclose(*gradients, rtol=1e-6)
        weight = torch.randn(150, x[0].numel(), device="cuda") / 20
        products = [
            fd.ops.corrupted_linear(x, weight, None, patches, noise(), backend=b) for b in ("triton", "reference")
        ]
        assert torch.allclose(*products, atol=1e-4)
        h, last = torch.randn(rows, 20, device="cuda"), torch.randn(x[0].numel(), 20, device="cuda")
        ends = [
            fd.ops.linear_sigmoid_corrupt(h, last, None, patches, noise(), image_shape=image, backend=b).x_tilde
            for b in ("triton", "reference")
        ]
        assert torch.allclose(*ends, atol=1e-4)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_corrupt_agrees_with_the_reference(corruption, dtype):
    for shape, index in (((300, 784), None), ((37, 99), torch.tensor([3, 36, 3], device="cuda")), ((2, 3, 4, 5), None)):
        x = pixels(*shape) if dtype == torch.uint8 else torch.rand(shape, device="cuda").to(dtype)
        draw = {"copies": 3, "row_offset": 2**32 - 2**20, "site": 65535, "index": index}
        ours = fd.ops.corrupt(x, corruption, noise(), backend="triton", **draw)
        expected = fd.ops.corrupt(x, corruption, noise(), backend="reference", **draw)
        assert ours.shape == expected.shape and ours.dtype == expected.dtype
        if not isinstance(corruption, Gaussian) or corruption.sigma == 0:
            assert torch.equal(ours, expected)
            continue
        error = (ours.double() - expected.double()).abs()
        rounding = expected.double().abs() * (2.0**-7 if dtype == torch.bfloat16 else 0.0)
        assert bool((error <= 0.5e-3 + rounding).all())
        if dtype != torch.bfloat16:
            assert float((error < 2.5e-6).double().mean()) >= 0.999


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_gradients(corruption):
    x, grad = torch.rand(70, 99, device="cuda"), torch.randn(4, 70, 99, device="cuda")
    index = torch.arange(70, device="cuda") // 2
    gradients = []
    for backend, dtype in (("triton", torch.float32), ("reference", torch.float64)):
        leaf = x.to(dtype).requires_grad_()
        state = noise()
        out = fd.ops.corrupt(leaf, corruption, state, copies=4, index=index, backend=backend)
        state.advance()  # the backward pass needs the noise of the forward pass
        out.backward(grad.to(dtype))
        gradients.append(leaf.grad.double())
    # a value within rounding of a clip's end may fall on either side of it
    assert float(((gradients[0] - gradients[1]).abs() > 1e-5).double().mean()) < 1e-3


def test_pieces_equal_the_whole_bitwise_across_tilings():
    x = pixels(4096, 784)
    whole = fd.ops.corrupt(x, Gaussian(0.5), noise(), copies=2, backend="triton")
    piece = fd.ops.corrupt(x[4000:4064], Gaussian(0.5), noise(), copies=2, row_offset=4000, backend="triton")
    assert torch.equal(whole[:, 4000:4064], piece)


def test_more_numbers_than_32_bits_can_address():
    x, rows = pixels(1, 4096), (1 << 19) + 8
    index = torch.zeros(rows, dtype=torch.int64, device="cuda")
    whole = fd.ops.corrupt(x, Masking(0.5), noise(), index=index, dtype=torch.bfloat16, backend="triton")
    last = fd.ops.corrupt(x, Masking(0.5), noise(), row_offset=rows - 1, dtype=torch.bfloat16, backend="triton")
    assert torch.equal(whole[:, -1:], last)


def test_every_pixel_is_value_over_255_bitwise():
    x = torch.arange(256, dtype=torch.uint8, device="cuda").reshape(2, 128)
    assert torch.equal(fd.ops.corrupt(x, None, noise(), backend="triton")[0], x.float() / 255)


def test_a_row_outside_x_is_nan_and_nothing_is_read_there():
    x, index = torch.rand(4, 6, device="cuda"), torch.tensor([0, 4, -1, 3, 2**40], device="cuda")
    found = fd.ops.corrupt(x, Gaussian(0.5), noise(), copies=2, index=index, backend="triton")
    assert bool(found[:, [1, 2, 4]].isnan().all()) and not bool(found[:, [0, 3]].isnan().any())


def test_a_captured_graph_draws_fresh_noise_at_each_replay():
    x, state = torch.rand(64, 784, device="cuda"), noise(step=0)
    fd.ops.corrupt(x, Gaussian(0.5), state, copies=5, backend="triton")  # compiles before the capture
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = fd.ops.corrupt(x, Gaussian(0.5), state, copies=5, backend="triton")
        state.advance()
    state.state[2].zero_()
    for step in range(3):
        graph.replay()
        assert torch.equal(out, fd.ops.corrupt(x, Gaussian(0.5), noise(step), copies=5, backend="triton"))


def test_opcheck():
    draw = draw_of(Gaussian(0.3, clip=(0, 1)), image=(6,), copies=2, row_offset=5, site=1)
    state, index, x = noise().state, torch.tensor([1, 1, 3], device="cuda"), pixels(4, 6)
    torch.library.opcheck(torch.ops.fastdaae.triton_corrupt, (x, index, state, *draw, torch.bfloat16))
    grad = torch.randn(2, 3, 6, device="cuda")
    torch.library.opcheck(torch.ops.fastdaae.triton_corrupt_backward, (grad, x, index, state, *draw))


def test_compiles_without_graph_breaks():
    def call(x, state):
        return fd.ops.corrupt(x, Gaussian(0.5, clip=(0, 1)), state, copies=2, backend="triton").square().sum()

    x, state = torch.rand(64, 100, device="cuda", requires_grad=True), noise()
    expected = torch.autograd.grad(call(x, state), x)[0]
    found = torch.autograd.grad(torch.compile(call, fullgraph=True)(x, state), x)[0]
    assert torch.allclose(found, expected, atol=1e-5)


def test_auto_chooses_triton():
    x = torch.rand(5, 9, device="cuda")
    both = [fd.ops.corrupt(x, Gaussian(0.5), noise(), backend=backend) for backend in ("auto", "triton")]
    assert torch.equal(*both)
