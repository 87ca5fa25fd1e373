#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

MutableMatrix mutable_matrix(const char* name, const NumbersArguments& numbers) {
  const Matrix matrix = checked_matrix(name, numbers);
  return {pointer<void>(std::get<0>(numbers)), matrix.type};
}

// Bytes say the sign of a rectifier's output.
Number checked_saved(const NumbersArguments& saved, const Activation& activation) {
  if (rectifies(activation)) {
    return checked_number("saved", std::get<1>(saved), {Number::float32, Number::bfloat16, Number::uint8});
  }
  return checked_number("saved", std::get<1>(saved), {Number::float32, Number::bfloat16});
}

LayerGradient checked_gradient(const GradientArguments& arguments) {
  const auto& [grad, saved, name, slope, shared, scale, copies, rows, outputs] = arguments;
  require(copies >= 1 && rows >= 0 && outputs >= 0, "copies must be >= 1, rows and outputs >= 0");
  const Activation activation = checked_activation(name, slope);
  const Matrix kept = {pointer<const void>(std::get<0>(saved)), checked_saved(saved, activation)};
  return {checked_matrix("grad", grad), kept, activation, shared, scale, copies, rows, outputs};
}

void linear(const SourceArguments& source, int64_t rows, const DrawArguments& draw, const LayerArguments& layer,
            bool half, const NumbersArguments& out, int threads) {
  const Layer checked = checked_layer(layer);
  engine().layers.linear(checked_input(source, rows, checked.inputs, draw), checked, half, mutable_matrix("out", out),
                         std::max(1, threads));
}

void linear_mean(Address h, int64_t rows, int64_t copies, const LayerArguments& layer, bool half,
                 const NumbersArguments& out, const NumbersArguments& saved, int threads) {
  require(copies >= 1 && rows >= 0, "copies must be >= 1 and rows >= 0");
  const Layer checked = checked_layer(layer);
  const MutableMatrix kept = {pointer<void>(std::get<0>(saved)), checked_saved(saved, checked.activation)};
  engine().layers.linear_mean(pointer<const float>(h), copies, rows, checked, half, mutable_matrix("out", out), kept,
                              std::max(1, threads));
}

// Of the layer of h, by one draw.
void linear_corrupt(Address h, int64_t rows, const LayerArguments& layer, const DrawArguments& draw, Address state,
                    bool half, Address clean, Address noisy, int threads) {
  const Layer checked = checked_layer(layer);
  const DrawnAt drawn = checked_draw(draw, checked.outputs, state);
  require(rows >= 0, "rows must be >= 0, got ", rows);
  require(drawn.copies == 1, "a layer's output is corrupted once, got copies = ", drawn.copies);
  engine().layers.linear_corrupt(pointer<const float>(h), rows, checked, half, drawn.corruption, drawn.noise,
                                 pointer<float>(clean), pointer<float>(noisy), std::max(1, threads));
}

void weight_gradient(const SourceArguments& source, int64_t rows, int64_t columns, const DrawArguments& draw,
                     const GradientArguments& gradient, bool half, Address weight_grad, Address bias_grad,
                     int threads) {
  const LayerInput input = checked_input(source, rows, columns, draw);
  const LayerGradient checked = checked_gradient(gradient);
  const int64_t given = checked.copies * checked.rows, expected = input.extent.copies * rows;
  require(given == expected, "the gradient must have ", expected, " rows, as its layer had, got ", given);
  engine().layers.weight_gradient(input, checked, half, pointer<float>(weight_grad), pointer<float>(bias_grad),
                                  std::max(1, threads));
}

void input_gradient(const GradientArguments& gradient, const NumbersArguments& weight, int64_t inputs,
                    bool sums_copies, bool half, Address dx, int threads) {
  require(inputs >= 0, "inputs must be >= 0, got ", inputs);
  engine().layers.input_gradient(checked_gradient(gradient), checked_matrix("weight", weight), inputs, sums_copies,
                                 half, pointer<float>(dx), std::max(1, threads));
}

}  // namespace

void define_layers(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("linear", &linear, without_gil);
  m.def("linear_mean", &linear_mean, without_gil);
  m.def("linear_corrupt", &linear_corrupt, without_gil);
  m.def("weight_gradient", &weight_gradient, without_gil);
  m.def("input_gradient", &input_gradient, without_gil);
}

}  // namespace python
}  // namespace fastdaae
