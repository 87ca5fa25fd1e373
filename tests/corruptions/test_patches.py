"""Patches: rectangles at the addressed places, alike on every backend and through every operator that corrupts."""

import pytest
import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae.corruptions import Patches

cpp = pytest.mark.needs_cpp
BACKENDS = ["reference", pytest.param("cpp", marks=cpp)]
ADDRESS = {"copies": 3, "row_offset": 2**32 - 64, "site": 65535}
NOISE = fd.Noise(0xFEDCBA9876543210, step=2**32 - 1)
# image, corruption
CASES = [
    ((1, 1), Patches(1, 1, fill=0.5)),
    ((7, 9), Patches((3, 2), 4, fill=-2.0)),
    ((28, 28), Patches(7, 5)),
    ((3, 10, 12), Patches((10, 1), 3, fill=0.25)),
    ((1, 5, 70), Patches((1, 66), 2)),
    ((2, 3, 17, 5), Patches(5, 9, fill=1.0)),
    ((3, 32, 40), Patches((32, 40), 1, fill=0.125)),
    ((4, 6), Patches(3, 0)),
]
cases = pytest.mark.parametrize(("image", "patches"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])


def images(rows: int, image: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    drawn = torch.rand(rows, *image, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25
    return (drawn * 255).to(torch.uint8) if dtype == torch.uint8 else drawn.to(dtype)


def kept(rows: int, image: tuple[int, ...], patches: Patches, *, copies: int, row_offset: int, site: int) -> Tensor:
    """1 where no rectangle lies, float64 [copies, N, *image], one rectangle after the other."""
    out = torch.ones(copies, rows, *image, dtype=torch.float64)
    address = {"copies": copies, "row_offset": row_offset, "site": site}
    words = addressed.words(NOISE, rows, 2 * patches.count, **address).tolist()
    for copy, row, r in torch.cartesian_prod(*map(torch.arange, (copies, rows, patches.count))).tolist():
        top, left = words[copy][row][2 * r : 2 * r + 2]
        top = top * (image[-2] - patches.height + 1) // 2**32
        left = left * (image[-1] - patches.width + 1) // 2**32
        out[copy, row, ..., top : top + patches.height, left : left + patches.width] = 0
    return out


@cases
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_rectangles_lie_where_their_words_say(image, patches, backend, dtype):
    x = images(5, image, dtype)
    found = fd.ops.corrupt(x, patches, NOISE, backend=backend, **ADDRESS)
    clean = fd.ops.corrupt(x, None, NOISE, backend="reference", **ADDRESS)
    expected = torch.where(kept(5, image, patches, **ADDRESS) == 1, clean, patches.fill)
    assert found.dtype == clean.dtype and torch.equal(found, expected)


@cases
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("index", [None, torch.tensor([2, 2, 0, 4, 2])])
def test_gradient_is_one_where_x_is_kept(image, patches, backend, index):
    x = images(5, image).requires_grad_()
    x_tilde = fd.ops.corrupt(x, patches, NOISE, index=index, backend=backend, **ADDRESS)
    grad = torch.randn(x_tilde.shape, generator=torch.Generator().manual_seed(2))
    # sums of three in one order are the same on every backend; of repeated rows they are not
    expected = torch.zeros(5, *image)
    passed = torch.where(kept(5, image, patches, **ADDRESS) == 1, grad, 0.0)
    for copy in passed:
        expected += copy
    if index is not None:
        expected = torch.zeros(5, *image).index_add_(0, index, expected)
    (found,) = torch.autograd.grad(x_tilde, x, grad)
    assert torch.equal(found, expected) if index is None else torch.allclose(found, expected, atol=1e-6)


@cpp
@cases
def test_no_cut_changes_a_bit(image, patches, isa):
    x, how = images(300, image), {"backend": "cpp", "copies": 2, "site": 1}
    whole, threads = fd.ops.corrupt(x, patches, NOISE, row_offset=5, **how), torch.get_num_threads()
    pieces = [
        fd.ops.corrupt(x[i:j], patches, NOISE, row_offset=5 + i, **how) for i, j in ((0, 1), (1, 200), (200, 300))
    ]
    assert torch.equal(torch.cat(pieces, 1), whole)
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert torch.equal(fd.ops.corrupt(x, patches, NOISE, row_offset=5, **how), whole)
    finally:
        torch.set_num_threads(threads)
    grad = torch.randn(whole.shape, generator=torch.Generator().manual_seed(2)).flatten(2)
    draw = fd.draw.draw_of(patches, image, 2, 5, 1)
    passed = torch.ops.fastdaae.cpp_corrupt_backward(grad, x.flatten(1), None, NOISE.state, *draw)
    expected = torch.where(kept(300, image, patches, copies=2, row_offset=5, site=1).flatten(2) == 1, grad, 0.0)
    assert torch.equal(passed, expected[0] + expected[1])


@pytest.mark.parametrize("backend", BACKENDS)
def test_strides_and_batches_without_rows(backend):
    x = images(8, (3, 10, 12))[::2, :, :, ::3]
    for given in (x, x.transpose(2, 3), x[:1], x[:0]):
        how = {"index": None, "copies": 2, "backend": backend}
        found = fd.ops.corrupt(given, Patches(2, 3, fill=0.5), NOISE, **how)
        assert torch.equal(found, fd.ops.corrupt(given.contiguous(), Patches(2, 3, fill=0.5), NOISE, **how))
        assert found.shape == (2, *given.shape)
    none = torch.tensor([], dtype=torch.int64)
    assert fd.ops.corrupt(x, Patches(2, 3), NOISE, index=none, backend=backend).shape == (1, 0, *x.shape[1:])


@cpp
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.bfloat16])
@pytest.mark.parametrize("rows", [3, 40, 700])
def test_a_first_layer_takes_what_corrupt_gives(rows, dtype, isa):
    image, patches = (3, 11, 13), Patches((4, 3), 3, fill=0.5)
    half = dtype == torch.bfloat16
    weight = (torch.randn(150, 429, generator=torch.Generator().manual_seed(3)) / 20).to(
        dtype if half else torch.float32
    )
    x, index = images(rows, image, torch.float32 if half else dtype), (torch.arange(rows) * 7) % rows
    how = {"copies": 2, "row_offset": 5, "index": index}
    x_tilde = fd.ops.corrupt(x, patches, NOISE, backend="cpp", **how).flatten(0, 1)
    gradients = []
    for first, given, address in ((x, patches, how), (x_tilde, None, {})):
        leaf = weight.clone().requires_grad_()
        y = fd.ops.corrupted_linear(first, leaf, None, given, NOISE, backend="cpp", **address).flatten(0, 1)
        (dw,) = torch.autograd.grad(y.float().square().sum(), leaf)
        gradients.append((y.detach(), dw))
    assert torch.equal(gradients[0][0], gradients[1][0])
    assert torch.allclose(gradients[0][1].float(), gradients[1][1].float(), rtol=1e-3 if half else 1e-5, atol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("rows", "keep"), [(4, False), (4, True), (1500, False), (1500, True)])
