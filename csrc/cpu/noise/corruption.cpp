#include "corruption.h"

#include <algorithm>

#include "rows.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kParallelFrom = 32768;  // numbers below which waking the threads costs more than they save

void corrupt_row(const Source& source, const Plan& plan, const RowNoise& noise, int64_t row, float* out) {
  corrupted_columns(source, plan, noise, row, 0, source.columns, out);
}

// dx += the part of grad that reaches x.
void corrupt_backward_row(const float* grad, const Source& source, const Plan& plan,
                                          const RowNoise& noise, int64_t row, float* dx) {
  for (int64_t column = 0; column < source.columns; column += kBlock) {
    const int64_t width = std::min<int64_t>(kBlock, source.columns - column);
    float x[kBlock] = {}, passed[kBlock] = {}, sum[kBlock] = {};
    if (plan.kind == Kind::gaussian_clip) load_block(source, row, column, width, x);
    move_block(passed, grad + column, width);
    move_block(sum, dx + column, width);
    stop_block(plan, noise, static_cast<uint32_t>(column / 4), x, passed);
    for (int j = 0; j < kBlock; ++j) sum[j] += passed[j];
    move_block(dx + column, sum, width);
  }
}

void noise_words_row(const RowNoise& noise, int64_t columns, uint32_t* out) {
  for (int64_t column = 0; column < columns; column += kBlock) {
    uint32_t words[kBlock];
    fill_words(noise, static_cast<uint32_t>(column / 4), words);
    move_block(out + column, words, std::min<int64_t>(kBlock, columns - column));
  }
}

static bool worth_threads(const Extent& extent) {
  return extent.copies * extent.rows * extent.columns > kParallelFrom;
}

void corrupt(const Source& source, const Corruption& corruption, const NoiseAddress& noise, const Extent& extent,
             float* out, int threads) {
  const Plan plan(corruption);
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t pair = 0; pair < extent.copies * extent.rows; ++pair) {
    const int64_t copy = pair / extent.rows, row = pair % extent.rows;
    corrupt_row(source, plan, row_noise(noise, row, copy), row, out + pair * extent.columns);
  }
}

void corrupt_backward(const float* grad, const Source& source, const Corruption& corruption, const NoiseAddress& noise,
                      const Extent& extent, float* dx, int threads) {
  const Plan plan(corruption);
#pragma omp parallel for num_threads(threads) if (worth_threads(extent)) schedule(static)
  for (int64_t row = 0; row < extent.rows; ++row) {
    float* sum = dx + row * extent.columns;
    std::fill(sum, sum + extent.columns, 0.0f);
    for (int64_t copy = 0; copy < extent.copies; ++copy) {
      const float* grad_row = grad + (copy * extent.rows + row) * extent.columns;
      corrupt_backward_row(grad_row, source, plan, row_noise(noise, row, copy), row, sum);
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
