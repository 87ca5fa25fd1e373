// Which pair of blocks a thread multiplies next, so that no two threads write to the lists of one block.
#pragma once

#include <cstdint>
#include <cstring>

namespace fastdaae {
namespace FASTDAAE_ISA {
namespace {

struct BlockPair {
  int64_t first, second;  // -1: none
};

enum class Turn { work, wait, done };

// Every unordered pair of blocks once, a block with itself too. A thread keeps its first block while it has a free
// partner, because that block is packed already. Calls are made by one thread at a time.
class PairSchedule {
 public:
  static int64_t bytes(int64_t blocks) { return blocks * (blocks + 1 + static_cast<int64_t>(sizeof(int64_t))); }

  PairSchedule(int64_t blocks, void* memory)
      : blocks_(blocks), left_(blocks * (blocks + 1) / 2), remaining_(static_cast<int64_t*>(memory)) {
    busy_ = reinterpret_cast<char*>(remaining_ + blocks);
    taken_ = busy_ + blocks;
    std::memset(busy_, 0, static_cast<size_t>(blocks * (blocks + 1)));
    for (int64_t i = 0; i < blocks; ++i) remaining_[i] = blocks;
  }

  // Gives back the blocks of `pair` and takes the next pair into it.
  Turn next(BlockPair& pair) {
    const int64_t last = pair.first;
    if (last >= 0) busy_[pair.first] = busy_[pair.second] = 0;
    pair = {-1, -1};
    if (left_ == 0) return Turn::done;
    if (last >= 0 && take(last, pair)) return Turn::work;
    for (int64_t i = 0; i < blocks_; ++i) {
      if (take(i, pair)) return Turn::work;
    }
    return Turn::wait;
  }

 private:
  bool take(int64_t first, BlockPair& pair) {
    if (busy_[first] || remaining_[first] == 0) return false;
    for (int64_t step = 0; step < blocks_; ++step) {
      const int64_t second = first + step < blocks_ ? first + step : first + step - blocks_;
      char& taken = taken_[first < second ? first * blocks_ + second : second * blocks_ + first];
      if (taken || busy_[second]) continue;
      taken = busy_[first] = busy_[second] = 1;
      --remaining_[first];
      if (second != first) --remaining_[second];
      --left_;
      pair = {first, second};
      return true;
    }
    return false;
  }

  int64_t blocks_, left_;
  int64_t* remaining_;
  char *busy_, *taken_;
};

}  // namespace
}  // namespace FASTDAAE_ISA
}  // namespace fastdaae
