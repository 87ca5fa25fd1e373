// The kernels on arrays of exact size, for AddressSanitizer; results are compared with brute force.
#include <numeric>

#include "../../csrc/cuda/intrinsic_dimension.h"
#include "../../csrc/cuda/nearest_neighbors.h"
#include "cuda_emulation.h"

namespace {

std::mt19937 generator(1);

std::vector<float> uniform(int64_t count) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(generator() >> 8) * 0x1p-24f - 0.5f;
  return values;
}

struct Screened {
  std::vector<float> transposed, norms;
};

Screened screened(const std::vector<float>& rows, int64_t columns) {
  const int64_t count = static_cast<int64_t>(rows.size()) / columns;
  const int64_t padded = fastdaae::whole_units(count, fastdaae::kNeighborTile);
  Screened made;
  made.transposed.assign(padded * fastdaae::whole_units(columns, fastdaae::kNeighborDepth), 0.0f);
  made.norms.assign(padded, 0.0f);
  for (int64_t row = 0; row < count; ++row) {
    double norm = 0.0;
    for (int64_t column = 0; column < columns; ++column) {
      const float value = rows[row * columns + column];
      made.transposed[column * padded + row] = value;
      norm += static_cast<double>(value) * value;
    }
    made.norms[row] = static_cast<float>(norm);
  }
  return made;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::printf("%s\n", what);
  std::exit(1);
}

void check_search(int64_t points_count, int64_t queries_count, int64_t columns, int64_t k) {
  const bool own = queries_count == 0;
  const auto points = uniform(points_count * columns);
  const auto queries = own ? points : uniform(queries_count * columns);
  const int64_t count = own ? points_count : queries_count;
  const auto ours = screened(points, columns), theirs = screened(queries, columns);
  const int64_t capacity = fastdaae::candidate_capacity(k, fastdaae::kNeighborTile);
  std::vector<fastdaae::Candidate> candidates(fastdaae::kNeighborTile * capacity);
  std::vector<int32_t> counts(count);
  std::vector<float> distances(count * k);
  std::vector<int64_t> indices(count * k);
  fastdaae::nearest_neighbors(
      {ours.transposed.data(), theirs.transposed.data(), ours.norms.data(), theirs.norms.data(), points.data(),
       queries.data(), false, own, points_count, count, columns, k, candidates.data(), fastdaae::kNeighborTile,
       capacity, counts.data(), distances.data(), indices.data()},
      nullptr);
  std::vector<double> exact(points_count);
  std::vector<int64_t> order(points_count);
  for (int64_t query = 0; query < count; ++query) {
    for (int64_t point = 0; point < points_count; ++point) {
      exact[point] = own && point == query ? HUGE_VAL : 0.0;
      for (int64_t column = 0; column < columns; ++column) {
        const double own_value = queries[query * columns + column];
        const double difference = own_value - points[point * columns + column];
        exact[point] += difference * difference;
      }
    }
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return exact[a] < exact[b]; });
    require(std::equal(order.begin(), order.begin() + k, indices.begin() + query * k), "neighbours differ");
  }
}

void check_moments(int64_t points, int64_t k) {
  std::vector<float> distances = uniform(points * k);
  for (float& distance : distances) distance += 0.6f;
  for (int64_t point = 0; point < points; ++point) {
    std::sort(distances.begin() + point * k, distances.begin() + (point + 1) * k);
  }
  const int64_t blocks = fastdaae::whole_units(points, fastdaae::kLogRatioRows) / fastdaae::kLogRatioRows;
  std::vector<double> partial(blocks * 6 * (k - 1)), moments(6 * (k - 1)), per_point(points);
  fastdaae::log_ratio_moments({distances.data(), false, points, k, partial.data(), moments.data(), per_point.data()},
                              nullptr);
  const double mean = std::accumulate(per_point.begin(), per_point.end(), 0.0) / static_cast<double>(points);
  require(std::abs(moments[6 * (k - 1) - 3] / mean - 1.0) < 1e-12, "moments differ");
}

}  // namespace

int main() {
  const int64_t searches[][4] = {{1, 2, 3, 1},     {2, 0, 1, 1},     {129, 0, 17, 9}, {300, 0, 5, 10},
                                 {200, 3, 70, 200}, {1500, 2, 16, 7}, {1300, 1, 2, 1100}};
  for (const auto& [points, queries, columns, k] : searches) check_search(points, queries, columns, k);
  const int64_t shapes[][2] = {{1, 2}, {65, 33}, {64, 32}, {200, 3}};
  for (const auto& [points, k] : shapes) check_moments(points, k);
  std::printf("%zu searches and %zu moments agree\n", std::size(searches), std::size(shapes));
  return 0;
}