def test_the_end_of_a_decoder_needs_the_shape_of_its_images(backend, rows, keep):
    image, patches = (1, 15, 14), Patches((3, 6), 4, fill=0.5)
    h, weight, bias = torch.randn(rows, 150), torch.randn(210, 150) / 12, torch.randn(210)
    how = {"row_offset": 3, "site": 2, "backend": backend}
    found = fd.ops.linear_sigmoid_corrupt(h, weight, bias, patches, NOISE, keep_clean=keep, image_shape=image, **how)
    clean = fd.ops.linear_sigmoid_corrupt(h, weight, bias, None, NOISE, **how).x_tilde.reshape(rows, *image)
    assert (found.x is not None) == keep
    expected = fd.ops.corrupt(clean, patches, NOISE, **how)[0]
    assert torch.allclose(found.x_tilde, expected.flatten(1), atol=1e-6)
    with pytest.raises(
        ValueError, match=r"x must be images .* for Patches, got samples of the shape \[210\]; .*image_sh"
    ):
        fd.ops.linear_sigmoid_corrupt(h, weight, bias, patches, NOISE, **how)
    with pytest.raises(ValueError, match=r"image_shape must be a shape of 210 numbers.*got \[3, 5\]"):
        fd.ops.linear_sigmoid_corrupt(h, weight, bias, patches, NOISE, image_shape=(3, 5), **how)


