// What the layers' driver compares with: numbers of the types that layers take, and their sums in float64.
#pragma once

#include <cstring>

#include "driver.h"

namespace fastdaae {
namespace sanitize {

inline float float_of_half(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Cut off, not rounded: which bf16 numbers a test takes does not matter.
inline uint16_t half_below(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>(bits >> 16);
}

class Typed {
 public:
  Typed(int64_t count, Number type)
      : type_(type),
        floats_(type == Number::float32 ? count : 0),
        halves_(type == Number::bfloat16 ? count : 0),
        bytes_(type == Number::uint8 ? count : 0) {}

  template <typename Make>
  Typed(int64_t count, Number type, const Make& make) : Typed(count, type) {
    for (int64_t i = 0; i < floats_.size(); ++i) floats_.data()[i] = make(i);
    for (int64_t i = 0; i < halves_.size(); ++i) halves_.data()[i] = half_below(make(i));
    for (int64_t i = 0; i < bytes_.size(); ++i) bytes_.data()[i] = make(i) > 0.0f;
  }

  float at(int64_t i) const {
    if (type_ == Number::float32) return floats_.data()[i];
    return type_ == Number::bfloat16 ? float_of_half(halves_.data()[i]) : static_cast<float>(bytes_.data()[i]);
  }

  // What storing a number costs.
  double rounding(double value) const { return type_ == Number::bfloat16 ? std::fabs(value) * 0x1p-8 : 0.0; }

  Matrix matrix() const { return {const_cast<Typed*>(this)->memory(), type_}; }
  MutableMatrix mutable_matrix() { return {memory(), type_}; }

 private:
  void* memory() {
    if (type_ == Number::float32) return floats_.data();
    return type_ == Number::bfloat16 ? static_cast<void*>(halves_.data()) : bytes_.data();
  }

  Number type_;
  Numbers<float> floats_;
  Numbers<uint16_t> halves_;
  Numbers<uint8_t> bytes_;
};

inline Number float_or_half(Choices& choose) { return choose.toss() ? Number::bfloat16 : Number::float32; }

// A sum of products, and how far from it a kernel's may be.
struct Sum {
  double value = 0.0, error = 0.0;

  void add(float a, float b) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    value += product;
    error += std::fabs(product);
  }
  // From the sum of magnitudes to what rounding `terms` additions, and both factors, may make of it; 1e-6: activations.
  void round(int64_t terms, bool half) {
    error *= half ? 0x1p-7 : static_cast<double>(terms + 16) * 0x1p-24;
    error += 1e-6;
  }
};

struct Shape {
  int64_t rows, columns, outputs, copies;
};

// No derivative exceeds 1, so that no error of a sum grows.
inline Activation any_activation(Choices& choose) {
  return {static_cast<Activation::Name>(choose.below(5)), choose.toss() ? 0.2f : 0.0f};
}

// Bytes serve a rectifier alone.
inline Number saved_type(const Activation& activation, Choices& choose) {
  if (rectifies(activation) && choose.toss()) return Number::uint8;
  return float_or_half(choose);
}

struct Weights {
  Weights(const Shape& s, Choices& choose)
      : weight(s.outputs * s.columns, float_or_half(choose), [](int64_t i) { return pseudo_random(i + 99) - 0.5f; }),
        bias(random_numbers(s.outputs)) {
    const float* shift = choose.toss() ? bias.data() : nullptr;
    layer = {weight.matrix(), shift, s.columns, s.outputs, any_activation(choose)};
    half = choose.toss();
  }

  // One output of one row.
  Sum sum(const float* row, int64_t output) const {
    Sum made;
    for (int64_t k = 0; k < layer.inputs; ++k) made.add(row[k], weight.at(output * layer.inputs + k));
    if (layer.bias) made.add(layer.bias[output], 1.0f);
    made.round(layer.inputs, half);
    return made;
  }
  Typed weight;
  Numbers<float> bias;
  Layer layer;
  bool half;
};

inline double activated(double x, const Activation& activation) {
  switch (activation.name) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x < 0.0 ? 0.0 : x;
    case Activation::sigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Activation::leaky_relu:
      return x < 0.0 ? static_cast<double>(activation.slope) * x : x;
    case Activation::tanh:
      return std::tanh(x);
  }
  return NAN;
}

}  // namespace sanitize
}  // namespace fastdaae
