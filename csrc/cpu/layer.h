// Fully connected layers and networks of them. Matrices are row-major and dense; sizes are int64.
#pragma once

#include "activation.h"
#include "number.h"

namespace fastdaae {

struct Matrix {
  const void* numbers;
  Number type;
};

struct MutableMatrix {
  void* numbers;
  Number type;
};

// activation(x W^T + b): weight [outputs, inputs], float32 or bfloat16; bias [outputs], float32, or null.
struct Layer {
  Matrix weight;
  const float* bias;
  int64_t inputs, outputs;
  Activation activation;
};

// Layers that follow one another.
struct Network {
  const Layer* layers;
  int64_t count;
};

}  // namespace fastdaae
