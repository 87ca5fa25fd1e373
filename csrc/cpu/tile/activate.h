// What follows a product while its tile is still in the cache: the activation.
#pragma once

#include "activation.h"
#include "exponential.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

FASTDAAE_INLINE Float sigmoid_of(Float x) { return 1.0f / (1.0f + exp2_of(x * -1.44269504f)); }

template <Activation activation>
FASTDAAE_INLINE Float activated(Float x) {
  if constexpr (activation == Activation::relu) return larger(x, Float{});
  if constexpr (activation == Activation::sigmoid) return sigmoid_of(x);
  return x;
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
