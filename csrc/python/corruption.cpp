#include <tuple>

#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

void corrupt(Address x, bool x_is_uint8, int64_t x_rows, Address index, Address state, Address out, int64_t rows,
             int64_t columns, int64_t copies, int64_t row_offset, int64_t step_offset, int64_t site, int kind,
             double a, double low, double high, int threads) {
  const Extent extent = checked_extent(rows, columns, copies);
  const auto corruption = checked_corruption(kind, a, low, high);
  const auto noise = checked_address(state, row_offset, step_offset, site);
  const auto source = checked_source(x, x_is_uint8, x_rows, index, extent);
  engine().corruption.corrupt(source, corruption, noise, extent, pointer<float>(out), std::max(1, threads));
}

void corrupt_backward(Address grad, Address x, bool x_is_uint8, int64_t x_rows, Address index, Address state,
                      Address dx, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                      int64_t step_offset, int64_t site, int kind, double a, double low, double high, int threads) {
  const Extent extent = checked_extent(rows, columns, copies);
  const auto corruption = checked_corruption(kind, a, low, high);
  const auto noise = checked_address(state, row_offset, step_offset, site);
  const auto source = checked_source(x, x_is_uint8, x_rows, index, extent);
  engine().corruption.corrupt_backward(pointer<const float>(grad), source, corruption, noise, extent, pointer<float>(dx),
                             std::max(1, threads));
}

void noise_words(Address state, Address out, int64_t rows, int64_t columns, int64_t copies, int64_t row_offset,
                 int64_t step_offset, int64_t site, int threads) {
  const auto noise = checked_address(state, row_offset, step_offset, site);
  engine().corruption.noise_words(noise, checked_extent(rows, columns, copies), pointer<uint32_t>(out), std::max(1, threads));
}

py::tuple philox4x32(std::tuple<uint32_t, uint32_t, uint32_t, uint32_t> counter, std::tuple<uint32_t, uint32_t> key) {
  const auto [c0, c1, c2, c3] = counter;
  const PhiloxWords words = fastdaae::philox4x32({c0, c1, c2, c3}, {std::get<0>(key), std::get<1>(key)});
  return py::make_tuple(words.w0, words.w1, words.w2, words.w3);
}

}  // namespace

void define_corruption(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("corrupt", &corrupt, without_gil);
  m.def("corrupt_backward", &corrupt_backward, without_gil);
  m.def("noise_words", &noise_words, without_gil);
  m.def("philox4x32", &philox4x32);
}

}  // namespace python
}  // namespace fastdaae
