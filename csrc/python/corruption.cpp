#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

void corrupt(const SourceArguments& source, int64_t rows, int64_t columns, const DrawArguments& draw, Address out,
             int threads) {
  const LayerInput input = checked_input(source, rows, columns, draw);
  engine().corruption.corrupt(input.source, input.corruption, input.noise, input.extent, pointer<float>(out),
                              std::max(1, threads));
}

void corrupt_backward(Address grad, const SourceArguments& source, int64_t rows, int64_t columns,
                      const DrawArguments& draw, Address dx, int threads) {
  const LayerInput input = checked_input(source, rows, columns, draw);
  engine().corruption.corrupt_backward(pointer<const float>(grad), input.source, input.corruption, input.noise,
                                       input.extent, pointer<float>(dx), std::max(1, threads));
}

}  // namespace

void define_corruption(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("corrupt", &corrupt, without_gil);
  m.def("corrupt_backward", &corrupt_backward, without_gil);
}

}  // namespace python
}  // namespace fastdaae
