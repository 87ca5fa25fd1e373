// Who multiplies what: row panels that stay in the second-level cache, column panels that stream past them.
#pragma once

#ifdef _OPENMP
#include <omp.h>
#endif

#include "../machine.h"
#include "column_panels.h"

namespace fastdaae {
namespace FASTDAAE_ISA {

namespace {

constexpr int64_t kRowsAtOnce = 2048;       // rows whose panels are held in memory together
constexpr double kParallelFrom = 4e5;       // multiply-adds below which waking the threads costs more than they save

inline int64_t ratio_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// rows x columns sums over the depth. Row panels come in groups of `members`, the panels of the same rows of each copy.
struct ProductSize {
  int64_t rows, columns, depth, members;
};

struct Range {
  int64_t first, last;
};

// Part `part` of `parts` nearly equal ones.
inline Range share(int64_t count, int64_t part, int64_t parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

struct Team {
  int64_t me = 0, size = 1;
};

inline Team team() {
#ifdef _OPENMP
  return {omp_get_thread_num(), omp_get_num_threads()};
#else
  return {};
#endif
}

template <typename Element, typename Rows, typename Columns, typename Consumer>
class Product {
 public:
  Product(const ProductSize& size, const Rows& rows, const Columns& columns, const Consumer& consumer, int threads)
      : size_(size),
        rows_(rows),
        columns_(columns),
        consumer_(consumer),
        threads_(worth_threads(size) ? threads : 1),
        words_(words_of_depth<Element>(size.depth)),
        groups_(ratio_up(size.rows, kTileRows)),
        column_panels_(ratio_up(size.columns, kTileColumns)),
        packs_late_(!Rows::kInPlace && Columns::kPanelsAtOnce == 1 && column_panels_ >= 16 * threads_),
        chunk_(std::min(groups_, std::max<int64_t>(1, kRowsAtOnce / kTileRows / size.members))),
        block_(groups_in_block()),
        row_panels_(Rows::kInPlace ? 0 : bytes_of(chunk_ * size.members * row_panel_size(words_))),
        column_memory_(bytes_of(ratio_up(column_panels_, Columns::kPanelsAtOnce) * Columns::kPanelsAtOnce *
                                column_panel_size(words_))) {}

  void run() {
#pragma omp parallel num_threads(threads_)
    {
      const Team us = team();
      if (!packs_late_) pack_columns(us);
      for (int64_t first = 0; first < groups_; first += chunk_) {
        const Range chunk = {first, std::min(groups_, first + chunk_)};
        pack_rows(chunk, us);
#pragma omp barrier
        if (packs_late_) {
          stream_own_columns(chunk, us);
        } else {
          share_tiles(chunk, us);
        }
#pragma omp barrier
      }
    }
  }

 private:
  static bool worth_threads(const ProductSize& s) {
    return static_cast<double>(s.rows) * static_cast<double>(s.columns) * static_cast<double>(s.depth * s.members) >
           kParallelFrom;
  }

  static size_t bytes_of(int64_t numbers) { return static_cast<size_t>(numbers) * sizeof(float); }

  // As many groups as stay in the cache, and few enough that every thread finds work.
  int64_t groups_in_block() const {
    if (Rows::kInPlace) return 1;  // every row is read once, and meets all columns then
    const int64_t resident = resident_panels(static_cast<int64_t>(bytes_of(row_panel_size(words_)))) / size_.members;
    const int64_t most = std::min(chunk_, std::max<int64_t>(1, resident));
    const int64_t shared = packs_late_ ? 1 : ratio_up(4 * threads_, std::max<int64_t>(1, column_panels_));
    const int64_t blocks = std::max(ratio_up(chunk_, most), shared);
    return ratio_up(chunk_, std::min(blocks, chunk_));
  }

  // The rows of a group: heights differ by one at most, so that few rows are not 14 + 14 + 1.
  Range rows_of(int64_t group) const { return share(size_.rows, group, groups_); }

  float* row_panel(int64_t group, int64_t member) const {
    return row_panels_.as<float>() + (group % chunk_ * size_.members + member) * row_panel_size(words_);
  }

  float* column_panel(int64_t panel) const { return column_memory_.as<float>() + panel * column_panel_size(words_); }

  void pack_columns(const Team& us) const {
    const Range own = share(ratio_up(column_panels_, Columns::kPanelsAtOnce), us.me, us.size);
    for (int64_t i = own.first; i < own.last; ++i) columns_.pack(i, column_panel(i * Columns::kPanelsAtOnce));
  }

  void pack_rows(const Range& chunk, const Team& us) const {
    const Range own = share((chunk.last - chunk.first) * size_.members, us.me, us.size);
    for (int64_t i = own.first; i < own.last; ++i) {
      const int64_t group = chunk.first + i / size_.members, member = i % size_.members;
      const Range rows = rows_of(group);
      rows_.pack(member * size_.rows + rows.first, rows.last - rows.first, row_panel(group, member));
    }
  }

  // Each thread has columns of its own, packed when they are first needed: they are still in the cache then.
  void stream_own_columns(const Range& chunk, const Team& us) const {
    const Range own = share(column_panels_, us.me, us.size);
    for (int64_t first = chunk.first; first < chunk.last; first += block_) {
      const Range block = {first, std::min(chunk.last, first + block_)};
      for (int64_t panel = own.first; panel < own.last; ++panel) {
        const bool packs = first == 0, has_next = panel + 1 < own.last;
        if (packs) columns_.pack(panel, column_panel(panel));
        multiply_block(block, panel, !has_next ? Ahead{} : packs ? columns_.source(panel + 1) : packed(panel + 1));
      }
    }
  }

  void share_tiles(const Range& chunk, const Team& us) const {
    const int64_t blocks = ratio_up(chunk.last - chunk.first, block_);
    const Range own = share(blocks * column_panels_, us.me, us.size);
    for (int64_t task = own.first; task < own.last; ++task) {
      const int64_t first = chunk.first + task / column_panels_ * block_, panel = task % column_panels_;
      const bool has_next = task + 1 < own.last && panel + 1 < column_panels_;
      const Ahead next = Rows::kInPlace ? rows_ahead(first + 1, panel) : has_next ? packed(panel + 1) : Ahead{};
      multiply_block({first, std::min(chunk.last, first + block_)}, panel, next);
    }
  }

  // Part `panel` of what the next group's rows hold.
  Ahead rows_ahead(int64_t group, int64_t panel) const {
    if constexpr (Rows::kInPlace) {
      if (group >= groups_) return {};
      const Range rows = rows_of(group);
      const Range part = share((rows.last - rows.first) * size_.depth, panel, column_panels_);
      return {reinterpret_cast<const char*>(rows_.at(rows.first) + part.first),
              static_cast<int64_t>(bytes_of(part.last - part.first))};
    }
    return {};
  }

  Ahead packed(int64_t panel) const {
    const auto bytes = static_cast<int64_t>(bytes_of(column_panel_size(words_)));
    return {reinterpret_cast<const char*>(column_panel(panel)), bytes};
  }

  void multiply_block(const Range& block, int64_t panel, const Ahead& next) const {
    alignas(kVectorBytes) float tile[kTileRows * kTileColumns], kept[kTileRows * kTileColumns];
    const int64_t first_column = panel * kTileColumns;
    const int64_t width = std::min<int64_t>(kTileColumns, size_.columns - first_column);
    const int64_t products = (block.last - block.first) * size_.members;
    for (int64_t group = block.first; group < block.last; ++group) {
      const Range rows = rows_of(group);
      consumer_.fetch(rows.first, rows.last - rows.first, first_column, width);
      for (int64_t member = 0; member < size_.members; ++member) {
        const Range part = share(next.bytes, (group - block.first) * size_.members + member, products);
        const Ahead ahead = {next.from + (next.from ? part.first : 0), part.last - part.first};
        multiply_panels(rows, group, member, width, column_panel(panel), tile, ahead);
        consumer_.take(tile, kept, rows.first, rows.last - rows.first, first_column, width, member);
      }
    }
  }

  void multiply_panels(const Range& rows, int64_t group, int64_t member, int64_t width, const float* column_panel,
                       float* tile, const Ahead& ahead) const {
    if constexpr (Rows::kInPlace) {
      multiply_width(rows.last - rows.first, width, rows_.at(rows.first), column_panel, tile, ahead,
                     StridedRows{size_.depth});
    } else {
      multiply_width(rows.last - rows.first, width, row_panel(group, member), column_panel, tile, ahead, PackedRows{});
    }
  }

  template <typename Layout>
  void multiply_width(int64_t rows, int64_t width, const float* row_panel, const float* column_panel, float* tile,
                      const Ahead& ahead, Layout layout) const {
    using Step = typename Element::Step;
    if (width > kLanes) {
      multiply<Summation::chained, Step, kTileVectors>(rows, words_, row_panel, column_panel, tile, false, ahead,
                                                       layout);
    } else {
      multiply<Summation::chained, Step, 1>(rows, words_, row_panel, column_panel, tile, false, ahead, layout);
    }
  }

  const ProductSize size_;
  const Rows& rows_;
  const Columns& columns_;
  const Consumer& consumer_;
  const int threads_;
  const int64_t words_, groups_, column_panels_;
  const bool packs_late_;
  const int64_t chunk_, block_;
  const Scratch row_panels_, column_memory_;
};

template <typename Element, typename Rows, typename Columns, typename Consumer>
void multiply_all(const ProductSize& size, const Rows& rows, const Columns& columns, const Consumer& consumer,
                  int threads) {
  if (size.rows == 0) return;  // without columns the rows are packed all the same: a bias has its gradient from them
  Product<Element, Rows, Columns, Consumer>(size, rows, columns, consumer, threads).run();
}

}  // namespace

}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
