// The words that cross the border as words.
#pragma once

#include <string>
#include <string_view>

#include "../cpu/activation.h"
#include "../cpu/noise/corruption.h"
#include "../cpu/number.h"
#include "../require.h"

namespace fastdaae {
namespace python {

template <typename Meaning>
struct Word {
  std::string_view word;
  Meaning meaning;
};

constexpr Word<Number> kNumbers[] = {{"float32", Number::float32},
                                     {"uint8", Number::uint8},
                                     {"float64", Number::float64},
                                     {"bfloat16", Number::bfloat16}};
constexpr Word<Activation::Name> kActivations[] = {{"none", Activation::none},
                                                   {"relu", Activation::relu},
                                                   {"sigmoid", Activation::sigmoid},
                                                   {"leaky_relu", Activation::leaky_relu},
                                                   {"tanh", Activation::tanh}};
constexpr Word<Kind> kKinds[] = {{"none", Kind::none},
                                 {"gaussian", Kind::gaussian},
                                 {"clipped_gaussian", Kind::clipped_gaussian},
                                 {"masking", Kind::masking},
                                 {"salt_and_pepper", Kind::salt_and_pepper},
                                 {"patches", Kind::patches}};

template <typename Meaning, size_t count>
Meaning meaning_of(const char* name, std::string_view given, const Word<Meaning> (&known)[count]) {
  for (const auto& one : known) {
    if (one.word == given) return one.meaning;
  }
  std::string words;
  for (const auto& one : known) words += (words.empty() ? "" : ", ") + std::string(one.word);
  throw std::invalid_argument(std::string(name) + " must be one of " + words + ", got " + std::string(given));
}

}  // namespace python
}  // namespace fastdaae
