// What a layer's sums go through.
#pragma once

namespace fastdaae {

// A gradient is made from the output alone, which has the sign of the input.
struct Activation {
  enum Name { none, relu, sigmoid, leaky_relu, tanh };
  Name name;
  float slope = 0.0f;  // of leaky_relu below zero, >= 0
};

// Whether the sign of the output says all that its gradient needs.
inline bool rectifies(const Activation& activation) {
  return activation.name == Activation::relu || activation.name == Activation::leaky_relu;
}

}  // namespace fastdaae
