// Damage to ONNX models: bytes of the file, and parts of the message that stays well-formed.
#pragma once

#include <random>
#include <string>

namespace dlaexec::test {

/// The file with one to three bytes or short runs changed, cut, doubled or overwritten.
std::string with_damaged_bytes(std::string file, std::mt19937& random);

/// The model with one to three of its parts made wrong: types, ranks, shapes, attributes, names,
/// sizes that overflow, tensors that are short. Gives the file back where it is no model.
std::string with_damaged_parts(const std::string& file, std::mt19937& random);

}  // namespace dlaexec::test
