#include "arguments.h"
#ifdef FASTDAAE_CUDA
#include "../cuda/checked.h"
#endif

namespace fastdaae {
namespace python {

#ifdef FASTDAAE_CUDA

namespace {

void* stream_handle(Address stream) { return pointer<void>(stream); }

py::tuple neighbor_layout(int64_t k) {
  require_between("k", k, 1, kLargestK);
  const int64_t capacity = candidate_capacity(k, kNeighborTile);
  return py::make_tuple(kNeighborTile, kNeighborDepth, capacity);
}

void nearest_neighbors_cuda(int device, Address stream, Address points_transposed, Address queries_transposed,
                            Address point_norms, Address query_norms, Address points, Address queries, bool is_float64,
                            bool self_join, int64_t point_count, int64_t query_count, int64_t columns, int64_t k,
                            Address candidates, int64_t chunk, int64_t capacity, Address counts, Address distances,
                            Address indices) {
  const DeviceNeighborSearch search = {
      pointer<const float>(points_transposed), pointer<const float>(queries_transposed),
      pointer<const float>(point_norms), pointer<const float>(query_norms), pointer<const void>(points),
      pointer<const void>(queries), is_float64, self_join, point_count, query_count, columns, k,
      pointer<Candidate>(candidates), chunk, capacity, pointer<int32_t>(counts), pointer<void>(distances),
      pointer<int64_t>(indices)};
  checked::nearest_neighbors(device, stream_handle(stream), search);
}

void intrinsic_dimension_cuda(int device, Address stream, Address distances, bool is_float64, int64_t points, int64_t k,
                              Address partial, Address moments, Address per_point) {
  checked::log_ratio_moments(device, stream_handle(stream),
                                       {pointer<const void>(distances), is_float64, points, k, pointer<double>(partial),
                                        pointer<double>(moments), pointer<double>(per_point)});
}

}  // namespace

void define_cuda(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("cuda_built", [] { return true; });
  m.def("device_count", &device_count);
  m.def("cuda_problem", &checked::problem);
  m.def("neighbor_layout", &neighbor_layout);
  m.def("log_ratio_rows", [] { return kLogRatioRows; });
  m.def("nearest_neighbors_cuda", &nearest_neighbors_cuda, without_gil);
  m.def("intrinsic_dimension_cuda", &intrinsic_dimension_cuda, without_gil);
}
#else
void define_cuda(py::module_& m) {
  m.def("cuda_built", [] { return false; });
  m.def("device_count", [] { return 0; });
}
#endif

}  // namespace python
}  // namespace fastdaae
