// How far a long operator is: counted once a block by the threads that work, read by whoever waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace fastdaae {

struct Progress {
  const char* unit;  // what the operator is asked for, in the plural; null: none is at work
  int64_t done, total;
  double seconds;  // since it began
};

// One operator's work, visible for as long as this stands. Work is counted in whatever costs alike, and told as that
// share of the operator's `total` units.
class ProgressCounter {
 public:
  ProgressCounter(const char* unit, int64_t total, int64_t work);
  ~ProgressCounter();
  ProgressCounter(const ProgressCounter&) = delete;
  ProgressCounter& operator=(const ProgressCounter&) = delete;

  // Called by any thread. Nobody waits for the number, so it orders nothing.
  void add(int64_t work) { done_.fetch_add(work, std::memory_order_relaxed); }

  Progress now() const;

 private:
  const char* const unit_;
  const int64_t total_, work_;
  const std::chrono::steady_clock::time_point began_;
  std::atomic<int64_t> done_;
};

// Of the operator that began last among those at work.
Progress current_progress();

}  // namespace fastdaae
