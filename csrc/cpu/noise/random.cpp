#include "random.h"

#include <algorithm>
#include <cstring>

#include "../machine.h"
#include "rows.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

// Calls use(words of some adjacent columns, the first of them, how many are wanted) until the row is done.
template <typename Use>
FASTDAAE_INLINE void for_each_words(const RowNoise& noise, int64_t columns, const Use& use) {
  const RowSchedule schedule(noise);
  for_each_block(0, columns, [&](auto number, int64_t column, Wide products) __attribute__((always_inline)) {
    constexpr int spans = decltype(number)::value;
    WideWords wide[spans];
    words_of_counters<spans>(schedule, products, wide);
    alignas(kVectorBytes) uint32_t words[spans * kSpan];
#pragma GCC unroll 4
    for (int s = 0; s < spans; ++s) {
      const Span<Word> columns_of_span = words_of_columns(wide[s]);
      store(words + s * kSpan, columns_of_span.first);
      store(words + s * kSpan + kLanes, columns_of_span.second);
    }
    use(words, column, std::min<int64_t>(spans * kSpan, columns - column));
  });
}

void words_of_row(const RowNoise& noise, int64_t columns, uint32_t* out) {
  for_each_words(noise, columns, [&](const uint32_t* words, int64_t column, int64_t count) {
    std::memcpy(out + column, words, static_cast<size_t>(count) * sizeof(uint32_t));
  });
}

// Below 2^52, whose last bit is 1, every step is exact: 2^52 + w, w + 1/2, (w + 1/2) 2^-32.
FASTDAAE_INLINE Double uniform(const uint32_t* words) {
  typedef uint32_t HalfWord __attribute__((vector_size(kVectorBytes / 2)));
  const Wide wide = __builtin_convertvector(load<HalfWord>(words), Wide);
  const Double shifted = bits_as<Double>(wide | bits_as<Wide>(broadcast(0x1p52)));
  return (shifted - (0x1p52 - 0.5)) * 0x1p-32;
}

void uniforms_of_row(const RowNoise& noise, int64_t columns, double* out) {
  for_each_words(noise, columns, [&](const uint32_t* words, int64_t column, int64_t count) {
    for (int64_t k = 0; k < count; k += kWideLanes) {
      const Double numbers = uniform(words + k);
      const int64_t kept = std::min<int64_t>(kWideLanes, count - k);
      std::memcpy(out + column + k, &numbers, static_cast<size_t>(kept) * sizeof(double));
    }
  });
}

void normals_of_row(const RowNoise& noise, int64_t columns, float* out) {
  const Plan plan({Kind::gaussian, 1.0, 0.0, 0.0});
  const RowSchedule schedule(noise);
  for_each_block(0, columns, [&](auto number, int64_t column, Wide products) __attribute__((always_inline)) {
    constexpr int spans = decltype(number)::value;
    WideWords words[spans];
    Span<Float> x[spans] = {};
    words_of_counters<spans>(schedule, products, words);
    add_normals<spans>(plan, words, x);
    store_spans<spans>(out + column, x, columns - column);
  });
}

template <typename T, typename OfRow>
void draw(const NoiseAddress& noise, const Extent& extent, const OfRow& of_row, T* out, int threads) {
  const int64_t pairs = extent.copies * extent.rows;
  prefer_large_pages(out, static_cast<size_t>(pairs * extent.columns) * sizeof(T));
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t copy = pair / extent.rows, row = pair % extent.rows;
    of_row(row_noise(noise, row, copy), extent.columns, out + pair * extent.columns);
  }
}

void words(const NoiseAddress& noise, const Extent& extent, uint32_t* out, int threads) {
  draw(noise, extent, words_of_row, out, threads);
}

void normals(const NoiseAddress& noise, const Extent& extent, float* out, int threads) {
  draw(noise, extent, normals_of_row, out, threads);
}

void uniforms(const NoiseAddress& noise, const Extent& extent, double* out, int threads) {
  draw(noise, extent, uniforms_of_row, out, threads);
}

}  // namespace

RandomKernels random_kernels() { return {words, normals, uniforms}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
