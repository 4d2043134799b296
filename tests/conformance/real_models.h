// The trained models beside the checkout: their descriptions, pictures and stored tensors.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "ir/tensor.h"

namespace dlaexec::test {

/// The entry of models.json in the folder @p data.
nlohmann::json model_description(const std::string& data, const std::string& model);

ir::Tensor read_npy(const std::string& data, const nlohmann::json& path);

/// x = (float32(u8) - sub[c]) * mul[c] of pictures [N, C, H, W] stored as bytes, as @p type.
ir::Tensor preprocessed(const ir::Tensor& bytes, const nlohmann::json& model, ir::DataType type);

double cosine(const std::vector<float>& a, const std::vector<float>& b);

/// Which score is the largest.
size_t best(std::span<const float> scores);

/// Every model: the ones that take little time, and the others.
std::span<const char* const> small_models();
std::span<const char* const> large_models();

/// A model's name as a part of a test's name.
std::string test_name(std::string model);

}  // namespace dlaexec::test
