// Activations of a vector, and their gradients from what the forward pass left.
#pragma once

#include "../tile/exponential.h"
#include "../tile/numbers.h"
#include "element.h"
#include "layers.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

// Each activation as code: of(x), and through(grad, y), the gradient at x made from y = of(x) alone. NaN stays NaN.
struct Identity {
  static constexpr bool kAsksOutput = false;
  FASTDAAE_INLINE Float of(Float x) const { return x; }
  FASTDAAE_INLINE Float through(Float grad, Float) const { return grad; }
};

struct Rectifier {
  static constexpr bool kAsksOutput = true;
  FASTDAAE_INLINE Float of(Float x) const { return x < Float{} ? Float{} : x; }
  FASTDAAE_INLINE Float through(Float grad, Float y) const { return y > Float{} ? grad : Float{}; }
};

struct LeakyRectifier {
  static constexpr bool kAsksOutput = true;
  float slope;
  FASTDAAE_INLINE Float of(Float x) const { return x < Float{} ? slope * x : x; }
  FASTDAAE_INLINE Float through(Float grad, Float y) const { return y > Float{} ? grad : slope * grad; }
};

struct Sigmoid {
  static constexpr bool kAsksOutput = true;
  FASTDAAE_INLINE Float of(Float x) const { return 1.0f / (1.0f + exp2_of(x * -1.44269504f)); }
  FASTDAAE_INLINE Float through(Float grad, Float y) const { return grad * y * (1.0f - y); }
};

struct HyperbolicTangent {
  static constexpr bool kAsksOutput = true;
  FASTDAAE_INLINE Float of(Float x) const { return tanh_of(x); }
  FASTDAAE_INLINE Float through(Float grad, Float y) const { return grad * ((1.0f - y) * (1.0f + y)); }
};

// Calls `use` with the code of an activation, which so is decided outside of all loops.
template <typename Use>
FASTDAAE_INLINE void with_activation(const Activation& activation, const Use& use) {
  switch (activation.name) {
    case Activation::none:
      return use(Identity{});
    case Activation::relu:
      return use(Rectifier{});
    case Activation::sigmoid:
      return use(Sigmoid{});
    case Activation::leaky_relu:
      return use(LeakyRectifier{activation.slope});
    case Activation::tanh:
      return use(HyperbolicTangent{});
  }
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
  return g.grad.type == Number::float32 && g.saved.type == Number::float32 && !g.shared && g.scale == 1.0f;
}

// The gradient before the activation of row `pair` = copy * rows + row: columns first..first+kLanes-1, or `count` of
// them. `floats` says that only_floats(g), which leaves few branches. Rounded: a sum over copies takes the very numbers
// that the copies by themselves have.
template <bool floats, typename Activated>
FASTDAAE_INLINE Float gradient_at(const LayerGradient& g, const Activated& activated, int64_t pair, int64_t first,
                                  int64_t count) {
  const int64_t own = pair * g.outputs + first;
  const int64_t at = !floats && g.shared ? pair % g.rows * g.outputs + first : own;
  const Float grad = floats ? load_floats(g.grad, at, count) : g.scale * load_numbers(g.grad, at, count);
  if (!Activated::kAsksOutput) return rounded(grad);
  const Float saved = floats ? load_floats(g.saved, own, count)
                      : g.saved.type == Number::uint8
                          ? load_bytes(static_cast<const uint8_t*>(g.saved.numbers) + own, count)
                          : load_numbers(g.saved, own, count);
  return rounded(activated.through(grad, saved));
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
