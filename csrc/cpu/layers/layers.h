// Fully connected layers whose rows may be corrupted on the way in, averaged over copies on the way out, and their
// gradients. Matrices are row-major and dense; sizes are int64.
#pragma once

#include "../layer.h"
#include "../noise/corruption.h"

namespace fastdaae {

// The rows that enter a layer: row i of copy c is the corrupted row of the source, copies one after the other.
struct LayerInput {
  Source source;
  Corruption corruption;
  NoiseAddress noise;
  Extent extent;  // columns: the depth of the product
};

// The gradient before the activation, made as it is read: scale * grad * the activation's derivative. grad is
// [copies, rows, outputs], or [rows, outputs] when all copies share it; saved [copies, rows, outputs] is the layer's
// output, or for relu and leaky_relu also bytes: 1 where it was positive, else 0.
struct LayerGradient {
  Matrix grad, saved;
  Activation activation;
  bool shared;
  float scale;
  int64_t copies, rows, outputs;
};

// `half` rounds the factors of products to bfloat16; sums are always float32.
struct LayerKernels {
  // out [copies, rows, outputs], float32 or bfloat16.
  void (*linear)(const LayerInput&, const Layer&, bool half, MutableMatrix out, int threads);

  // out [rows, outputs]: the mean over the copies of the layer of input [copies, rows, inputs], which is float32.
  // saved [copies, rows, outputs], float32 outputs or bytes as above, where its numbers are not null.
  void (*linear_mean)(const float* input, int64_t copies, int64_t rows, const Layer&, bool half, MutableMatrix out,
                      MutableMatrix saved, int threads);

  // noisy [rows, outputs] = the corrupted layer of input [rows, inputs], all float32; clean [rows, outputs]: the layer
  // itself, where not null. The numbers of linear and of corrupt after it.
  void (*linear_corrupt)(const float* input, int64_t rows, const Layer&, bool half, const Corruption&,
                         const NoiseAddress&, float* clean, float* noisy, int threads);

  // weight_grad [outputs, input columns] and bias_grad [outputs] or null.
  void (*weight_gradient)(const LayerInput&, const LayerGradient&, bool half, float* weight_grad, float* bias_grad,
                          int threads);

  // input_grad [copies, rows, inputs], or [rows, inputs] summed over the copies.
  void (*input_gradient)(const LayerGradient&, Matrix weight, int64_t inputs, bool sums_copies, bool half,
                         float* input_grad, int threads);
};

}  // namespace fastdaae
