#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

Points checked_points(const char* name, const PointsArguments& points) {
  const auto& [values, type, rows, columns] = points;
  require(rows >= 1 && columns >= 1, name, " must have rows and columns, got ", rows, " and ", columns);
  return {pointer<const void>(values), checked_number(name, type, {Number::uint8, Number::float32, Number::float64}),
          rows, columns};
}

void parzen_log_density(const PointsArguments& queries, const PointsArguments& samples, Address bandwidths,
                        int64_t count, Address out, int threads) {
  const Points asked = checked_points("queries", queries), known = checked_points("samples", samples);
  require(asked.columns == known.columns, "queries must have ", known.columns, " columns as samples have, got ",
          asked.columns);
  require(count >= 1, "bandwidths must not be empty");
  engine().parzen.log_density(asked, known, pointer<const double>(bandwidths), count, pointer<double>(out),
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
