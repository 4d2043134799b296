// Labelled pictures of digits in IDX files, the format of MNIST.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

constexpr int kSide = 28;

/// One picture: 28 x 28 bytes, ink is bright.
using Digit = std::vector<uint8_t>;

struct Digits {
  std::vector<Digit> pictures;
  std::vector<int> labels;
};

/// Reads the first pair of *images-idx3-ubyte and *labels-idx1-ubyte files in @p folder, one whose
/// name begins with t10k first. Throws std::runtime_error that says what is missing or wrong.
Digits read_digits(const std::filesystem::path& folder);

/// The folder models/digits of the checkout: looked for upwards from here and from the program.
std::filesystem::path digits_folder(const std::filesystem::path& program);

/// The picture as 28 lines of text.
std::string text_art(const Digit& digit);
