#include "corruption.h"

#include <algorithm>

#include "../machine.h"
#include "rows.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

// Sets grad to zero where the corruption did not let x through.
template <Kind kind, int spans>
FASTDAAE_INLINE void stop_spans(const Plan& plan, const WideWords* words, Span<Float>* x, Span<Float>* grad) {
  if (kind == Kind::clipped_gaussian) add_normals<spans>(plan, words, x);
#pragma GCC unroll 4
  for (int s = 0; s < spans; ++s) {
    Span<Int> stopped;
    if (kind == Kind::clipped_gaussian) {
      stopped = {~((x[s].first >= plan.low) & (x[s].first <= plan.high)),
                 ~((x[s].second >= plan.low) & (x[s].second <= plan.high))};
    } else {
      const Span<Word> w = words_of_columns(words[s]);
      stopped = {plan.changed.above(w.first), plan.changed.above(w.second)};
    }
    grad[s] = {stopped.first ? Float{} : grad[s].first, stopped.second ? Float{} : grad[s].second};
  }
}

// dx += the part of grad that reaches x.
template <Kind kind, typename T>
void add_passed(const float* grad, const T* from, const Plan& plan, const RowNoise& noise, int64_t columns,
                float* dx) {
  const RowSchedule schedule(noise);
  for_each_block(0, columns, [&](auto number, int64_t column, Wide products) __attribute__((always_inline)) {
    constexpr int spans = decltype(number)::value;
    Span<Float> passed[spans], sum[spans], x[spans];
    load_spans<spans>(grad + column, columns - column, passed);
    if (kind != Kind::none) {
      WideWords words[spans];
      words_of_counters<spans>(schedule, products, words);
      if (kind == Kind::clipped_gaussian) load_spans<spans>(from + column, columns - column, x);
      stop_spans<kind, spans>(plan, words, x, passed);
    }
    load_spans<spans>(dx + column, columns - column, sum);
#pragma GCC unroll 4
    for (int s = 0; s < spans; ++s) sum[s] = {sum[s].first + passed[s].first, sum[s].second + passed[s].second};
    store_spans<spans>(dx + column, sum, columns - column);
  });
}

// dx += grad outside the patches.
void add_unpatched(const float* grad, const Plan& plan, const RowNoise& noise, int64_t columns, float* dx) {
  constexpr int64_t kAtOnce = 1024;
  float passed[kAtOnce];
  for (int64_t first = 0; first < columns; first += kAtOnce) {
    const int64_t count = std::min(kAtOnce, columns - first);
    convert_stretch(grad + first, count, passed);
    fill_patches(plan.patches, noise, first, count, 0.0f, passed);
    for (int64_t i = 0; i < count; ++i) dx[first + i] += passed[i];
  }
}

template <typename T>
void add_passed(const float* grad, const Source& source, const Plan& plan, const RowNoise& noise, int64_t row,
                float* dx) {
  const int64_t start = (source.index ? source.index[row] : row) * source.columns;
  const T* from = static_cast<const T*>(source.values) + start;
  switch (plan.kind) {
    case Kind::none:
    case Kind::gaussian:
      return add_passed<Kind::none>(grad, from, plan, noise, source.columns, dx);
    case Kind::clipped_gaussian:
      return add_passed<Kind::clipped_gaussian>(grad, from, plan, noise, source.columns, dx);
    case Kind::masking:
    case Kind::salt_and_pepper:
      return add_passed<Kind::masking>(grad, from, plan, noise, source.columns, dx);
    case Kind::patches:
      return add_unpatched(grad, plan, noise, source.columns, dx);
  }
}

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
  const auto add_row = source.type == Number::uint8 ? add_passed<uint8_t> : add_passed<float>;
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

}  // namespace

CorruptionKernels corruption_kernels() { return {corrupt, corrupt_backward}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