@pytest.mark.parametrize("backend", BACKENDS)
def test_chains_and_algorithm_2(backend):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(48, 20), nn.ReLU(), nn.Linear(20, 3))
    decoder = nn.Sequential(nn.Linear(3, 20), nn.ReLU(), nn.Linear(20, 48), nn.Sigmoid())
    patches, z, image = Patches(2, 2, fill=0.5), torch.randn(9, 3), (3, 4, 4)
    how = {"steps": 3, "keep": (0, 3), "image_shape": image, "row_offset": 4}
    expected, state = [], z
    for t in range(4):
        x = decoder(state).detach()
        expected.append(x)
        noisy = fd.ops.corrupt(x.reshape(9, *image), patches, NOISE.ahead(t), row_offset=4, site=3, backend="reference")
        state = encoder(noisy[0]).detach()
    rows = fd.ops.sample_chain(decoder, encoder, z, patches, NOISE, backend=backend, **how)
    assert torch.allclose(rows, torch.stack([expected[0], expected[3]]), atol=1e-5)
    shaped = nn.Sequential(decoder, nn.Unflatten(1, image))
    assert torch.allclose(
        fd.ops.sample_chain(shaped, encoder, z, patches, NOISE, backend=backend, **how).flatten(2), rows
    )
    with pytest.raises(ValueError, match="x must be images"):
        fd.ops.sample_chain(decoder, encoder, z, patches, NOISE, steps=1, backend=backend)
    x = images(9, image)
    mean = fd.ops.encode_mean(encoder, x, patches, NOISE, copies=5, backend=backend)
    copies = fd.ops.corrupt(x, patches, NOISE, copies=5, site=1, backend="reference")
    assert torch.allclose(mean, torch.stack([encoder(one) for one in copies]).mean(0), atol=1e-5)


def test_every_position_has_the_same_probability():
    found = fd.ops.corrupt(torch.ones(20000, 6, 9), Patches((4, 2), 1), fd.Noise(3))[0] == 0
    assert bool((found.sum((1, 2)) == 8).all())
    tops, lefts = found.any(2).to(torch.uint8).argmax(1), found.any(1).to(torch.uint8).argmax(1)
    counts = torch.bincount(tops * 8 + lefts, minlength=24).double()
    expected = 20000 / 24
    assert float(((counts - expected).square() / expected).sum()) < 58  # chi-squared, 23 degrees: 1e-4


@pytest.mark.parametrize("backend", BACKENDS)
def test_derivatives_of_any_order_and_compiled_calls(backend):
    x, patches = images(4, (3, 4, 5)), Patches(2, 2, fill=0.5)
    if backend == "reference":
        small = images(2, (2, 3, 3)).double().requires_grad_()
        assert torch.autograd.gradcheck(lambda t: fd.ops.corrupt(t, patches, NOISE, copies=2), (small,))

    def call(x, noise):
        return fd.ops.corrupt(x, patches, noise, copies=2, backend=backend).pow(3).sum()

    leaf = x.requires_grad_()
    (first,) = torch.autograd.grad(call(leaf, NOISE), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    times = kept(4, (3, 4, 5), patches, copies=2, row_offset=0, site=0).sum(0).float()
    assert torch.allclose(first, 3 * leaf.square() * times) and torch.allclose(second, 6 * leaf * times)
    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert torch.allclose(torch.autograd.grad(compiled(leaf, NOISE), leaf)[0], first)


@cpp
def test_opcheck():
    draw = fd.draw.draw_of(Patches((2, 1), 3, fill=0.5), (1, 2, 3), 2, 5, 1)
    index = torch.tensor([1, 1, 3])
    for x, chosen in ((torch.rand(4, 6), None), (torch.arange(24, dtype=torch.uint8).reshape(4, 6), index)):
        torch.library.opcheck(torch.ops.fastdaae.cpp_corrupt, (x, chosen, NOISE.state, *draw))
        grad = torch.randn(2, 4 if chosen is None else 3, 6)
        torch.library.opcheck(torch.ops.fastdaae.cpp_corrupt_backward, (grad, x, chosen, NOISE.state, *draw))
