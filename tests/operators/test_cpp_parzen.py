"""The engine's Parzen window on every instruction set, against float64 differences; and what it may allocate."""

import math
import sys
import warnings

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import reference
from fastdaae.kernels.compiled import load
from fastdaae.kernels.cpp import parzen
from tests import nursery
from tests.operators.test_parzen import DATA, direct, require_promise

pytestmark = pytest.mark.needs_cpp

LADDERS = {
    "1": [0.3],
    "2": [1.0, 0.1],
    "10": np.logspace(-1, 0, 10).tolist(),
    "17": np.logspace(-1.3, 0.3, 17).tolist(),
    "40": np.logspace(-1.3, 0.3, 40)[::-1].tolist(),
}


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def ours(queries, samples, bandwidths):
    return parzen.parzen_log_density(queries, samples, torch.as_tensor(bandwidths, dtype=torch.float64))


def require_promise_for(queries, samples, bandwidths):
    require_promise(ours(queries, samples, bandwidths), direct(queries, samples, bandwidths))


def test_powers_of_two(isa):
    x = torch.cat([torch.linspace(-126, 127.99, 2_000_003), torch.linspace(-1, 1, 500_001), torch.zeros(1)])
    values = torch.empty_like(x)
    load().exp2(x.data_ptr(), len(x), values.data_ptr())
    assert float((values.double() / torch.exp2(x.double()) - 1).abs().max()) <= 2e-7
    assert values[-1] == 1
    edges = torch.tensor([-math.inf, -1e30, -127.0, 128.0, 1e30, math.inf, math.nan])
    values = torch.empty_like(edges)
    load().exp2(edges.data_ptr(), len(edges), values.data_ptr())
    assert (values[:3] == 2.0**-126).all() and (values[3:6] == math.inf).all() and values[6].isnan()


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("ladder", LADDERS)
def test_promise(isa, kind, ladder):
    require_promise_for(*DATA[kind](), LADDERS[ladder])


@pytest.mark.parametrize("columns", [1, 2, 3, 15, 16, 17, 127, 128, 129, 1024, 1025, 3072])
def test_every_width(isa, columns):
    queries, samples = torch.rand(17, columns), torch.rand(150, columns)
    require_promise_for(queries, samples, [0.05, 0.3, 2.0])
    require_promise_for((255 * queries).byte(), (255 * samples).byte(), [0.05, 0.3, 2.0])


@pytest.mark.parametrize("columns", [4097, 32768, 32769])
def test_sums_of_the_largest_bytes(isa, columns):
    """Whole numbers reach 2^31 at 33,026 columns, from where on bytes are multiplied as floats."""
    samples = torch.randint(0, 256, (20, columns), dtype=torch.uint8)
    samples[:3], samples[3:5], samples[5, ::2] = 255, 0, 255
    require_promise_for(samples[:9] ^ 1, samples, [0.05, 0.3, 2.0, 40.0])


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 13, 14, 15, 16, 31, 32, 33])
def test_every_count(isa, count):
    few, many = torch.rand(count, 20), torch.rand(100, 20)
    for queries, samples in ((few, many), (many, few), (few, few)):
        require_promise_for(queries, samples, [0.05, 0.3, 2.0])


@pytest.mark.parametrize("kinds", [(a, b) for a in ("u", "f", "d") for b in ("u", "f", "d")], ids="".join)
def test_every_pair_of_dtypes(isa, kinds):
    make = {
        "u": lambda rows: torch.randint(0, 256, (rows, 37), dtype=torch.uint8),
        "f": lambda rows: torch.rand(rows, 37),
        "d": lambda rows: torch.rand(rows, 37, dtype=torch.float64),
    }
    require_promise_for(make[kinds[0]](11), make[kinds[1]](70), [0.05, 0.3, 2.0])


def test_bytes_are_their_exact_values_over_255(isa):
    """Samples next to the query decide alone, so that what is left are the engine's own direct differences."""
    queries = torch.randint(0, 256, (9, 100), dtype=torch.uint8)
    samples = torch.cat([queries ^ 1, torch.randint(0, 256, (70, 100), dtype=torch.uint8)])
    expected = direct(queries, samples, [1e-3])
    for q, s in ((queries, samples), (queries, samples.double() / 255), (queries.double() / 255, samples)):
        assert torch.allclose(ours(q, s, [1e-3]), expected, rtol=1e-14, atol=1e-11)


@pytest.mark.parametrize("bandwidths", [[1e-3], [1e-3, 100.0], [100.0, 1e-2, 1e4], [1e-8, 1e8]])
def test_extreme_bandwidths(isa, bandwidths):
    queries, samples = torch.rand(9, 30), torch.cat([torch.rand(70, 30), torch.rand(3, 30) + 100])
    require_promise_for(queries, samples, bandwidths)


