#include "corruption.h"

#include <algorithm>

#include "../machine.h"
#include "rows.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kParallelFrom = 32768;  // numbers below which waking the threads costs more than they save

// What of grad reaches x: zero where the corruption did not let x through.
template <Kind kind>
FASTDAAE_INLINE Span<Float> passed_span(const Plan& plan, const WideWords& words, Span<Float> x, Span<Float> grad) {
  if (kind == Kind::gaussian_clip) {
    const Span<Float> y = with_normals(plan, words, x);
    return {(y.first >= plan.low) & (y.first <= plan.high) ? grad.first : Float{},
            (y.second >= plan.low) & (y.second <= plan.high) ? grad.second : Float{}};
  }
  const Span<Word> w = words_of_columns(words);
  return {plan.changed.above(w.first) ? Float{} : grad.first, plan.changed.above(w.second) ? Float{} : grad.second};
}

template <Kind kind, typename Number>
void add_passed(const float* grad, const Number* from, const Plan& plan, const RowNoise& noise, int64_t columns,
                float* dx) {
  const RowSchedule schedule(noise);
  Wide products = first_products(0);
  for (int64_t column = 0; column < columns; column += kSpan, products += kNextSpan) {
    const int64_t left = columns - column;
    Span<Float> passed = load_span(grad + column, left);
    if (kind != Kind::gaussian) {
      const Span<Float> x = kind == Kind::gaussian_clip ? load_span(from + column, left) : Span<Float>{};
      passed = passed_span<kind>(plan, words_of_counters(schedule, products), x, passed);
    }
    const Span<Float> sum = load_span(dx + column, left);
    store_span(dx + column, {sum.first + passed.first, sum.second + passed.second}, left);
  }
}

template <typename Number>
void add_passed(const float* grad, const Source& source, const Plan& plan, const RowNoise& noise, int64_t row,
                float* dx) {
  const int64_t start = (source.index ? source.index[row] : row) * source.columns;
  const Number* from = static_cast<const Number*>(source.values) + start;
  switch (plan.kind) {
    case Kind::none:
    case Kind::gaussian:
      return add_passed<Kind::gaussian>(grad, from, plan, noise, source.columns, dx);
    case Kind::gaussian_clip:
      return add_passed<Kind::gaussian_clip>(grad, from, plan, noise, source.columns, dx);
    case Kind::masking:
    case Kind::salt_and_pepper:
      return add_passed<Kind::masking>(grad, from, plan, noise, source.columns, dx);
  }
}

void noise_words_row(const RowNoise& noise, int64_t columns, uint32_t* out) {
  const RowSchedule schedule(noise);
  Wide products = first_products(0);
  for (int64_t column = 0; column < columns; column += kSpan, products += kNextSpan) {
    const Span<Word> words = words_of_columns(words_of_counters(schedule, products));
    uint32_t numbers[kSpan];
    store(numbers, words.first);
    store(numbers + kLanes, words.second);
    std::memcpy(out + column, numbers, static_cast<size_t>(std::min<int64_t>(kSpan, columns - column)) * sizeof(uint32_t));
  }
}

bool worth_threads(const Extent& extent) { return extent.copies * extent.rows * extent.columns > kParallelFrom; }

void corrupt(const Source& source, const Corruption& corruption, const NoiseAddress& noise, const Extent& extent,
             float* out, int threads) {
  const Plan plan(corruption);
  const int64_t pairs = extent.copies * extent.rows;
  prefer_large_pages(out, static_cast<size_t>(pairs * extent.columns) * sizeof(float));
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t copy = pair / extent.rows, row = pair % extent.rows;
    float* to = out + pair * extent.columns;
    corrupted_columns(source, plan, row_noise(noise, row, copy), row, 0, extent.columns, to);
  }
}

void corrupt_backward(const float* grad, const Source& source, const Corruption& corruption, const NoiseAddress& noise,
                      const Extent& extent, float* dx, int threads) {
  const Plan plan(corruption);
  const auto add_row = source.is_uint8 ? add_passed<uint8_t> : add_passed<float>;
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t row = 0; row < extent.rows; ++row) {
    float* sum = dx + row * extent.columns;
    std::fill(sum, sum + extent.columns, 0.0f);
    for (int64_t copy = 0; copy < extent.copies; ++copy) {
      const float* grad_row = grad + (copy * extent.rows + row) * extent.columns;
      add_row(grad_row, source, plan, row_noise(noise, row, copy), row, sum);
    }
  }
}

void noise_words(const NoiseAddress& noise, const Extent& extent, uint32_t* out, int threads) {
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t pair = 0; pair < extent.copies * extent.rows; ++pair) {
    const int64_t copy = pair / extent.rows, row = pair % extent.rows;
    noise_words_row(row_noise(noise, row, copy), extent.columns, out + pair * extent.columns);
  }
}

}  // namespace

CorruptionKernels corruption_kernels() { return {corrupt, corrupt_backward, noise_words}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
