// The first pass: every query meets every point, block by block, and leaves a list of candidates.
#pragma once

#include <thread>

#include "schedule.h"
#include "work.h"

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

inline Block block_of(int64_t number, int64_t size, int64_t rows) {
  const int64_t start = number * size;
  return {start, rows - start < size ? rows - start : size, start};
}

// Every unordered pair of points once: a distance serves the lists of both.
inline void join_with_itself(const Work& work) {
  const int64_t rows = work.search.points.rows, blocks = (rows + work.block - 1) / work.block;
  const Scratch memory(static_cast<size_t>(PairSchedule::bytes(blocks)));
  PairSchedule schedule(blocks, memory.as<void>());
#pragma omp parallel num_threads(work.search.threads)
  {
    const int thread = thread_number();
    const Panels panels = work.thread_panels(thread);
    const Join join = work.join(thread);
    int64_t packed = -1;
    for (BlockPair pair = {-1, -1};;) {
      Turn turn = Turn::done;
#pragma omp critical(fastdaae_block_pairs)
      turn = schedule.next(pair);
      if (turn == Turn::done) break;
      if (turn == Turn::wait) {
        std::this_thread::yield();
        continue;
      }
      const Block first = block_of(pair.first, work.block, rows), second = block_of(pair.second, work.block, rows);
      if (packed != pair.first) work.pack_row_block(work.search.points, first, panels);
      packed = pair.first;
      work.pack_column_block(second, panels);
      const bool same = pair.first == pair.second;
      join_blocks(join, panels, first, second, same);
      work.progress->add(same ? first.count * (first.count + 1) / 2 : first.count * second.count);
    }
  }
}

// Every query with every point; few queries share the points out among the threads, in `parts`.
inline void join_with_points(const Work& work) {
  const int64_t query_blocks = (work.queries().rows + work.block - 1) / work.block;
  const int64_t points = work.search.points.rows;
  const int64_t share = rounded_up((points + work.parts - 1) / work.parts, kTileColumns);
#pragma omp parallel num_threads(work.search.threads)
  {
    const int thread = thread_number();
    const Panels panels = work.thread_panels(thread);
    const Join join = work.join(thread);
#pragma omp for schedule(dynamic, 1)
    for (int64_t unit = 0; unit < query_blocks * work.parts; ++unit) {
      const int64_t part = unit % work.parts;
      Block rows = block_of(unit / work.parts, work.block, work.queries().rows);
      rows.first_list += part * work.queries().rows;
      work.pack_row_block(work.queries(), rows, panels);
      const int64_t last = points < (part + 1) * share ? points : (part + 1) * share;
      for (int64_t start = part * share; start < last; start += work.block) {
        const Block columns = {start, last - start < work.block ? last - start : work.block, 0};
        work.pack_column_block(columns, panels);
        join_blocks(join, panels, rows, columns, false);
        work.progress->add(rows.count * columns.count);
      }
    }
  }
}

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