def test_bandwidths_at_the_ends_of_float64_give_numbers(isa):
    queries, samples = torch.rand(9, 30), torch.rand(70, 30)
    computed = ours(queries, samples, [1e-300, 1e-160, 1e160, 1e300])
    assert not computed.isnan().any()
    require_promise(computed[2:], direct(queries, samples, [1e160, 1e300]))


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e18, 1e30])
def test_units_do_not_matter(isa, scale):
    queries, samples = torch.rand(9, 30) * scale, torch.rand(70, 30) * scale
    bandwidths = [0.05 * scale, 0.5 * scale]
    require_promise_for(queries, samples, bandwidths)


@pytest.mark.parametrize("spread", [1e-4, 1e-2, 1.0])
def test_more_near_samples_than_a_list_holds(isa, spread):
    """Clusters far apart make every distance of the tiles too rough, and thousands of samples near enough to matter."""
    far = torch.tensor([0.0, 3e3])
    samples = (torch.rand(3000, 3, dtype=torch.float64) * spread) + far.repeat(1500)[:, None]
    queries = samples[:11] + spread / 10
    require_promise_for(queries, samples, [0.05, 0.2, 1.0, 2.0])


@pytest.mark.parametrize("exponent", [3.0, 7.0, 11.0])
@pytest.mark.parametrize("far", [100.0, 250.0, 3e3])
def test_a_crowd_behind_the_nearest_sample(isa, exponent, far):
    """5,000 samples that weigh exp(-exponent) each count, also where the tiles' distances are too rough to keep."""
    h, far = 0.2, torch.full((1, 3), far, dtype=torch.float64)
    shell = (
        torch.nn.functional.normalize(torch.randn(5000, 3, dtype=torch.float64), dim=1) * h * math.sqrt(2 * exponent)
    )
    nearest = torch.zeros(1, 3, dtype=torch.float64)
    require_promise_for(nearest, torch.cat([shell, nearest, far]), [h, 1.5 * h])


def test_ever_nearer_samples(isa):
    """Each sample is nearer than all before it, so that every running sum is rescaled again and again."""
    direction = torch.nn.functional.normalize(torch.randn(1, 40, dtype=torch.float64), dim=1)
    samples = torch.linspace(30, 0.01, 2500, dtype=torch.float64)[:, None] * direction
    queries = torch.zeros(3, 40, dtype=torch.float64)
    for order in (samples, samples.flip(0)):
        require_promise_for(queries, order.contiguous(), [0.05, 0.2, 1.0, 2.0])


def test_a_far_query_and_a_far_sample(isa):
    queries, samples = torch.rand(20, 30), torch.rand(200, 30)
    queries[7] += 1e6
    samples[150] -= 1e5
    require_promise_for(queries, samples, [0.05, 0.5, 2.0])


def test_a_set_of_one_point_has_no_scale(isa):
    points = torch.full((40, 5), 0.7)
    require_promise_for(points, points, [0.05, 2.0])


def test_many_chunks_and_blocks(isa):
    """More queries than a block holds, and more samples than a chunk."""
    queries, samples = torch.randn(8300, 2), torch.randn(9001, 2)
    computed = ours(queries, samples, [0.3])
    chosen = torch.tensor([0, 1, 4149, 4150, 4151, 8299])
    require_promise(computed[:, chosen], direct(queries[chosen], samples, [0.3]))


def test_laws(isa, threads):
    queries, samples, bandwidths = torch.rand(50, 60), torch.rand(700, 60), [0.05, 0.1, 0.4, 1.0]
    whole = ours(queries, samples, bandwidths)
    close = {"atol": 2e-4, "rtol": 1e-6}
    order = torch.randperm(700)
    assert torch.allclose(ours(queries, samples[order], bandwidths), whole, **close)
    assert torch.allclose(ours(queries, samples.repeat(3, 1), bandwidths), whole, **close)
    rows = torch.randperm(50)
    assert torch.allclose(ours(queries[rows], samples, bandwidths), whole[:, rows], **close)
    shards = [ours(queries, part, bandwidths) + math.log(len(part)) for part in samples.split([1, 300, 399])]
    merged = torch.logsumexp(torch.stack(shards), 0) - math.log(700)
    assert torch.allclose(merged, whole, atol=2e-3, rtol=1e-6)
    for count in (1, 2, 3, 7):
        threads(count)
        assert torch.allclose(ours(queries, samples, bandwidths), whole, **close)
        assert torch.allclose(ours(queries[:1], samples, bandwidths), whole[:, :1], **close)
    bandwidths.reverse()
    assert torch.equal(ours(queries, samples, bandwidths), ours(queries, samples, bandwidths[::-1]).flip(0))


def test_the_same_call_gives_the_same_bits(isa):
    queries, samples = torch.rand(300, 60), torch.rand(700, 60)
    assert torch.equal(ours(queries, samples, [0.1, 1.0]), ours(queries, samples, [0.1, 1.0]))


def test_no_queries():
    assert fd.ops.parzen_log_density(torch.rand(0, 4), torch.rand(5, 4), [1.0, 2.0]).shape == (2, 0)
    assert ours(torch.rand(0, 4), torch.rand(5, 4), [1.0]).shape == (1, 0)


