#include <algorithm>
#include <utility>

#include "points.h"

namespace fastdaae {
namespace sanitize {

namespace {

// Bytes are compared in whole numbers, so that ties are exact.
double squared(const AnyPoints& a, int64_t i, const AnyPoints& b, int64_t j) {
  if (a.number() != Number::uint8) return squared_distance(a, i, b, j);
  int64_t sum = 0;
  for (int64_t k = 0; k < a.columns(); ++k) sum += (a.byte(i, k) - b.byte(j, k)) * (a.byte(i, k) - b.byte(j, k));
  return static_cast<double>(sum);
}

using Ranked = std::vector<std::pair<double, int64_t>>;

Ranked sorted(const AnyPoints& queries, int64_t query, const AnyPoints& points, bool own) {
  Ranked all;
  for (int64_t j = 0; j < points.rows(); ++j) {
    if (!own || j != query) all.emplace_back(squared(queries, query, points, j), j);
  }
  std::sort(all.begin(), all.end());
  return all;
}

template <typename T>
void require_nearest(const char* isa, const AnyPoints& queries, int64_t query, const AnyPoints& points,
                     const Ranked& expected, const T* distances, const int64_t* indices, int64_t k) {
  const bool bytes = points.number() == Number::uint8;
  const double unit = bytes ? 255.0 : 1.0, relative = sizeof(T) == 4 ? 1e-6 : 1e-13;
  for (int64_t i = 0; i < k; ++i) {
    const auto [true_squared, index] = expected[static_cast<size_t>(i)];
    const double distance = std::sqrt(true_squared) / unit;
    require_near(distances[i], distance, relative * distance, "a distance", isa);
    require_that(i == 0 || distances[i] >= distances[i - 1], "distances ascend", isa);
    require_that(indices[i] >= 0 && indices[i] < points.rows(), "an index is a row of the points", isa);
    const double shown = std::sqrt(squared(queries, query, points, indices[i])) / unit;
    require_near(distances[i], shown, relative * shown, "the distance of an index", isa);
    if (bytes || distance == 0.0) require_that(indices[i] == index, "of equals the lower index comes first", isa);
  }
}

template <typename T>
void drive_as(const Engine& engine, const AnyPoints& points, const AnyPoints* others, int64_t k, int64_t block,
              int threads) {
  const AnyPoints& queries = others ? *others : points;
  Numbers<T> distances(queries.rows() * k);
  Numbers<int64_t> indices(queries.rows() * k);
  NeighborSearch search = {};
  search.points = points.points();
  if (others) search.queries = others->points();
  search.k = k;
  search.block = block;
  search.distances = distances.data();
  search.indices = indices.data();
  search.threads = threads;
  engine.neighbors.search(search);
  const int64_t step = 1 + queries.rows() / 8;
  for (int64_t query = 0; query < queries.rows(); ++query) {
    if (query % step && query + 1 < queries.rows()) continue;
    require_nearest(engine.isa, queries, query, points, sorted(queries, query, points, !others),
                    distances.data() + query * k, indices.data() + query * k, k);
  }
}

void drive(const Engine& engine, const AnyPoints& points, const AnyPoints* queries, int64_t k, int64_t block,
           int threads) {
  const bool wide = points.number() == Number::float64;
  (wide ? drive_as<double> : drive_as<float>)(engine, points, queries, k, block, threads);
}

}  // namespace

void drive_neighbors(const Engine& engine, int threads) {
  Choices choose;
  const auto drive_shape = [&](int64_t rows, int64_t columns, int64_t query_rows) {
    const AnyPoints points(rows, columns, choose, 1);
    const AnyPoints queries(query_rows, columns, points.number(), static_cast<Places>(choose.below(4)), 1);
    const int64_t block = choose.toss() ? 0 : 40;
    if (rows > 1) drive(engine, points, nullptr, 1, block, threads);
    if (rows > 1) drive(engine, points, nullptr, rows - 1, block, threads);
    drive(engine, points, &queries, 1, block, threads);
    drive(engine, points, &queries, rows, block, threads);
  };
  for (int64_t columns : {1, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 200}) {
    for (int64_t rows : {1, 2, 3, 13, 14, 15, 33, 131}) {
      for (int64_t queries : {1, 13, 33}) drive_shape(rows, columns, queries);
    }
  }
  drive_shape(600, 4, 200);  // lists that overflow, and queries enough for every thread
  drive_shape(40, 1100, 3);
}

}  // namespace sanitize
}  // namespace fastdaae
