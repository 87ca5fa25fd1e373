// What the sanitised programs share: memory that ends where the data end, so that one number too far is caught.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../../csrc/cpu/engine.h"

namespace fastdaae {
namespace sanitize {

// `count` numbers that start off any alignment but their own and end with their allocation.
template <typename T>
class Numbers {
 public:
  explicit Numbers(int64_t count) : memory_(static_cast<size_t>(count) + 1) {}

  template <typename Make>
  Numbers(int64_t count, const Make& make) : Numbers(count) {
    for (int64_t i = 0; i < count; ++i) data()[i] = static_cast<T>(make(i));
  }

  T* data() { return memory_.data() + 1; }
  const T* data() const { return memory_.data() + 1; }
  int64_t size() const { return static_cast<int64_t>(memory_.size()) - 1; }

 private:
  std::vector<T> memory_;
};

// Numbers in [0, 1) that repeat from call to call.
inline float pseudo_random(int64_t i) {
  const auto mixed = static_cast<uint32_t>(i) * 2654435761u;
  return static_cast<float>(mixed >> 8) * 0x1p-24f;
}

inline Numbers<float> random_numbers(int64_t count) { return Numbers<float>(count, pseudo_random); }

// Decisions that repeat from run to run, independent of one another: many shapes meet them in every combination.
class Choices {
 public:
  int64_t below(int64_t count) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(count));
  }
  bool toss() { return below(2) == 1; }

 private:
  uint64_t state_ = 1;
};

inline void require_that(bool holds, const char* what, const char* isa) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s does not hold\n", isa, what);
  std::exit(1);
}

inline void require_near(double got, double expected, double tolerance, const char* what, const char* isa) {
  if (std::fabs(got - expected) <= tolerance) return;
  std::fprintf(stderr, "%s: %s: expected %.9g within %.3g, got %.9g\n", isa, what, expected, tolerance, got);
  std::exit(1);
}

inline void require_finite(const Numbers<float>& numbers, const char* what, const char* isa) {
  for (int64_t i = 0; i < numbers.size(); ++i) require_that(std::isfinite(numbers.data()[i]), what, isa);
}

void drive_corruption(const Engine& engine, int threads);
void drive_chain(const Engine& engine, int threads);
void drive_layers(const Engine& engine, int threads);
void drive_parzen(const Engine& engine, int threads);
void drive_neighbors(const Engine& engine, int threads);

}  // namespace sanitize
}  // namespace fastdaae