def test_bad_pointers_are_refused():
    with pytest.raises(ValueError, match=r"queries must have the shape \[2, 4\] to fit the others, got \[2, 3\]"):
        ours(torch.rand(2, 3), torch.rand(5, 4), [1.0])
    with pytest.raises(ValueError, match="samples must be a contiguous 2-D CPU tensor"):
        ours(torch.rand(2, 3), torch.rand(5, 3, 1), [1.0])
    with pytest.raises(ValueError, match="samples must have rows and columns, got 0 and 3"):
        ours(torch.rand(2, 3), torch.rand(0, 3), [1.0])


def test_half_precision_is_widened():
    queries, samples = torch.rand(4, 9).half(), torch.rand(30, 9).bfloat16()
    assert torch.equal(ours(queries, samples, [0.3]), ours(queries.float(), samples.float(), [0.3]))


def test_registration():
    arguments = (torch.rand(4, 3), torch.rand(6, 3), torch.tensor([0.1, 1.0]).double())
    torch.library.opcheck(torch.ops.fastdaae.cpp_parzen_log_density, arguments)
    compiled = torch.compile(fd.ops.parzen_log_density, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(*arguments, backend="cpp"), ours(*arguments))


# streaming


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_memory_maps_are_read_in_place(tmp_path, dtype, mode):
    values = (np.random.default_rng(0).random((300, 20)) * (255 if dtype == np.uint8 else 1)).astype(dtype)
    np.save(tmp_path / "points.npy", values)
    points = np.load(tmp_path / "points.npy", mmap_mode=mode)
    expected = direct(torch.from_numpy(values[:7]), torch.from_numpy(values), [0.1, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        require_promise(fd.ops.parzen_log_density(points[:7], points, [0.1, 1.0]), expected)
        window = fd.ParzenWindow(0.1).fit(points)
        assert (
            np.abs(window.score_samples(points[:7]) - expected[0].numpy()).max() < 1e-3 + 1e-6 * expected[0].abs().max()
        )
    assert window.samples_.data_ptr() == points.ctypes.data
    assert np.array_equal(points, values)


def test_leave_one_out_of_a_uint8_map(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (600, 20), dtype=np.uint8)
    np.save(tmp_path / "points.npy", values)
    mapped = fd.ParzenWindow().fit(np.load(tmp_path / "points.npy", mmap_mode="r"))
    doubles = fd.ParzenWindow().fit(reference.as_double(torch.from_numpy(values)))
    difference = torch.from_numpy(mapped.validation_log_likelihoods_ - doubles.validation_log_likelihoods_)
    assert float(difference.abs().max()) < 1e-3


@pytest.mark.parametrize("order", ["reversed rows", "columns", "Fortran"])
def test_arrays_in_another_order(order):
    values = np.random.default_rng(0).random((40, 20))
    points = {"reversed rows": values[::-1], "columns": values[:, ::2], "Fortran": np.asfortranarray(values)}[order]
    expected = direct(torch.from_numpy(points.copy()[:7]), torch.from_numpy(points.copy()), [0.1, 1.0])
    require_promise(fd.ops.parzen_log_density(points[:7], points, [0.1, 1.0]), expected)


STREAMED = """
import resource, sys
import numpy as np
import fastdaae as fd

dtype, path = sys.argv[1], sys.argv[2]
samples = np.memmap(path, dtype=dtype, mode="r", shape=(200_000, 784))
queries = np.array(samples[:64])
fd.ParzenWindow(0.5).fit(queries).score_samples(queries)  # threads and libraries are there before the limit
status = open("/proc/self/status").read().split("VmData:")[1]
limit = int(status.split()[0]) * 1024 + 128 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
if sys.argv[3] == "copy":
    samples = np.array(samples)
print(float(fd.ParzenWindow(0.5).fit(samples).score_samples(queries)[0]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RLIMIT_DATA counts mappings on Linux alone")
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_nothing_of_the_size_of_the_data_is_allocated(tmp_path, dtype):
    """200,000 x 784 numbers, 150 or 600 MiB, with 128 MiB to spare: a mask of their size would already be too much."""
    path = tmp_path / "samples"
    samples = np.memmap(path, dtype=dtype, mode="w+", shape=(200_000, 784))
    white = 255 if dtype == "uint8" else 1
    samples[::500] = np.random.default_rng(0).integers(0, 2, (400, 784)) * white  # the rest is a hole in the file
    samples.flush()
    expected = direct(torch.from_numpy(samples[:1]), torch.from_numpy(np.array(samples[::500])), [0.5])
    done = nursery.run(STREAMED, dtype, path, "map")
    assert done.returncode == 0, done.stderr
    # the zeros are far away: 400 of 200,000 samples decide
    assert float(done.stdout) == pytest.approx(float(expected) - math.log(500), rel=1e-6, abs=1e-3)
    refused = nursery.run(STREAMED, dtype, path, "copy")
    assert refused.returncode != 0 and "MemoryError" in refused.stderr
