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
  return points.type == Number::uint8 ? unit / 255.0 : unit;
}

// The power of two that brings every norm to 1 at most, so that no square leaves float32.
double scale_for(double radius) {
  int exponent = 0;
  std::frexp(radius, &exponent);
  return std::ldexp(1.0, -std::max(-1000, std::min(1000, exponent)));
}

template <typename Producer>
void stream_all(const Problem& problem, const Producer& producer, double* out, int threads) {
  const Points& queries = problem.queries;
  const int64_t limit = std::min(kQueries, kQueryBytes / (4 * producer.depth()) + 1);
  const int64_t blocks = (queries.rows + limit - 1) / limit;
  ProgressCounter progress("queries", queries.rows, queries.rows * problem.samples.rows);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t first = queries.rows * block / blocks, last = queries.rows * (block + 1) / blocks;
    Stream<Producer> stream(problem, producer, progress, first, last - first, threads);
    stream.take_queries();
    stream.run();
    stream.finish(out);
  }
}

struct Grid {
  const double* bandwidths;
  int64_t count;
};

void stream_floats(const Points& queries, const Points& samples, const Grid& grid, double* out, int threads) {
  const int64_t columns = samples.columns;
  const double unit = whole_numbers(queries, samples) ? 255.0 : 1.0;
  const Scratch memory(static_cast<size_t>((columns + kDepthBlock - 1) / kDepthBlock * kDepthBlock) * sizeof(double));
  double* const center = memory.as<double>();
  find_center(samples, factor_of(samples, unit), threads, center);
  CenteredFloats producer = {{queries, factor_of(queries, unit), center, 1.0},
                             {samples, factor_of(samples, unit), center, 1.0}};
  const Norms largest = largest_norms(producer.samples, threads);
  const double scale = scale_for(std::max(largest.norm, largest_norms(producer.queries, threads).norm));
  producer.queries.scale = producer.samples.scale = scale;
  const Norms scaled = {largest.norm * scale, largest.weighted * scale};
  const Plan plan = make_plan(samples, scaled, rounded_sums(columns), {unit, scale}, grid.bandwidths, grid.count);
  stream_all({plan, queries, samples}, producer, out, threads);
}

double largest_byte_norm(const Points& points, int threads) {
  uint32_t square = 0;
#pragma omp parallel for num_threads(threads) if (points.rows * points.columns > 32768) schedule(static) \
    reduction(max : square)
  for (int64_t row = 0; row < points.rows; ++row) {
    square = std::max(square, byte_sums(static_cast<const uint8_t*>(row_of(points, row)), points.columns).square);
  }
  return std::sqrt(static_cast<double>(square));
}

void stream_bytes(const Points& queries, const Points& samples, const Grid& grid, double* out, int threads) {
  const double largest = largest_byte_norm(samples, threads);
  const double scale = scale_for(std::max(largest, largest_byte_norm(queries, threads)));
  const Plan plan = make_plan(samples, {largest * scale, 0.0}, 0.0, {255.0, scale}, grid.bandwidths, grid.count);
  stream_all({plan, queries, samples}, WholeBytes{queries, samples, scale}, out, threads);
}

void log_density(const Points& queries, const Points& samples, const double* bandwidths, int64_t count, double* out,
                 int threads) {
  const auto stream = multiplies_bytes(queries, samples) ? stream_bytes : stream_floats;
  stream(queries, samples, {bandwidths, count}, out, threads);
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
