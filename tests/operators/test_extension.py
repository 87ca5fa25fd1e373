"""The compiled corruption kernels against an independent numpy Philox and float64 arithmetic."""

import numpy as np
import pytest
import torch

from fastdaae.kernels import extension

pytestmark = [pytest.mark.needs_cpp, pytest.mark.usefixtures("isa")]

NONE, GAUSSIAN, CLIP, MASKING, SALT_AND_PEPPER = range(5)
SHAPES = [(1, 1), (1, 2), (3, 3), (2, 5), (2, 31), (4, 63), (4, 64), (5, 65), (3, 127), (3, 128), (2, 227), (1, 784)]
STATE = torch.tensor([0xDEADBEEF, 0xFEEDF00D, 41])


def philox(counter, key):
    c = [np.asarray(word, np.uint64) for word in counter]
    low, high = (int(word) for word in key)
    mask = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (b >> np.uint64(32)) ^ c[1] ^ np.uint64(low),
            b & mask,
            (a >> np.uint64(32)) ^ c[3] ^ np.uint64(high),
            a & mask,
        ]
        low, high = (low + 0x9E3779B9) & 0xFFFFFFFF, (high + 0xBB67AE85) & 0xFFFFFFFF
    return c


def expected_words(state, rows, columns, copies=1, row_offset=0, step_offset=0, site=0):
    low, high, step = (int(word) & 0xFFFFFFFF for word in state)
    copy, row, quad = np.meshgrid(np.arange(copies), np.arange(rows), np.arange(-(-columns // 4)), indexing="ij")
    row = (row + row_offset) % 2**32
    step = np.full_like(row, (step + step_offset) % 2**32)
    words = np.stack(philox((quad, row, copy | site << 16, step), (low, high)), axis=-1)
    return words.reshape(copies, rows, -1)[:, :, :columns]


def expected_normals(words):
    """Box-Muller in float64 on [..., D] words, D a multiple of 4; ln f is exact for every word at this precision."""
    u, v = words[..., 0::2].astype(np.float64), words[..., 1::2].astype(np.uint32).view(np.int32).astype(np.float64)
    radius = np.sqrt(-2 * np.log1p(-(2.0**32 - u - 0.5) * 2.0**-32))
    radius = np.where(u < 2**31, np.sqrt(-2 * np.log((u + 0.5) * 2.0**-32)), radius)
    angle = v * (2 * np.pi * 2.0**-32)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1).reshape(words.shape)


def arguments(kind, a=0.5, *, low=0.0, high=1.0, copies=1, row_offset=0, step_offset=0, site=0):
    return dict(
        kind=kind, a=a, low=low, high=high, copies=copies, row_offset=row_offset, step_offset=step_offset, site=site
    )


def bits(tensor):
    return tensor.view(torch.int32)


def pixels(rows, columns, seed=0):
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_known_answers(counter, key, words):
    assert extension.load().philox4x32(counter, key) == words
    assert tuple(int(word) for word in philox(counter, key)) == words


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("copies", [1, 3])
def test_words_follow_the_address(rows, columns, copies):
    address = dict(copies=copies, row_offset=7, step_offset=3, site=5)
    words = extension.noise_words(STATE, rows=rows, columns=columns, **address)
    assert words.dtype == torch.int64
    np.testing.assert_array_equal(words.numpy(), expected_words(STATE, rows, columns, **address))


def test_row_and_step_wrap_at_32_bits():
    state = torch.tensor([1, 2, 2**32 - 1])
    words = extension.noise_words(state, rows=4, columns=8, copies=1, row_offset=2**32 - 2, step_offset=1, site=65535)
    expected = expected_words(state, 4, 8, row_offset=2**32 - 2, step_offset=1, site=65535)
    np.testing.assert_array_equal(words.numpy(), expected)


def test_normals_agree_with_float64():
    rows, columns = 4000, 1024
    normals = extension.corrupt(torch.zeros(rows, columns), None, STATE, **arguments(GAUSSIAN, 1.0))[0].numpy()
    words = expected_words(STATE, rows, columns)[0]
    error = np.abs(normals - expected_normals(words))
    assert np.quantile(error, 0.999) <= 5e-7
    assert error.max() <= 2e-6
    assert words.min() < 2**13 and words.max() > 2**32 - 2**13, "both ends of the logarithm are among the draws"


def test_normals_near_f_equal_to_one_keep_relative_accuracy():
    # There r = sqrt(-2 ln f) is tiny: an approximate logarithm of f itself would be wrong by up to 100 %.
    rows, columns = 4000, 1024
    normals = extension.corrupt(torch.zeros(rows, columns), None, STATE, **arguments(GAUSSIAN, 1.0))[0].numpy()
    words = expected_words(STATE, rows, columns)[0]
    radius = np.hypot(normals[:, 0::2], normals[:, 1::2])[words[:, 0::2] > 2**32 - 2**16]
    exact = expected_normals(words)
    exact_radius = np.hypot(exact[:, 0::2], exact[:, 1::2])[words[:, 0::2] > 2**32 - 2**16]
    assert len(radius) > 10
    np.testing.assert_allclose(radius, exact_radius, rtol=1e-6)


@pytest.mark.parametrize("kind", range(5))
def test_pieces_equal_the_whole(kind):
    x = pixels(11, 70)
    whole = extension.corrupt(x, None, STATE, **arguments(kind, 0.3, copies=2, row_offset=100))
    pieces = [(0, 4), (4, 5), (5, 11)]
    parts = [
        extension.corrupt(x[i:j].contiguous(), None, STATE, **arguments(kind, 0.3, copies=2, row_offset=100 + i))
        for i, j in pieces
    ]
    assert torch.equal(bits(whole), bits(torch.cat(parts, dim=1)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
@pytest.mark.parametrize("kind", range(5))
def test_a_number_does_not_depend_on_the_width(kind, dtype):
    x, grad = (pixels(1, 200) * 255).to(dtype), torch.randn(2, 1, 200, generator=torch.Generator().manual_seed(1))
    call = arguments(kind, 0.3, copies=2)
    whole, passed = extension.corrupt(x, None, STATE, **call), extension.corrupt_backward(grad, x, None, STATE, **call)
    words = extension.noise_words(STATE, rows=1, columns=200, copies=2, row_offset=0, step_offset=0, site=0)
    for width in range(1, 200):
        part, part_of_grad = x[:, :width].contiguous(), grad[..., :width].contiguous()
        out = extension.corrupt(part, None, STATE, **call)
        dx = extension.corrupt_backward(part_of_grad, part, None, STATE, **call)
        drawn = extension.noise_words(STATE, rows=1, columns=width, copies=2, row_offset=0, step_offset=0, site=0)
        assert torch.equal(bits(out), bits(whole[..., :width])), width
        assert torch.equal(bits(dx), bits(passed[:, :width])), width
        assert torch.equal(drawn, words[..., :width]), width


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("columns", [1, 5, 67, 130])
def test_unaligned_memory_is_read_and_written_within_its_bounds(kind, dtype, columns):
    x = (pixels(3, columns, seed=4) * 255).to(dtype)
    aligned = extension.corrupt(x, None, STATE, **arguments(kind, 0.3))[0]
    count = x.numel()
    for shift in (1, 2, 3):
        shifted = torch.zeros(count + shift + 1, dtype=dtype)[shift : count + shift].view(3, columns).copy_(x)
        room = torch.full((count + shift + 64,), 7.0)
        source = (shifted.data_ptr(), extension.word(dtype), 3, 0, STATE.data_ptr())
        to = room.data_ptr() + 4 * shift
        extension.load().corrupt(source, 3, columns, extension.draw(kind, 0.3, 0.0, 1.0, 1, 0, 0), to, 1)
        assert torch.equal(bits(room[shift : count + shift]), bits(aligned.flatten()))
        assert (room[:shift] == 7).all() and (room[count + shift :] == 7).all()


@pytest.mark.parametrize("kind", range(5))
def test_threads_do_not_change_a_bit(kind, threads):
    x, grad = pixels(300, 130), torch.randn(2, 300, 130, generator=torch.Generator().manual_seed(1))
    results = []
    for count in (1, 2):
        threads(count)
        out = extension.corrupt(x, None, STATE, **arguments(kind, 0.3, copies=2))
        dx = extension.corrupt_backward(grad, x, None, STATE, **arguments(kind, 0.3, copies=2))
        results.append((bits(out), bits(dx)))
    assert torch.equal(results[0][0], results[1][0]) and torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize("kind", [NONE, GAUSSIAN, CLIP])
def test_no_noise_returns_x_bit_for_bit(kind):
    x = pixels(3, 67)
    x[0, :3] = torch.tensor([-0.0, 0.0, 1.0])
    out = extension.corrupt(x, None, STATE, **arguments(kind, 0.0, copies=2))
    assert torch.equal(bits(out), bits(torch.stack([x, x])))


@pytest.mark.parametrize("columns", [1, 2, 16, 32, 64, 256])
def test_uint8_scales_as_torch_does(columns):
    x = torch.arange(256, dtype=torch.uint8).reshape(-1, columns)
    out = extension.corrupt(x, None, STATE, **arguments(NONE))
    assert torch.equal(bits(out[0]), bits(x.float() / 255))
    noisy = extension.corrupt(x, None, STATE, **arguments(GAUSSIAN))
    from_float = extension.corrupt(x.float() / 255, None, STATE, **arguments(GAUSSIAN))
    assert torch.equal(bits(noisy), bits(from_float))


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("copies", [1, 3])
def test_gaussian_values(rows, columns, copies):
    x = pixels(rows, columns)
    address = dict(copies=copies, row_offset=2**32 - 2, step_offset=2**32 - 1, site=65535)
    words = expected_words(STATE, rows, -(-columns // 4) * 4, **address)
    expected = x.double().numpy() + 0.5 * expected_normals(words)[:, :, :columns]
    out = extension.corrupt(x, None, STATE, **arguments(GAUSSIAN, 0.5, **address))
    clipped = extension.corrupt(x, None, STATE, **arguments(CLIP, 0.5, low=0.25, high=0.75, **address))
    np.testing.assert_allclose(out.numpy(), expected, rtol=0, atol=1e-6)
    assert torch.equal(clipped, out.clamp(0.25, 0.75))


def threshold_cases(words):
    """Probabilities at, just below and just above the uniform of a drawn word: where float32 would decide wrongly."""
    uniform = (float(words.ravel()[0]) + 0.5) * 2.0**-32
    return [0.0, 1e-300, 2.0**-33, 0.3, uniform, np.nextafter(uniform, 0), np.nextafter(uniform, 1), 1 - 2.0**-53, 1.0]


def test_masking_decides_exactly():
    x = pixels(50, 100) + 1
    words = expected_words(STATE, 50, 100)[0]
    uniforms = torch.from_numpy((words.astype(np.float64) + 0.5) * 2.0**-32)
    for drop in threshold_cases(words):
        out = extension.corrupt(x, None, STATE, **arguments(MASKING, drop))[0]
        assert torch.equal(out, torch.where(uniforms < drop, 0.0, x)), f"drop = {drop!r}"


def test_salt_and_pepper_decides_exactly():
    x = pixels(50, 100)
    words = expected_words(STATE, 50, 100)[0]
    uniforms = torch.from_numpy((words.astype(np.float64) + 0.5) * 2.0**-32)
    for p in [*threshold_cases(words), min(1.0, 2 * float(uniforms.min()))]:
        out = extension.corrupt(x, None, STATE, **arguments(SALT_AND_PEPPER, p, low=-1.0, high=2.0))[0]
        expected = torch.where(uniforms < p / 2, -1.0, torch.where(uniforms < p, 2.0, x))
        assert torch.equal(out, expected), f"p = {p!r}"


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_index_gathers_rows_and_addresses_positions(dtype):
    x = (pixels(6, 70) * 255).to(dtype)
    index = torch.tensor([5, 0, 5, 2])
    out = extension.corrupt(x, index, STATE, **arguments(GAUSSIAN, copies=2))
    expected = extension.corrupt(x[index], None, STATE, **arguments(GAUSSIAN, copies=2))
    assert torch.equal(bits(out), bits(expected))
    assert not torch.equal(out[:, 0], out[:, 2]), "equal rows at different positions have different noise"


@pytest.mark.parametrize("bad", [-1, 6, 2**40])
def test_index_out_of_range_names_index_position_and_bound(bad):
    with pytest.raises(IndexError, match=rf"index must be in 0\.\.5, the rows of x, got {bad} at position 2"):
        extension.corrupt(pixels(6, 4), torch.tensor([0, 5, bad, 1]), STATE, **arguments(NONE))


def test_index_is_checked_before_anything_is_written():
    x, index, out = pixels(6, 4), torch.tensor([0, 1, 9]), torch.full((1, 3, 4), 7.0)
    source = (x.data_ptr(), "float32", 6, index.data_ptr(), STATE.data_ptr())
    with pytest.raises(IndexError):
        extension.load().corrupt(source, 3, 4, extension.draw(NONE, 0.0, 0.0, 1.0, 1, 0, 0), out.data_ptr(), 1)
    assert (out == 7).all()


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("kind", range(5))
def test_backward_passes_gradients_where_x_came_through(rows, columns, copies, kind):
    # x is far from low, high and 0, so "came through" is visible in the forward result.
    x = pixels(rows, columns) * 0.5 + 0.25
    address = dict(copies=copies, row_offset=3, site=1)
    grad = torch.randn(copies, rows, columns, generator=torch.Generator().manual_seed(2))
    call = arguments(kind, 0.4, low=0.0, high=1.0, **address)
    out = extension.corrupt(x, None, STATE, **call)
    came_through = {CLIP: (out > 0) & (out < 1), MASKING: out != 0, SALT_AND_PEPPER: out == x}
    passed = torch.where(came_through.get(kind, torch.tensor(True)), grad, 0.0)
    expected = torch.zeros(rows, columns)
    for copy in passed:
        expected += copy
    assert torch.equal(extension.corrupt_backward(grad, x, None, STATE, **call), expected)


def test_backward_with_an_index_is_per_output_row():
    x, index, grad = pixels(4, 10) * 255, torch.tensor([3, 3, 0]), torch.ones(1, 3, 10)
    x = x.to(torch.uint8)
    dx = extension.corrupt_backward(grad, x, index, STATE, **arguments(CLIP, 0.7))
    assert torch.equal(dx, extension.corrupt_backward(grad, x[index], None, STATE, **arguments(CLIP, 0.7)))
    assert 0 < dx.sum() < 30


def test_gradient_passes_on_the_boundaries_of_the_clip():
    x, grad = torch.tensor([[0.0, 1.0, 0.5, -0.1, 1.1]]), torch.ones(1, 1, 5)
    dx = extension.corrupt_backward(grad, x, None, STATE, **arguments(CLIP, 0.0))
    assert dx.tolist() == [[1, 1, 1, 0, 0]]


@pytest.mark.parametrize(("rows", "columns"), [(0, 5), (5, 0)])
def test_empty_inputs_give_empty_results(rows, columns):
    x = torch.empty(rows, columns)
    assert extension.corrupt(x, None, STATE, **arguments(GAUSSIAN, copies=2)).shape == (2, rows, columns)
    dx = extension.corrupt_backward(torch.empty(2, rows, columns), x, None, STATE, **arguments(GAUSSIAN, copies=2))
    assert dx.shape == (rows, columns)


@pytest.mark.parametrize(
    ("x", "index", "message"),
    [
        (torch.zeros(4, 5).T, None, "x must be a contiguous .* got a strided"),
        (torch.zeros(4, 6)[:, ::2], None, "x must be a contiguous 2-D CPU tensor of float32 or uint8, got a strided"),
        (torch.zeros(4, 4, dtype=torch.float64), None, "got a contiguous 2-D cpu tensor of float64"),
        (torch.zeros(4), None, "got a contiguous 1-D cpu tensor"),
        (torch.zeros(4, 4), torch.tensor([0], dtype=torch.int32), "index must be a contiguous 1-D CPU tensor of int64"),
    ],
)
def test_tensors_of_another_form_are_refused(x, index, message):
    with pytest.raises(ValueError, match=message):
        extension.corrupt(x, index, STATE, **arguments(NONE))


@pytest.mark.parametrize(("name", "value"), [("site", 65536), ("copies", 65537)])
def test_numbers_out_of_range_are_refused(name, value):
    call = arguments(NONE) | {name: value}
    with pytest.raises(ValueError, match=rf"{name} must be in .*, got {value}"):
        extension.corrupt(torch.zeros(1, 1), None, STATE, **call)


def test_build_info_and_availability():
    info = extension.load().build_info()
    assert info["openmp"] is True and info["max_threads"] >= 1 and info["compiler"]
