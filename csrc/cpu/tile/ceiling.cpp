#include "ceiling.h"

#include <chrono>

#include "vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int kChains = 12;       // enough to hide the latency, few enough for sixteen registers
constexpr int64_t kRounds = 1 << 16;

// Multiplies and adds in registers only; start and result keep the compiler from leaving them out.
__attribute__((noinline)) float rounds_of_multiply_adds(int64_t rounds, float start) {
  Float sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = broadcast(start + static_cast<float>(i) * 1e-3f);
  const Float factor = broadcast(0.999f), term = broadcast(1e-3f);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
  }
  Float total = Float{};
  for (int i = 0; i < kChains; ++i) total += sums[i];
  return sum_of(total);
}

double multiply_adds(double seconds, int threads) {
  using Clock = std::chrono::steady_clock;
  double rate = 0.0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    float value = 0.0f;
    int64_t rounds = 0;
    const auto started = Clock::now();
    double elapsed = 0.0;
    while (elapsed < seconds) {
      value = rounds_of_multiply_adds(kRounds, value * 1e-3f);
      rounds += kRounds;
      elapsed = std::chrono::duration<double>(Clock::now() - started).count();
    }
    // the values stay finite; asking makes the work count
    if (value < 1e6f) rate += 2.0 * kChains * kLanes * static_cast<double>(rounds) / elapsed * 1e-9;
  }
  return rate;
}

}  // namespace

CeilingKernels ceiling_kernels() { return {multiply_adds}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
