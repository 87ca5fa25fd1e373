// The Python module fastdaae._C: pointers arrive as integers, sizes as int64; nothing here knows torch.
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <tuple>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "cpu/engine.h"
#include "require.h"
#ifdef FASTDAAE_CUDA
#include "cuda/checked.h"
#endif

namespace py = pybind11;

namespace {

using Address = std::uintptr_t;
using fastdaae::Extent;
using fastdaae::require;
using fastdaae::require_between;

template <typename T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

Extent checked_extent(int64_t rows, int64_t columns, int64_t copies) {
  require(rows >= 0 && columns >= 0, "rows and columns must be >= 0, got " + std::to_string(rows) + " and " +
                                         std::to_string(columns));
  require_between("copies", copies, 1, 65536);
  return {rows, columns, copies};
}

fastdaae::NoiseAddress checked_address(Address state, int64_t row_offset, int64_t step_offset, int64_t site) {
  require_between("site", site, 0, 65535);
  const auto* words = pointer<const int64_t>(state);
  const uint64_t step = static_cast<uint64_t>(words[2]) + static_cast<uint64_t>(step_offset);
  return {{static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1])},
          static_cast<uint32_t>(step),
          static_cast<uint32_t>(site),
          row_offset};
}

fastdaae::Corruption checked_corruption(int kind, double amount, double low, double high) {
  require_between("kind", kind, 0, 4);
  return {static_cast<fastdaae::Kind>(kind), amount, low, high};
}

fastdaae::Source checked_source(Address x, bool is_uint8, int64_t x_rows, Address index, const Extent& extent) {
  const auto* positions = pointer<const int64_t>(index);
  if (!positions) {
    require(extent.rows <= x_rows, "rows must be <= " + std::to_string(x_rows) + ", the rows of x, got " +
                                       std::to_string(extent.rows));
  } else {
    const int64_t bad = fastdaae::first_index_out_of_range(positions, extent.rows, x_rows);
    if (bad >= 0) {
      throw std::out_of_range("index must be in 0.." + std::to_string(x_rows - 1) + ", the rows of x, got " +
                              std::to_string(positions[bad]) + " at position " + std::to_string(bad));
    }
  }
  return {pointer<const void>(x), is_uint8, positions, extent.columns};
}

void corrupt(Address x, bool x_is_uint8, int64_t x_rows, Address index, Address state, Address out, int64_t rows,
             int64_t columns, int64_t copies, int64_t row_offset, int64_t step_offset, int64_t site, int kind,
             double a, double low, double high, int threads) {
  const Extent extent = checked_extent(rows, columns, copies);
  const auto corruption = checked_corruption(kind, a, low, high);
  const auto noise = checked_address(state, row_offset, step_offset, site);
  const auto source = checked_source(x, x_is_uint8, x_rows, index, extent);
  fastdaae::engine().corruption.corrupt(source, corruption, noise, extent, pointer<float>(out), std::max(1, threads));
}

void corrupt_backward(Address grad, Address x, bool x_is_uint8, int64_t x_rows, Address index, Address state,
                      Address dx, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                      int64_t step_offset, int64_t site, int kind, double a, double low, double high, int threads) {
  const Extent extent = checked_extent(rows, columns, copies);
  const auto corruption = checked_corruption(kind, a, low, high);
  const auto noise = checked_address(state, row_offset, step_offset, site);
  const auto source = checked_source(x, x_is_uint8, x_rows, index, extent);
  fastdaae::engine().corruption.corrupt_backward(pointer<const float>(grad), source, corruption, noise, extent, pointer<float>(dx),
                             std::max(1, threads));
}

void noise_words(Address state, Address out, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                 int64_t step_offset, int64_t site, int threads) {
  const auto noise = checked_address(state, row_offset, step_offset, site);
  fastdaae::engine().corruption.noise_words(noise, checked_extent(rows, columns, copies), pointer<uint32_t>(out), std::max(1, threads));
}

