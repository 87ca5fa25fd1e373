// The Python module fastdaae._cpp; only the files of this folder know Python.
#ifdef _OPENMP
#include <omp.h>
#endif

#include <optional>

#include "../cpu/progress.h"
#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

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
#if defined(__x86_64__) && defined(__GNUC__)
  info["vendor"] = __builtin_cpu_is("intel") ? "intel" : __builtin_cpu_is("amd") ? "amd" : "unknown";
#else
  info["vendor"] = "unknown";
#endif
  info["isa"] = engine().isa;
  py::list usable;
  for (const Engine& one : engines()) usable.append(one.isa);
  info["isas"] = usable;
  return info;
}

// 0 where the instruction set has no such products.
template <Ceiling CeilingKernels::*numbers>
double ceiling(double seconds, int threads) {
  const Ceiling measure = engine().ceiling.*numbers;
  return measure ? measure(seconds, std::max(1, threads)) : 0.0;
}

// (unit, done, total, seconds) of the operator at work, or none.
std::optional<std::tuple<const char*, int64_t, int64_t, double>> progress() {
  const Progress found = current_progress();
  if (!found.unit) return std::nullopt;
  return std::make_tuple(found.unit, found.done, found.total, found.seconds);
}

void define(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("build_info", &build_info);
  m.def("progress", &progress);
  m.def("choose_isa", &choose_engine);
  m.def("multiply_add_ceiling", &ceiling<&CeilingKernels::floats>, without_gil);
  m.def("byte_product_ceiling", &ceiling<&CeilingKernels::bytes>, without_gil);
  m.def("bf16_product_ceiling", &ceiling<&CeilingKernels::bf16>, without_gil);
  define_corruption(m);
  define_random(m);
  define_chain(m);
  define_layers(m);
  define_parzen(m);
  define_neighbors(m);
  define_cuda(m);
}

}  // namespace

}  // namespace python
}  // namespace fastdaae

PYBIND11_MODULE(_cpp, m, pybind11::mod_gil_not_used()) { fastdaae::python::define(m); }
