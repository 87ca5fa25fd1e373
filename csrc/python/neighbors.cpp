#include "../k_smallest.h"
#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

Points checked_points(const char* name, Address values, int number, int64_t rows, int64_t columns) {
  require_between("number", number, 0, 2);
  require_between(name, rows, 1, INT32_MAX);
  require_between("columns", columns, 1, kLargestColumns);
  return {pointer<const void>(values), static_cast<Number>(number), rows, columns};
}

// queries = 0: the points' own neighbours. The results are [query_rows, k], or [point_rows, k] then.
void nearest_neighbors(Address points, int64_t point_rows, Address queries, int64_t query_rows, int64_t columns,
                       int number, int64_t k, Address distances, Address indices, int64_t block, int threads) {
  NeighborSearch search = {};
  search.points = checked_points("point rows", points, number, point_rows, columns);
  if (queries) search.queries = checked_points("query rows", queries, number, query_rows, columns);
  require_between("k", k, 1, std::min(queries ? point_rows : point_rows - 1, kLargestK));
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
