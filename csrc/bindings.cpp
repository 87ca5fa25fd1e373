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

#include "cpu/corruption.h"

namespace py = pybind11;

namespace {

using Address = std::uintptr_t;
using fastdaae::Extent;

template <typename T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

Extent checked_extent(int64_t rows, int64_t columns, int64_t copies) {
  require(rows >= 0 && columns >= 0, "rows and columns must be >= 0, got " + std::to_string(rows) + " and " +
                                         std::to_string(columns));
  require(copies >= 1 && copies <= 65536, "copies must be in 1..65536, got " + std::to_string(copies));
  return {rows, columns, copies};
}

fastdaae::NoiseAddress checked_address(Address state, int64_t row_offset, int64_t step_offset, int64_t site) {
  require(site >= 0 && site <= 65535, "site must be in 0..65535, got " + std::to_string(site));
  const auto* words = pointer<const int64_t>(state);
  const uint64_t step = static_cast<uint64_t>(words[2]) + static_cast<uint64_t>(step_offset);
  return {{static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1])},
          static_cast<uint32_t>(step),
          static_cast<uint32_t>(site),
          row_offset};
}

fastdaae::Corruption checked_corruption(int kind, double amount, double low, double high) {
  require(kind >= 0 && kind <= 4, "kind must be in 0..4, got " + std::to_string(kind));
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
  fastdaae::corrupt(source, corruption, noise, extent, pointer<float>(out), std::max(1, threads));
}

void corrupt_backward(Address grad, Address x, bool x_is_uint8, int64_t x_rows, Address index, Address state,
                      Address dx, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                      int64_t step_offset, int64_t site, int kind, double a, double low, double high, int threads) {
  const Extent extent = checked_extent(rows, columns, copies);
  const auto corruption = checked_corruption(kind, a, low, high);
  const auto noise = checked_address(state, row_offset, step_offset, site);
  const auto source = checked_source(x, x_is_uint8, x_rows, index, extent);
  fastdaae::corrupt_backward(pointer<const float>(grad), source, corruption, noise, extent, pointer<float>(dx),
                             std::max(1, threads));
}

void noise_words(Address state, Address out, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                 int64_t step_offset, int64_t site, int threads) {
  const auto noise = checked_address(state, row_offset, step_offset, site);
  fastdaae::noise_words(noise, checked_extent(rows, columns, copies), pointer<uint32_t>(out), std::max(1, threads));
}

py::tuple philox4x32(std::tuple<uint32_t, uint32_t, uint32_t, uint32_t> counter, std::tuple<uint32_t, uint32_t> key) {
  const auto [c0, c1, c2, c3] = counter;
  const auto words = fastdaae::philox4x32({c0, c1, c2, c3}, {std::get<0>(key), std::get<1>(key)});
  return py::make_tuple(words.w0, words.w1, words.w2, words.w3);
}

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
  return info;
}

}  // namespace

PYBIND11_MODULE(_C, m, py::mod_gil_not_used()) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("corrupt", &corrupt, without_gil);
  m.def("corrupt_backward", &corrupt_backward, without_gil);
  m.def("noise_words", &noise_words, without_gil);
  m.def("philox4x32", &philox4x32);
  m.def("build_info", &build_info);
}
