#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

template <typename T>
using Draws = void (*)(const NoiseAddress&, const Extent&, T*, int);

// Only where is asked of a draw, not what.
template <typename T>
void draw_with(Draws<T> draws, Address state, int64_t rows, int64_t columns, const DrawArguments& draw, Address out,
               int threads) {
  require(state != 0, "noise needs a state, got none");
  const DrawnAt drawn = checked_draw(draw, columns, state);
  draws(drawn.noise, checked_extent(rows, columns, drawn.copies), pointer<T>(out), std::max(1, threads));
}

void noise_words(Address state, int64_t rows, int64_t columns, const DrawArguments& draw, Address out, int threads) {
  draw_with(engine().random.words, state, rows, columns, draw, out, threads);
}

void normal(Address state, int64_t rows, int64_t columns, const DrawArguments& draw, Address out, int threads) {
  draw_with(engine().random.normals, state, rows, columns, draw, out, threads);
}

void uniform(Address state, int64_t rows, int64_t columns, const DrawArguments& draw, Address out, int threads) {
  draw_with(engine().random.uniforms, state, rows, columns, draw, out, threads);
}

py::tuple philox4x32(std::tuple<uint32_t, uint32_t, uint32_t, uint32_t> counter, std::tuple<uint32_t, uint32_t> key) {
  const auto [c0, c1, c2, c3] = counter;
  const PhiloxWords words = fastdaae::philox4x32({c0, c1, c2, c3}, {std::get<0>(key), std::get<1>(key)});
  return py::make_tuple(words.w0, words.w1, words.w2, words.w3);
}

}  // namespace

void define_random(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("noise_words", &noise_words, without_gil);
  m.def("normal", &normal, without_gil);
  m.def("uniform", &uniform, without_gil);
  m.def("philox4x32", &philox4x32);
}

}  // namespace python
}  // namespace fastdaae