py::tuple philox4x32(std::tuple<uint32_t, uint32_t, uint32_t, uint32_t> counter, std::tuple<uint32_t, uint32_t> key) {
  const auto [c0, c1, c2, c3] = counter;
  const auto words = fastdaae::philox4x32({c0, c1, c2, c3}, {std::get<0>(key), std::get<1>(key)});
  return py::make_tuple(words.w0, words.w1, words.w2, words.w3);
}

#ifdef FASTDAAE_CUDA
void* stream_handle(Address stream) { return pointer<void>(stream); }

py::tuple neighbor_layout(int64_t k) {
  require_between("k", k, 1, fastdaae::kLargestK);
  const int64_t capacity = fastdaae::candidate_capacity(k, fastdaae::kNeighborTile);
  return py::make_tuple(fastdaae::kNeighborTile, fastdaae::kNeighborDepth, capacity);
}

void nearest_neighbors_cuda(int device, Address stream, Address points_transposed, Address queries_transposed,
                            Address point_norms, Address query_norms, Address points, Address queries, bool is_float64,
                            bool self_join, int64_t point_count, int64_t query_count, int64_t columns, int64_t k,
                            Address candidates, int64_t chunk, int64_t capacity, Address counts, Address distances,
                            Address indices) {
  const fastdaae::NeighborSearch search = {
      pointer<const float>(points_transposed), pointer<const float>(queries_transposed),
      pointer<const float>(point_norms), pointer<const float>(query_norms), pointer<const void>(points),
      pointer<const void>(queries), is_float64, self_join, point_count, query_count, columns, k,
      pointer<fastdaae::Candidate>(candidates), chunk, capacity, pointer<int32_t>(counts), pointer<void>(distances),
      pointer<int64_t>(indices)};
  fastdaae::checked::nearest_neighbors(device, stream_handle(stream), search);
}

void intrinsic_dimension_cuda(int device, Address stream, Address distances, bool is_float64, int64_t points, int64_t k,
                              Address partial, Address moments, Address per_point) {
  fastdaae::checked::log_ratio_moments(device, stream_handle(stream),
                                       {pointer<const void>(distances), is_float64, points, k, pointer<double>(partial),
                                        pointer<double>(moments), pointer<double>(per_point)});
}

void define_cuda(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("cuda_built", [] { return true; });
  m.def("device_count", &fastdaae::device_count);
  m.def("cuda_problem", &fastdaae::checked::problem);
  m.def("neighbor_layout", &neighbor_layout);
  m.def("log_ratio_rows", [] { return fastdaae::kLogRatioRows; });
  m.def("nearest_neighbors_cuda", &nearest_neighbors_cuda, without_gil);
  m.def("intrinsic_dimension_cuda", &intrinsic_dimension_cuda, without_gil);
}
#else
void define_cuda(py::module_& m) {
  m.def("cuda_built", [] { return false; });
  m.def("device_count", [] { return 0; });
}
#endif

py::dict build_info() {
  py::dict info;
#if defined(__clang__)
  info["compiler"] = "clang " __clang_version__;
#elif defined(__GNUC__)
  info["compiler"] = "gcc " __VERSION__;
#else
  info["compiler"] = "unknown";
#endif
#ifdef _OPENMP
  info["openmp"] = true;
  info["max_threads"] = omp_get_max_threads();
#else
  info["openmp"] = false;
  info["max_threads"] = 1;
#endif
  info["isa"] = fastdaae::engine().isa;
  py::list usable;
  for (const fastdaae::Engine& one : fastdaae::engines()) usable.append(one.isa);
  info["isas"] = usable;
  return info;
}

double multiply_add_ceiling(double seconds, int threads) {
  return fastdaae::engine().ceiling.multiply_adds(seconds, std::max(1, threads));
}

}  // namespace

PYBIND11_MODULE(_C, m, py::mod_gil_not_used()) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("corrupt", &corrupt, without_gil);
  m.def("corrupt_backward", &corrupt_backward, without_gil);
  m.def("noise_words", &noise_words, without_gil);
  m.def("philox4x32", &philox4x32);
  m.def("build_info", &build_info);
  m.def("choose_isa", &fastdaae::choose_engine);
  m.def("multiply_add_ceiling", &multiply_add_ceiling, without_gil);
  define_cuda(m);
}
