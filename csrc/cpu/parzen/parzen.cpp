#include "parzen.h"

#include "stream.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kCenterRows = 4096;        // rows whose mean is the centre: any centre is right, a near one precise
constexpr int64_t kQueryBytes = 64 << 20;    // packed queries that are worked on at a time
constexpr int64_t kQueries = 16384;

void find_center(const Points& points, double factor, int threads, double* center) {
  const int64_t used = std::min(points.rows, kCenterRows), columns = points.columns;
#pragma omp parallel for num_threads(threads) if (used * columns > 32768) schedule(static)
  for (int64_t start = 0; start < columns; start += kDepthBlock) {
    Double sums[kDepthBlock / kWideLanes] = {};
    const int64_t count = std::min(kDepthBlock, columns - start);
    for (int64_t i = 0; i < used; ++i) {
      with_row(points, i * (points.rows / used), [&](const auto* row) {
        for (int64_t k = 0; k < count; k += kWideLanes) sums[k / kWideLanes] += load_double(row + start + k, count - k);
      });
    }
    for (int64_t k = 0; k < kDepthBlock; k += kWideLanes) {
      store(center + start + k, sums[k / kWideLanes] / static_cast<double>(used) * factor);
    }
  }
}

// The largest norm, and the largest root of a weighted sum.
Norms largest_norms(const CenteredRow& source, int threads) {
  const int64_t rows = source.points.rows;
  double square = 0.0, weighted = 0.0;
#pragma omp parallel for num_threads(threads) if (rows * source.points.columns > 32768) schedule(static) \
    reduction(max : square, weighted)
  for (int64_t row = 0; row < rows; ++row) {
    const SquareSums sums = square_sums(source, row);
    square = std::max(square, sums.square);
    weighted = std::max(weighted, sums.weighted);
  }
  return {std::sqrt(square), std::sqrt(weighted)};
}

// From a set's numbers to the numbers compared, which are its values times `unit`.
double factor_of(const Points& points, double unit) {
  return points.number == Number::uint8 ? unit / 255.0 : unit;
}

// The power of two that brings every norm to 1 at most, so that no square leaves float32.
double scale_for(double radius) {
  int exponent = 0;
  std::frexp(radius, &exponent);
  return std::ldexp(1.0, -std::max(-1000, std::min(1000, exponent)));
}

void log_density(const Points& queries, const Points& samples, const double* bandwidths, int64_t count, double* out,
                 int threads) {
  const int64_t columns = samples.columns;
  const double unit = whole_numbers(queries, samples) ? 255.0 : 1.0;
  const Scratch memory(static_cast<size_t>((columns + kDepthBlock - 1) / kDepthBlock * kDepthBlock) * sizeof(double));
  double* const center = memory.as<double>();
  find_center(samples, factor_of(samples, unit), threads, center);
  CenteredRow centered_queries = {queries, factor_of(queries, unit), center, 1.0};
  CenteredRow centered_samples = {samples, factor_of(samples, unit), center, 1.0};
  const Norms largest = largest_norms(centered_samples, threads);
  const double scale = scale_for(std::max(largest.norm, largest_norms(centered_queries, threads).norm));
  centered_queries.scale = centered_samples.scale = scale;
  const Norms scaled_largest = {largest.norm * scale, largest.weighted * scale};
  const Plan plan = make_plan(samples, scaled_largest, unit, scale, bandwidths, count);
  const Problem problem = {plan, queries, samples};
  const int64_t limit = std::min(kQueries, kQueryBytes / (4 * columns) + 1);
  const int64_t blocks = (queries.rows + limit - 1) / limit;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = queries.rows * block / blocks, last = queries.rows * (block + 1) / blocks;
    Stream stream(problem, first, last - first, threads);
    stream.take_queries(centered_queries);
    stream.run(centered_samples);
    stream.finish(out);
  }
}

void exp2(const float* x, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t left = count - i;
    store_part(out + i, exp2_of(load_part(x + i, left < kLanes ? left : kLanes)), left < kLanes ? left : kLanes);
  }
}

}  // namespace

ParzenKernels parzen_kernels() { return {log_density, exp2}; }

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
