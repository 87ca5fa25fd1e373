// Argument checks of the Python module: each message names the argument, what was expected and what was given.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace fastdaae {

inline void require(bool holds, const std::string& message) {
  if (!holds) throw std::invalid_argument(message);
}

inline void require_between(const char* name, int64_t value, int64_t low, int64_t high) {
  require(value >= low && value <= high, std::string(name) + " must be in " + std::to_string(low) + ".." +
                                             std::to_string(high) + ", got " + std::to_string(value));
}

}  // namespace fastdaae
