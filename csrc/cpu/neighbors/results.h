// The second pass: the candidates of each query are ranked by direct differences, and the nearest written.
#pragma once

#include <cfloat>

#include "work.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

// Gathers the entries of a query's lists that may be among its k nearest; returns how many.
inline int64_t gather(const Work& work, int64_t query, Ranked* entries) {
  const int64_t k = work.lists.k, rows = work.queries().rows;
  float limit = FLT_MAX;
  for (int64_t part = 0; part < work.parts; ++part) {
    const int64_t list = part * rows + query, count = work.lists.counts[list];
    const float* shown = work.lists.shown + list * work.lists.capacity;
    const float own = count < k ? FLT_MAX : work.lists.limit_for(kth_bound(shown, count, k, k), list);
    limit = own < limit ? own : limit;
  }
  int64_t gathered = 0;
  for (int64_t part = 0; part < work.parts; ++part) {
    const int64_t list = part * rows + query, start = list * work.lists.capacity;
    for (int64_t i = 0; i < work.lists.counts[list]; ++i) {
      const float shown = work.lists.shown[start + i];
      if (shown <= limit) entries[gathered++] = {0.0, work.lists.indices[start + i], shown};
    }
  }
  return gathered;
}

template <typename T>
void write_row(const Work& work, int64_t query, const Ranked* entries, double unit) {
  const int64_t k = work.search.k;
  T* distances = static_cast<T*>(work.search.distances) + query * k;
  int64_t* indices = work.search.indices + query * k;
  for (int64_t i = 0; i < k; ++i) {
    distances[i] = static_cast<T>(__builtin_sqrt(entries[i].squared) / unit);
    indices[i] = entries[i].index;
  }
}

inline void rank_all(const Work& work) {
  constexpr int64_t together = 64;  // queries
  const int64_t rows = work.queries().rows, k = work.search.k;
#pragma omp parallel num_threads(work.search.threads)
  {
    const Ranker ranker = work.ranker(thread_number());
#pragma omp for schedule(dynamic, together)
    for (int64_t query = 0; query < rows; ++query) {
      const int64_t count = gather(work, query, ranker.entries);
      ranker.measure(query, count);
      ranker.select(k, count);
      std::sort(ranker.entries, ranker.entries + k);
      if (work.search.points.type == Number::float64) {
        write_row<double>(work, query, ranker.entries, work.frame.lift);
      } else {
        write_row<float>(work, query, ranker.entries, work.search.points.type == Number::uint8 ? 255.0 : 1.0);
      }
      const int64_t place = query % together;
      if (place == together - 1 || query == rows - 1) work.progress->add(work.ranking(place + 1));
    }
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
