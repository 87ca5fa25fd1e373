#include "layers.h"

#include "consumers.h"
#include "schedule.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kDepthAtOnce = 512;  // rows of a batch that one product of a weight's gradient contracts

template <typename Element>
void linear_in(const LayerInput& input, const Layer& layer, MutableMatrix out, int threads) {
  const CorruptedRows<Element> rows{CorruptedBatch(input)};
  const WeightRows<Element> columns{layer.weight, layer.outputs, layer.inputs};
  const ActivatedOutput consumer{layer.bias, layer.activation, out, layer.outputs};
  const ProductSize size{input.extent.copies * input.extent.rows, layer.outputs, layer.inputs, 1};
  multiply_all<Element>(size, rows, columns, consumer, threads);
}

// A batch whose columns stay in the second-level cache meets the weights where they lie: packing those would take long
// beside so few products.
bool multiplies_in_place(const LayerInput& input, const Layer& layer, bool half) {
  const int64_t numbers = input.extent.copies * input.extent.rows * input.extent.columns;
  return !half && layer.weight.type == Number::float32 && numbers * 4 <= second_level_cache() * 5 / 8;
}

void linear_in_place(const LayerInput& input, const Layer& layer, MutableMatrix out, int threads) {
  const int64_t pairs = input.extent.copies * input.extent.rows;
  const WeightInPlace rows{static_cast<const float*>(layer.weight.numbers), layer.inputs};
  const CorruptedRowsAsColumns<FloatElement> columns{CorruptedBatch(input), pairs};
  const TransposedOutput consumer{layer.bias, layer.activation, out, layer.outputs};
  multiply_all<FloatElement>({layer.outputs, pairs, layer.inputs, 1}, rows, columns, consumer, threads);
}

LayerInput plain_rows(const float* input, int64_t rows, int64_t columns) {
  const Source source = {input, Number::float32, nullptr, columns};
  return {source, {Kind::none, 0.0, 0.0, 0.0}, {{0, 0}, 0, 0, 0}, {rows, columns, 1}};
}

template <typename Element>
void linear_mean_in(const float* input, int64_t copies, int64_t rows, const Layer& layer, MutableMatrix out,
                    MutableMatrix saved, int threads) {
  const CorruptedRows<Element> inputs{CorruptedBatch(plain_rows(input, copies * rows, layer.inputs))};
  const WeightRows<Element> columns{layer.weight, layer.outputs, layer.inputs};
  const MeanOutput consumer{layer.bias, layer.activation, out, saved, rows, layer.outputs, copies};
  multiply_all<Element>({rows, layer.outputs, layer.inputs, copies}, inputs, columns, consumer, threads);
}

template <typename Element>
void linear_corrupt_in(const LayerInput& input, const Layer& layer, const CorruptedOutput& consumer, int threads) {
  const CorruptedRows<Element> rows{CorruptedBatch(input)};
  const WeightRows<Element> columns{layer.weight, layer.outputs, layer.inputs};
  multiply_all<Element>({input.extent.rows, layer.outputs, layer.inputs, 1}, rows, columns, consumer, threads);
}

// A long batch is contracted in nearly equal pieces, whose panels stay in the cache.
template <typename Element>
void weight_gradient_in(const LayerInput& input, const LayerGradient& gradient, float* weight_grad, float* bias_grad,
                        int threads) {
  const int64_t pairs = input.extent.copies * input.extent.rows;
  const int64_t pieces = std::max<int64_t>(1, ratio_up(pairs, kDepthAtOnce));  // no pairs: zeros
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const Range part = share(pairs, piece, pieces);
    const int64_t depth = part.last - part.first;
    const GradientColumns<Element> rows{gradient, part.first, depth, bias_grad, piece > 0};
    const CorruptedColumns<Element> columns{CorruptedBatch(input), part.first, depth};
    const PlainOutput consumer{weight_grad, input.extent.columns, piece > 0};
    multiply_all<Element>({gradient.outputs, input.extent.columns, depth, 1}, rows, columns, consumer, threads);
  }
}

template <typename Element>
void input_gradient_in(const LayerGradient& gradient, Matrix weight, int64_t inputs, bool sums_copies,
                       float* input_grad, int threads) {
  const GradientRows<Element> rows{gradient, sums_copies};
  const WeightColumns<Element> columns{weight, inputs, gradient.outputs};
  const PlainOutput consumer{input_grad, inputs, false};
  const int64_t count = sums_copies ? gradient.rows : gradient.copies * gradient.rows;
  multiply_all<Element>({count, inputs, gradient.outputs, 1}, rows, columns, consumer, threads);
}

void linear(const LayerInput& input, const Layer& layer, bool half, MutableMatrix out, int threads) {
  if (multiplies_in_place(input, layer, half)) {
    linear_in_place(input, layer, out, threads);
    return;
  }
  (half ? linear_in<HalfElement> : linear_in<FloatElement>)(input, layer, out, threads);
}

// Weights that are multiplied where they lie give tiles whose columns are rows of the result; its noise is added in a
// second pass, while so small a batch is still in the cache.
void linear_corrupt(const float* input, int64_t rows, const Layer& layer, bool half, const Corruption& corruption,
                    const NoiseAddress& noise, float* clean, float* noisy, int threads) {
  const LayerInput plain = plain_rows(input, rows, layer.inputs);
  const Plan plan(corruption);
  if (!multiplies_in_place(plain, layer, half)) {
    const CorruptedOutput consumer{layer.bias, layer.activation, plan, noise, clean, noisy, layer.outputs};
    (half ? linear_corrupt_in<HalfElement> : linear_corrupt_in<FloatElement>)(plain, layer, consumer, threads);
    return;
  }
  float* const made = clean ? clean : noisy;
  linear_in_place(plain, layer, {made, Number::float32}, threads);
  const Source source = {made, Number::float32, nullptr, layer.outputs};
#pragma omp parallel for num_threads(threads) if (worth_threads({rows, layer.outputs, 1})) schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    corrupted_columns(source, plan, row_noise(noise, row, 0), row, 0, layer.outputs, noisy + row * layer.outputs);
  }
}

void linear_mean(const float* input, int64_t copies, int64_t rows, const Layer& layer, bool half, MutableMatrix out,
                 MutableMatrix saved, int threads) {
  (half ? linear_mean_in<HalfElement> : linear_mean_in<FloatElement>)(input, copies, rows, layer, out, saved, threads);
}

void weight_gradient(const LayerInput& input, const LayerGradient& gradient, bool half, float* weight_grad,
                     float* bias_grad, int threads) {
  (half ? weight_gradient_in<HalfElement> : weight_gradient_in<FloatElement>)(input, gradient, weight_grad, bias_grad,
                                                                               threads);
}

void input_gradient(const LayerGradient& gradient, Matrix weight, int64_t inputs, bool sums_copies, bool half,
                    float* input_grad, int threads) {
  (half ? input_gradient_in<HalfElement> : input_gradient_in<FloatElement>)(gradient, weight, inputs, sums_copies,
                                                                             input_grad, threads);
}

}  // namespace

LayerKernels layer_kernels() { return {linear, linear_mean, linear_corrupt, weight_gradient, input_gradient}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
