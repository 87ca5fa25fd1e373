// What the Python bindings share: pointers arrive as integers, sizes as int64; nothing here knows torch.
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "../cpu/engine.h"
#include "../require.h"

namespace fastdaae {
namespace python {

namespace py = pybind11;

using Address = std::uintptr_t;

template <typename T>
T* pointer(Address address) {
  return reinterpret_cast<T*>(address);
}

inline NoiseAddress checked_address(Address state, int64_t row_offset, int64_t step_offset, int64_t site) {
  require_between("site", site, 0, 65535);
  const auto* words = pointer<const int64_t>(state);
  const uint64_t step = static_cast<uint64_t>(words[2]) + static_cast<uint64_t>(step_offset);
  return {{static_cast<uint32_t>(words[0]), static_cast<uint32_t>(words[1])},
          static_cast<uint32_t>(step),
          static_cast<uint32_t>(site),
          row_offset};
}

inline Corruption checked_corruption(int kind, double amount, double low, double high) {
  require_between("kind", kind, 0, 4);
  return {static_cast<Kind>(kind), amount, low, high};
}

inline Extent checked_extent(int64_t rows, int64_t columns, int64_t copies) {
  require(rows >= 0 && columns >= 0, "rows and columns must be >= 0, got " + std::to_string(rows) + " and " +
                                         std::to_string(columns));
  require_between("copies", copies, 1, 65536);
  return {rows, columns, copies};
}

inline Source checked_source(Address x, bool is_uint8, int64_t x_rows, Address index, const Extent& extent) {
  const auto* positions = pointer<const int64_t>(index);
  if (!positions) {
    require(extent.rows <= x_rows, "rows must be <= " + std::to_string(x_rows) + ", the rows of x, got " +
                                       std::to_string(extent.rows));
  } else {
    const int64_t bad = first_index_out_of_range(positions, extent.rows, x_rows);
    if (bad >= 0) {
      throw std::out_of_range("index must be in 0.." + std::to_string(x_rows - 1) + ", the rows of x, got " +
                              std::to_string(positions[bad]) + " at position " + std::to_string(bad));
    }
  }
  return {pointer<const void>(x), is_uint8, positions, extent.columns};
}

void define_corruption(py::module_& m);
void define_chain(py::module_& m);
void define_layers(py::module_& m);
void define_parzen(py::module_& m);
void define_neighbors(py::module_& m);
void define_cuda(py::module_& m);

}  // namespace python
}  // namespace fastdaae
