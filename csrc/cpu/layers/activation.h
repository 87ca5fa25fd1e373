// Activations of a vector, and their gradients from what the forward pass left.
#pragma once

#include "../tile/exponential.h"
#include "element.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE Float activate(Float x, Activation activation) {
  const Float zero = {};
  if (activation == Activation::relu) return x < zero ? zero : x;  // NaN stays
  if (activation == Activation::none) return x;
  return 1.0f / (1.0f + exp2_of(x * -1.44269504f));
}

// kLanes (or `count`) bytes as floats.
FASTDAAE_INLINE Float load_bytes(const uint8_t* from, int64_t count) {
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));
  Bytes bytes = {};
  if (count >= kLanes) {
    std::memcpy(&bytes, from, sizeof bytes);
  } else {
    std::memcpy(&bytes, from, static_cast<size_t>(count));
  }
  return __builtin_convertvector(__builtin_convertvector(bytes, Int), Float);
}

FASTDAAE_INLINE void store_bytes(uint8_t* to, Float x, int64_t count) {
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));
  const Bytes bytes = __builtin_convertvector(__builtin_convertvector(x, Int), Bytes);
  std::memcpy(to, &bytes, static_cast<size_t>(count < kLanes ? count : kLanes));
}

// The gradient before the activation of row `row` of copy `copy`: columns first..first+kLanes-1 or the `count` of them.
FASTDAAE_INLINE Float gradient_at(const LayerGradient& g, int64_t copy, int64_t row, int64_t first, int64_t count) {
  const int64_t own = (copy * g.rows + row) * g.outputs + first;
  const Float grad = g.scale * load_numbers(g.grad, g.shared ? row * g.outputs + first : own, count);
  if (g.activation == Activation::none) return grad;
  const Float zero = {};
  const Float saved = g.saved.type == NumberType::byte
                          ? load_bytes(static_cast<const uint8_t*>(g.saved.numbers) + own, count)
                          : load_numbers(g.saved, own, count);
  if (g.activation == Activation::relu) return saved > zero ? grad : zero;
  return grad * saved * (1.0f - saved);
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
