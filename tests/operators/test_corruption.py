"""`ops.corrupt` on every backend: values, gradients, laws, registration and errors."""

import pytest
import torch

import fastdaae as fd
from fastdaae import noise as addressed
from fastdaae import reference
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.draw import KINDS, Draw
from fastdaae.noise import Site

CORRUPTIONS = [
    None,
    Gaussian(0.0),
    Gaussian(0.5),
    Gaussian(0.5, clip=(0.0, 1.0)),
    Masking(0.3),
    SaltAndPepper(0.25),
    SaltAndPepper(0.5, low=-1.0, high=2.0),
]
BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
cpp = pytest.mark.needs_cpp


def pixels(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_reference_is_the_formula(corruption):
    x, noise = torch.rand(5, 9, dtype=torch.float64), fd.Noise(2)
    n, u = addressed.normal(noise, 5, 9, site=3)[0], addressed.uniform(noise, 5, 9, site=3)[0]
    expected = x.clone()
    if isinstance(corruption, Gaussian):
        expected = x + corruption.sigma * n
        expected = expected if corruption.clip is None else expected.clamp(*corruption.clip)
    elif isinstance(corruption, Masking):
        expected[u < corruption.drop] = 0
    elif isinstance(corruption, SaltAndPepper):
        expected[u < corruption.p] = corruption.high
        expected[u < corruption.p / 2] = corruption.low
    assert torch.equal(fd.ops.corrupt(x, corruption, noise, site=3, backend="reference")[0], expected)


@cpp
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 63), (65, 784), (2, 3, 4, 5)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_cpp_agrees_with_the_reference(corruption, shape, dtype):
    x = pixels(*shape) if dtype == torch.uint8 else torch.rand(shape).to(dtype)
    arguments = {"copies": 3, "row_offset": 17, "site": 2}
    ours = fd.ops.corrupt(x, corruption, fd.Noise(4, step=9), backend="cpp", **arguments)
    expected = fd.ops.corrupt(x, corruption, fd.Noise(4, step=9), backend="reference", **arguments)
    assert ours.shape == expected.shape == (3, *shape) and ours.dtype == expected.dtype
    if isinstance(corruption, Gaussian) and corruption.sigma:
        error = (ours.double() - expected.double()).abs()
        allowed = 8e-3 * expected.double().abs() if dtype == torch.bfloat16 else torch.tensor(0.5e-3)
        assert bool((error <= allowed.clamp_min(0.5e-3)).all())
        if dtype != torch.bfloat16:
            assert float((error < 2.5e-6).double().mean()) >= 0.999
    else:
        assert torch.equal(ours, expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_pieces_equal_the_whole_bitwise(backend, corruption):
    x, noise = pixels(37, 50), fd.Noise(1)
    whole = fd.ops.corrupt(x, corruption, noise, copies=2, backend=backend)
    pieces = [
        fd.ops.corrupt(x[o : o + n], corruption, noise, copies=2, row_offset=o, backend=backend)
        for o, n in ((0, 1), (1, 20), (21, 16))
    ]
    assert torch.equal(whole, torch.cat(pieces, dim=1))


def test_reference_blocks_equal_the_whole_bitwise(monkeypatch):
    x, noise = pixels(37, 50), fd.Noise(1)
    whole = reference.corrupt(x, Gaussian(0.5), noise, copies=2)
    monkeypatch.setattr("fastdaae.reference.numbers.BLOCK", 700)
    assert torch.equal(reference.corrupt(x, Gaussian(0.5), noise, copies=2), whole)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sigma_zero_is_the_clean_input_bitwise(backend):
    x = torch.rand(20, 30)
    assert torch.equal(fd.ops.corrupt(x, Gaussian(0.0), fd.Noise(3), backend=backend)[0], x)
    u = pixels(20, 30)
    assert torch.equal(fd.ops.corrupt(u, None, fd.Noise(3), copies=2, backend=backend)[1], u.float() / 255)


@pytest.mark.parametrize("backend", BACKENDS)
def test_index_gathers_rows_and_noise_stays_with_the_position(backend):
    x, noise = pixels(10, 33), fd.Noise(3)
    index = torch.tensor([9, 0, 0, 4])
    gathered = fd.ops.corrupt(x, Gaussian(0.5), noise, index=index, row_offset=6, backend=backend)
    assert torch.equal(gathered, fd.ops.corrupt(x[index], Gaussian(0.5), noise, row_offset=6, backend=backend))


@pytest.mark.parametrize("backend", BACKENDS)
def test_strided_and_empty_inputs(backend):
    base, noise = torch.rand(40, 30), fd.Noise(0)
    strided = base[::2, 1::3]
    assert torch.equal(
        fd.ops.corrupt(strided, Gaussian(1.0), noise, backend=backend),
        fd.ops.corrupt(strided.contiguous(), Gaussian(1.0), noise, backend=backend),
    )
    assert fd.ops.corrupt(base[:0], Gaussian(1.0), noise, copies=2, backend=backend).shape == (2, 0, 30)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
@pytest.mark.parametrize("index", [None, torch.tensor([2, 2, 0])])
def test_gradient_passes_where_the_input_passes(backend, corruption, index):
    x, noise = torch.rand(5, 12), fd.Noise(8)
    x[0, 0] = 0.0
    grad = torch.randn(4, 5 if index is None else 3, 12)
    gradients = []
    for chosen, dtype in ((backend, torch.float32), ("reference", torch.float64)):
        leaf = x.detach().to(dtype, copy=True).requires_grad_()
        out = fd.ops.corrupt(leaf, corruption, noise, copies=4, index=index, backend=chosen)
        noise_before = noise.state.clone()
        noise.advance()  # the backward pass needs the noise of the forward pass
        out.backward(grad.to(dtype))
        noise.state.copy_(noise_before)
        gradients.append(leaf.grad.double())
    assert torch.allclose(gradients[0], gradients[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=repr)
def test_gradcheck_of_the_reference(corruption):
    x = torch.rand(3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda t: fd.ops.corrupt(t, corruption, fd.Noise(5), copies=2, backend="reference"), (x,)
    )


@cpp
@pytest.mark.parametrize("kind", KINDS[1:])
def test_opcheck(kind):
    address = Draw(kind, 0.3, 0.0, 1.0, (2, 3), 2, 5, 1)
    state, index = fd.Noise(1).state, torch.tensor([1, 1, 3])
    for x, chosen in ((torch.rand(4, 6), None), (pixels(4, 6), index)):
        torch.library.opcheck(torch.ops.fastdaae.cpp_corrupt, (x, chosen, state, *address))
        grad = torch.randn(2, 4 if chosen is None else 3, 6)
        torch.library.opcheck(torch.ops.fastdaae.cpp_corrupt_backward, (grad, x, chosen, state, *address))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "corruption", [Gaussian(0.5), Gaussian(0.5, clip=(0, 1)), Masking(0.5), SaltAndPepper(0.5)], ids=repr
)
def test_compiles_without_graph_breaks(backend, corruption):
    def call(x, noise):
        return fd.ops.corrupt(x, corruption, noise, copies=2, backend=backend).square().sum()

    x, noise = torch.rand(6, 10, requires_grad=True), fd.Noise(3)
    expected = torch.autograd.grad(call(x, noise), x)[0]
    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    assert torch.allclose(torch.autograd.grad(compiled(x, noise), x)[0], expected, atol=1e-6)


def test_equal_calls_give_equal_results_and_sites_differ():
    x, noise = torch.zeros(4, 8), fd.Noise(0)
    first = fd.ops.corrupt(x, Gaussian(1.0), noise, site=Site.CHAIN)
    assert torch.equal(first, fd.ops.corrupt(x, Gaussian(1.0), noise, site=Site.CHAIN))
    assert not (first == fd.ops.corrupt(x, Gaussian(1.0), noise, site=Site.PRIOR)).any()


X, N = torch.rand(4, 6), fd.Noise(0)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, r"x must be a torch.Tensor", lambda: fd.ops.corrupt([[1.0]], None, N)),
        (TypeError, r"x must be uint8 .* got torch.int64", lambda: fd.ops.corrupt(X.long(), None, N)),
        (ValueError, r"x must have the shape \[N, \.\.\.\].*got \[6\]", lambda: fd.ops.corrupt(X[0], None, N)),
        (ValueError, r"copies must be in 1\.\.65536, got 0", lambda: fd.ops.corrupt(X, None, N, copies=0)),
        (ValueError, r"row_offset must be >= 0, got -1", lambda: fd.ops.corrupt(X, None, N, row_offset=-1)),
        (ValueError, r"site must be in 0\.\.65535", lambda: fd.ops.corrupt(X, None, N, site=1 << 16)),
        (TypeError, r"index must be an int64", lambda: fd.ops.corrupt(X, None, N, index=torch.tensor([0.0]))),
        (IndexError, r"index", lambda: fd.ops.corrupt(X, Gaussian(1.0), N, index=torch.tensor([4]))),
        (IndexError, r"index", lambda: fd.ops.corrupt(X, Gaussian(1.0), N, index=torch.tensor([-5]))),
        (TypeError, r"noise must be a fastdaae.Noise, got int", lambda: fd.ops.corrupt(X, None, 0)),
        (TypeError, r"corruption must be one of", lambda: fd.ops.corrupt(X, 0.5, N)),
        (ValueError, r"backend must be 'auto' or one of", lambda: fd.ops.corrupt(X, None, N, backend="gpu")),
        (RuntimeError, r"backend='triton' cannot run corrupt", lambda: fd.ops.corrupt(X, None, N, backend="triton")),
        (ValueError, r"sigma must be a finite number >= 0, got -1", lambda: Gaussian(-1)),
        (ValueError, r"sigma must be a finite number >= 0, got nan", lambda: Gaussian(float("nan"))),
        (ValueError, r"clip must be finite numbers with low < high", lambda: Gaussian(1, clip=(1, 0))),
        (ValueError, r"drop must be a probability in \[0, 1\], got 1.5", lambda: Masking(1.5)),
        (ValueError, r"p must be a probability in \[0, 1\], got -0.1", lambda: SaltAndPepper(-0.1)),
    ],
)
def test_bad_input_is_one_clear_line(error, message, call):
    with pytest.raises(error, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@cpp
def test_a_named_backend_runs_or_raises_with_the_reason():
    with pytest.raises(RuntimeError, match="cannot run corrupt: it computes in float32.*usable here: 'reference'"):
        fd.ops.corrupt(X.double(), None, N, backend="cpp")
    assert fd.ops.corrupt(X.double(), Gaussian(1.0), N).dtype == torch.float64
