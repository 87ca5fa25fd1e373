// Activations of a vector, and their gradients from what the forward pass left.
#pragma once

#include "../tile/exponential.h"
#include "../tile/numbers.h"
#include "element.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE Float activate(Float x, Activation activation) {
  const Float zero = {};
  if (activation == Activation::relu) return x < zero ? zero : x;  // NaN stays
  if (activation == Activation::none) return x;
  return 1.0f / (1.0f + exp2_of(x * -1.44269504f));
}

// kLanes (or `count`) bytes as floats, and back.
FASTDAAE_INLINE Float load_bytes(const uint8_t* from, int64_t count) {
  if (count >= kLanes) return load_float(from);
  uint8_t bytes[kLanes] = {};
  std::memcpy(bytes, from, static_cast<size_t>(count));
  return load_float(bytes);
}

FASTDAAE_INLINE void store_bytes(uint8_t* to, Float x, int64_t count) {
  typedef uint8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));
  const Bytes bytes = __builtin_convertvector(__builtin_convertvector(x, Int), Bytes);
  std::memcpy(to, &bytes, static_cast<size_t>(count < kLanes ? count : kLanes));
}

// Numbers that are read as they stand.
FASTDAAE_INLINE bool only_floats(const LayerGradient& g) {
  return g.grad.type == NumberType::float32 && g.saved.type == NumberType::float32 && !g.shared && g.scale == 1.0f;
}

// The gradient before the activation of row `pair` = copy * rows + row: columns first..first+kLanes-1, or `count` of
// them. `floats` says that only_floats(g), which leaves few branches.
template <bool floats>
FASTDAAE_INLINE Float gradient_at(const LayerGradient& g, int64_t pair, int64_t first, int64_t count) {
  const int64_t own = pair * g.outputs + first;
  const int64_t at = !floats && g.shared ? pair % g.rows * g.outputs + first : own;
  const Float grad = floats ? load_floats(g.grad, at, count) : g.scale * load_numbers(g.grad, at, count);
  if (g.activation == Activation::none) return grad;
  const Float zero = {};
  const Float saved = floats ? load_floats(g.saved, own, count)
                      : g.saved.type == NumberType::byte
                          ? load_bytes(static_cast<const uint8_t*>(g.saved.numbers) + own, count)
                          : load_numbers(g.saved, own, count);
  if (g.activation == Activation::relu) return saved > zero ? grad : zero;
  return grad * saved * (1.0f - saved);
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
