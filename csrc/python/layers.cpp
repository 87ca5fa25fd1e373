#include <tuple>
#include <utility>

#include "arguments.h"

namespace fastdaae {
namespace python {

namespace {

NumberType checked_type(int type) {
  require_between("type", type, 0, 2);
  return static_cast<NumberType>(type);
}

Activation checked_activation(int activation) {
  require_between("activation", activation, 0, 2);
  return static_cast<Activation>(activation);
}

Precision checked_precision(int precision) {
  require_between("precision", precision, 0, 1);
  return static_cast<Precision>(precision);
}

// (address, type) of a matrix.
using Numbers = std::pair<Address, int>;

Matrix matrix(const Numbers& numbers) { return {pointer<const void>(numbers.first), checked_type(numbers.second)}; }

MutableMatrix mutable_matrix(const Numbers& numbers) {
  return {pointer<void>(numbers.first), checked_type(numbers.second)};
}

// (x, x_is_uint8, x_rows, index, state)
using SourceArguments = std::tuple<Address, bool, int64_t, Address, Address>;
// (rows, columns, copies)
using ExtentArguments = std::tuple<int64_t, int64_t, int64_t>;
// (kind, a, low, high, row_offset, step_offset, site)
using DrawArguments = std::tuple<int, double, double, double, int64_t, int64_t, int64_t>;
// (weight, bias, outputs, activation, precision)
using LayerArguments = std::tuple<Numbers, Address, int64_t, int, int>;
// (grad, saved, activation, shared, scale, copies, rows, outputs, precision)
using GradientArguments = std::tuple<Numbers, Numbers, int, bool, float, int64_t, int64_t, int64_t, int>;

LayerInput layer_input(const SourceArguments& source, const ExtentArguments& extent, const DrawArguments& draw) {
  const auto [x, is_uint8, x_rows, index, state] = source;
  const auto [rows, columns, copies] = extent;
  const auto [kind, amount, low, high, row_offset, step_offset, site] = draw;
  const Extent checked = checked_extent(rows, columns, copies);
  return {checked_source(x, is_uint8, x_rows, index, checked), checked_corruption(kind, amount, low, high),
          checked_address(state, row_offset, step_offset, site), checked};
}

Layer checked_layer(const LayerArguments& arguments, int64_t inputs) {
  const auto& [weight, bias, outputs, activation, precision] = arguments;
  require(outputs >= 0, "outputs must be >= 0, got " + std::to_string(outputs));
  return {matrix(weight), pointer<const float>(bias), outputs, inputs, checked_activation(activation),
          checked_precision(precision)};
}

LayerGradient checked_gradient(const GradientArguments& arguments) {
  const auto& [grad, saved, activation, shared, scale, copies, rows, outputs, precision] = arguments;
  require(copies >= 1 && rows >= 0 && outputs >= 0, "copies must be >= 1, rows and outputs >= 0");
  return {matrix(grad), matrix(saved), checked_activation(activation), shared, scale, copies, rows, outputs,
          checked_precision(precision)};
}

void linear(const SourceArguments& source, const ExtentArguments& extent, const DrawArguments& draw,
            const LayerArguments& layer, const Numbers& out, int threads) {
  const LayerInput input = layer_input(source, extent, draw);
  engine().layers.linear(input, checked_layer(layer, input.extent.columns), mutable_matrix(out), std::max(1, threads));
}

void linear_mean(Address input, const ExtentArguments& extent, const LayerArguments& layer, const Numbers& out,
                 const Numbers& saved, int threads) {
  const auto [rows, columns, copies] = extent;
  require(copies >= 1 && rows >= 0 && columns >= 0, "copies must be >= 1, rows and columns >= 0");
  engine().layers.linear_mean(pointer<const float>(input), copies, rows, checked_layer(layer, columns),
                              mutable_matrix(out), mutable_matrix(saved), std::max(1, threads));
}

void weight_gradient(const SourceArguments& source, const ExtentArguments& extent, const DrawArguments& draw,
                     const GradientArguments& gradient, Address weight_grad, Address bias_grad, int threads) {
  engine().layers.weight_gradient(layer_input(source, extent, draw), checked_gradient(gradient),
                                  pointer<float>(weight_grad), pointer<float>(bias_grad), std::max(1, threads));
}

void input_gradient(const GradientArguments& gradient, const Numbers& weight, int64_t inputs, bool sums_copies,
                    Address input_grad, int threads) {
  require(inputs >= 0, "inputs must be >= 0, got " + std::to_string(inputs));
  engine().layers.input_gradient(checked_gradient(gradient), matrix(weight), inputs, sums_copies,
                                 pointer<float>(input_grad), std::max(1, threads));
}

}  // namespace

void define_layers(py::module_& m) {
  const py::call_guard<py::gil_scoped_release> without_gil;
  m.def("linear", &linear, without_gil);
  m.def("linear_mean", &linear_mean, without_gil);
  m.def("weight_gradient", &weight_gradient, without_gil);
  m.def("input_gradient", &input_gradient, without_gil);
}

}  // namespace python
}  // namespace fastdaae
