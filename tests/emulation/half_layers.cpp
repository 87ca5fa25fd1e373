// The layers in bf16 pairs, their dot step emulated in plain arithmetic: the packed path as processors with bf16 run it.
#define FASTDAAE_ISA emulated
#define FASTDAAE_EMULATED_BF16
#include "../../csrc/cpu/layers/layers.cpp"
#include "../../csrc/cpu/machine.cpp"

using namespace fastdaae;

namespace {

const LayerKernels kernels = emulated::layer_kernels();

LayerInput input_of(const float* x, int64_t rows, int64_t columns, int64_t copies) {
  const Source source = {x, Number::float32, nullptr, columns};
  return {source, {Kind::masking, 0.3, 0.0, 0.0}, {{7, 11}, 3, 2, 5}, {rows, columns, copies}};
}

LayerGradient gradient_of(const float* grad, const float* out, int64_t copies, int64_t rows, int64_t outputs) {
  return {{grad, Number::float32}, {out, Number::float32}, {Activation::relu}, false, 1.0f, copies, rows, outputs};
}

Matrix weight_of(const void* weight, int is_half) { return {weight, is_half ? Number::bfloat16 : Number::float32}; }

}  // namespace

extern "C" {

void corrupted(const float* x, int64_t rows, int64_t columns, int64_t copies, float* out) {
  const LayerInput input = input_of(x, rows, columns, copies);
  const emulated::CorruptedBatch batch(input);
  for (int64_t pair = 0; pair < copies * rows; ++pair) batch.read(pair, 0, columns, out + pair * columns);
}

void linear(const float* x, const void* weight, int weight_is_half, const float* bias, int64_t rows, int64_t columns,
            int64_t copies, int64_t outputs, float* out) {
  const Layer layer{weight_of(weight, weight_is_half), bias, columns, outputs, {Activation::relu}};
  kernels.linear(input_of(x, rows, columns, copies), layer, true, {out, Number::float32}, 1);
}

void weight_gradient(const float* grad, const float* out, const float* x, int64_t rows, int64_t columns,
                     int64_t copies, int64_t outputs, float* weight_grad, float* bias_grad) {
  kernels.weight_gradient(input_of(x, rows, columns, copies), gradient_of(grad, out, copies, rows, outputs), true,
                          weight_grad, bias_grad, 1);
}

void input_gradient(const float* grad, const float* out, const void* weight, int weight_is_half, int64_t rows,
                    int64_t columns, int64_t copies, int64_t outputs, float* input_grad) {
  kernels.input_gradient(gradient_of(grad, out, copies, rows, outputs),
                         weight_of(weight, weight_is_half), columns, false, true, input_grad, 1);
}

void linear_mean(const float* h, const void* weight, int weight_is_half, const float* bias, int64_t rows,
                 int64_t columns, int64_t copies, int64_t outputs, float* out, unsigned char* saved) {
  const Layer layer{weight_of(weight, weight_is_half), bias, columns, outputs, {Activation::relu}};
  kernels.linear_mean(h, copies, rows, layer, true, {out, Number::float32}, {saved, Number::uint8}, 1);
}
}
