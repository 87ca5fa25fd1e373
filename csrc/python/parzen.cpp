#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

Points checked_points(const char* name, Address values, int number, int64_t rows, int64_t columns) {
  require_between("number", number, 0, 2);
  require(rows >= 1 && columns >= 1, std::string(name) + " must have rows and columns, got " + std::to_string(rows) +
                                         " and " + std::to_string(columns));
  return {pointer<const void>(values), static_cast<Number>(number), rows, columns};
}

void parzen_log_density(Address queries, int queries_number, int64_t rows, Address samples, int samples_number,
                        int64_t count, int64_t columns, Address bandwidths, int64_t bandwidth_count, Address out,
                        int threads) {
  require(bandwidth_count >= 1, "bandwidths must not be empty");
  engine().parzen.log_density(checked_points("queries", queries, queries_number, rows, columns),
                              checked_points("samples", samples, samples_number, count, columns),
                              pointer<const double>(bandwidths), bandwidth_count, pointer<double>(out),
                              std::max(1, threads));
}

void exp2(Address x, int64_t count, Address out) {
  engine().parzen.exp2(pointer<const float>(x), count, pointer<float>(out));
}

}  // namespace

void define_parzen(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("parzen_log_density", &parzen_log_density, without_gil);
  m.def("exp2", &exp2, without_gil);
}

}  // namespace python
}  // namespace fastdaae
