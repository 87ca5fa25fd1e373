#include "ceiling.h"

#include <chrono>

#include "vector.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int kChains = 12;       // enough to hide the latency, few enough for sixteen registers
constexpr int64_t kRounds = 1 << 16;

// One instruction each: sum + factor * term in every lane, with so many products a lane.
struct Floats {
  static constexpr int kProducts = 1;
  static FASTDAAE_INLINE Float step(Float sum, Float factor, Float term) { return sum * factor + term; }
};

#if defined(__AVX512VNNI__)
struct Bytes {
  static constexpr int kProducts = 4;
  static FASTDAAE_INLINE Float step(Float sum, Float factor, Float term) {
    // GCC copies the accumulators around the intrinsic, as in bytes.h
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(factor), "v"(term));
    return sum;
  }
};
#endif

#if defined(__AVX512BF16__)
struct Halves {
  static constexpr int kProducts = 2;
  static FASTDAAE_INLINE Float step(Float sum, Float factor, Float term) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(factor), "v"(term));
    return sum;
  }
};
#endif

// Multiplies and adds in registers only; start and result keep the compiler from leaving them out.
template <typename Step>
__attribute__((noinline)) float rounds_of_multiply_adds(int64_t rounds, float start) {
  Float sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = broadcast(start + static_cast<float>(i) * 1e-3f);
  const Float factor = broadcast(0.999f), term = broadcast(1e-3f);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = Step::step(sums[i], factor, term);
  }
  Float total = Float{};
  for (int i = 0; i < kChains; ++i) total += sums[i];
  return sum_of(total);
}

template <typename Step>
double rate(double seconds, int threads) {
  using Clock = std::chrono::steady_clock;
  double rate = 0.0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    float value = 0.0f;
    int64_t rounds = 0;
    const auto started = Clock::now();
    double elapsed = 0.0;
    while (elapsed < seconds) {
      value = rounds_of_multiply_adds<Step>(kRounds, value * 1e-3f);
      asm volatile("" : : "r"(&value) : "memory");  // whatever the numbers became, they count as read
      rounds += kRounds;
      elapsed = std::chrono::duration<double>(Clock::now() - started).count();
    }
    rate += 2.0 * Step::kProducts * kChains * kLanes * static_cast<double>(rounds) / elapsed * 1e-9;
  }
  return rate;
}

}  // namespace

CeilingKernels ceiling_kernels() {
  CeilingKernels kernels = {rate<Floats>, nullptr, nullptr};
#if defined(__AVX512VNNI__)
  kernels.bytes = rate<Bytes>;
#endif
#if defined(__AVX512BF16__)
  kernels.bf16 = rate<Halves>;
#endif
  return kernels;
}

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
