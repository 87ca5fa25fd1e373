// Points of every kind of number and several kinds of places, for the drivers of what compares points.
#pragma once

#include "driver.h"

namespace fastdaae {
namespace sanitize {

enum class Places { spread, repeated, equal, far_off };

class AnyPoints {
 public:
  AnyPoints(int64_t rows, int64_t columns, Number number, Places places, int64_t seed)
      : number_(number),
        rows_(rows),
        columns_(columns),
        bytes_(number == Number::uint8 ? rows * columns : 0),
        floats_(number == Number::float32 ? rows * columns : 0),
        doubles_(number == Number::float64 ? rows * columns : 0) {
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = places == Places::equal ? 0 : places == Places::repeated ? i % 3 : i;
      for (int64_t k = 0; k < columns; ++k) {
        const float x = pseudo_random(seed * 1000003 + row * columns + k);
        set(i * columns + k, x, places == Places::far_off ? 1e4f : 0.0f);
      }
    }
  }

  AnyPoints(int64_t rows, int64_t columns, Choices& choose, int64_t seed)
      : AnyPoints(rows, columns, static_cast<Number>(choose.below(3)), static_cast<Places>(choose.below(4)), seed) {}

  // What number i of a row stands for.
  double at(int64_t row, int64_t k) const {
    const int64_t i = row * columns_ + k;
    if (number_ == Number::uint8) return static_cast<double>(bytes_.data()[i]) / 255.0;
    return number_ == Number::float32 ? static_cast<double>(floats_.data()[i]) : doubles_.data()[i];
  }

  Points points() const {
    const void* values = number_ == Number::uint8     ? static_cast<const void*>(bytes_.data())
                         : number_ == Number::float32 ? static_cast<const void*>(floats_.data())
                                                      : doubles_.data();
    return {values, number_, rows_, columns_};
  }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Number number() const { return number_; }
  int64_t byte(int64_t row, int64_t k) const { return bytes_.data()[row * columns_ + k]; }

 private:
  void set(int64_t i, float x, float offset) {
    if (number_ == Number::uint8) bytes_.data()[i] = static_cast<uint8_t>(x * 256.0f);
    if (number_ == Number::float32) floats_.data()[i] = x + offset;
    if (number_ == Number::float64) doubles_.data()[i] = static_cast<double>(x) + static_cast<double>(offset);
  }

  Number number_;
  int64_t rows_, columns_;
  Numbers<uint8_t> bytes_;
  Numbers<float> floats_;
  Numbers<double> doubles_;
};

inline double squared_distance(const AnyPoints& a, int64_t i, const AnyPoints& b, int64_t j) {
  double sum = 0.0;
  for (int64_t k = 0; k < a.columns(); ++k) {
    const double apart = a.at(i, k) - b.at(j, k);
    sum += apart * apart;
  }
  return sum;
}

}  // namespace sanitize
}  // namespace fastdaae
