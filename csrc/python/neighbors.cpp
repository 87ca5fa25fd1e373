#include "../k_smallest.h"
#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

Points checked_points(const char* name, const PointsArguments& points) {
  const auto& [values, type, rows, columns] = points;
  const Number number = checked_number(name, type, {Number::uint8, Number::float32, Number::float64});
  require_between(name, rows, 1, INT32_MAX);
  require_between("columns", columns, 1, kLargestColumns);
  return {pointer<const void>(values), number, rows, columns};
}

// queries without an address: the points' own neighbours. The results are [query rows, k], or [point rows, k] then.
void nearest_neighbors(const PointsArguments& points, const PointsArguments& queries, int64_t k, Address distances,
                       Address indices, int64_t block, int threads) {
  NeighborSearch search = {};
  search.points = checked_points("point rows", points);
  const bool asks = std::get<0>(queries) != 0;
  if (asks) {
    search.queries = checked_points("query rows", queries);
    require(search.queries.type == search.points.type && search.queries.columns == search.points.columns,
            "queries must be of the type and columns of points");
  }
  require_between("k", k, 1, std::min(asks ? search.points.rows : search.points.rows - 1, kLargestK));
  require_between("block", block, 0, 1 << 20);
  search.k = k;
  search.block = block;
  search.distances = pointer<void>(distances);
  search.indices = pointer<int64_t>(indices);
  search.threads = std::max(1, threads);
  engine().neighbors.search(search);
}

}  // namespace

void define_neighbors(py::module_& m) {
  m.def("nearest_neighbors", &nearest_neighbors, py::call_guard<py::gil_scoped_release>());
}

}  // namespace python
}  // namespace fastdaae
