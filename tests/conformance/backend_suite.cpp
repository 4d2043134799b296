#include "conformance/backend_suite.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/log.h"
#include "dlaexec_onnx.pb.h"
#include "onnx/import.h"
#include "onnx/tensor_data.h"
#include "support/paths.h"

namespace dlaexec::test {
namespace {

namespace fs = std::filesystem;

const std::set<std::string> kTypes = {"float32", "float16", "bfloat16", "int8",
                                      "uint8",   "int32",   "int64",    "bool"};
constexpr int64_t kNewestOpset = 23;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<BackendCase> read_cases(const std::string& data, const std::string& unpacked) {
  std::vector<BackendCase> cases;
  std::stringstream lines(read_file(data + "/cases.tsv"));
  std::string line;
  std::getline(lines, line);  // the headings
  while (std::getline(lines, line)) {
    const std::vector<std::string> cells = split(line, '\t');
    if (cells.size() < 8) continue;
    cases.push_back({cells[0], cells[1], std::atoll(cells[3].c_str()), split(cells[4], ','),
                     split(cells[5], ','), split(cells[6], ','),
                     unpacked + "/" + cells[0] + "/" + cells[1]});
  }
  return cases;
}

std::vector<BackendCase> unpack(const std::string& data) {
  const std::string folder = temporary_dir();
  const std::string command =
      "tar -xJf '" + data + "/onnx_backend_shared.tar.xz' -C '" + folder + "'";
  if (std::system(command.c_str()) != 0) fail("'{}' failed", command);
  return read_cases(data, folder);
}

/// input_0.pb, input_1.pb, ... of a folder.
Tensors read_numbered(const std::string& folder, const std::string& stem) {
  Tensors tensors;
  for (int i = 0;; ++i) {
    const std::string path = format("{}/{}_{}.pb", folder, stem, i);
    if (!fs::exists(path)) return tensors;
    tensors.push_back(read_tensor(path));
  }
}

/// The suite's own tolerance is relative 1e-3; 16-bit types have a step of up to 2^-8.
double relative_tolerance(ir::DataType type) {
  if (type == ir::DataType::BFloat16) return 1e-2;
  return type == ir::DataType::Float16 ? 2e-3 : 1e-3;
}

bool close(double found, double expected, ir::DataType type) {
  if (std::isnan(expected) || std::isinf(expected))
    return std::isnan(expected) ? std::isnan(found) : found == expected;
  if (!ir::is_float(type)) return found == expected;
  const double absolute = type == ir::DataType::Float32 ? 1e-6 : 1e-3;
  return std::abs(found - expected) <= absolute + relative_tolerance(type) * std::abs(expected);
}

}  // namespace

bool BackendCase::is_eligible() const {
  const bool known_types = std::all_of(types.begin(), types.end(),
                                       [](const auto& type) { return kTypes.contains(type); });
  const bool tensors = std::none_of(ops.begin(), ops.end(), [](const std::string& op) {
    return op.find("Sequence") != std::string::npos ? op != "ReverseSequence"
                                                    : op.starts_with("Optional");
  });
  return opset <= kNewestOpset && domains.empty() && known_types && tensors;
}

const std::vector<BackendCase>* backend_suite() {
  static const std::optional<std::vector<BackendCase>> cases =
      []() -> std::optional<std::vector<BackendCase>> {
    const auto shared = shared_dir();
    if (!shared || !fs::exists(*shared + "/data/onnx_backend/cases.tsv")) return std::nullopt;
    return unpack(*shared + "/data/onnx_backend");
  }();
  return cases ? &*cases : nullptr;
}

ir::Tensor read_tensor(const std::string& path) {
  onnx_file::TensorProto proto;
  if (!proto.ParseFromString(read_file(path))) fail("'{}' is no tensor", path);
  return onnx::TensorReader(".").read(proto);
}

std::string difference(const ir::Tensor& found, const ir::Tensor& expected) {
  if (found.bytes().data() == nullptr) return "absent";
  if (found.type() != expected.type())
    return format("{} instead of {}", text(found.type()), text(expected.type()));
  if (found.dims() != expected.dims())
    return format("shape {} instead of {}", ir::to_text(found.dims()),
                  ir::to_text(expected.dims()));
  const std::vector<float> a = found.to_floats();
  const std::vector<float> b = expected.to_floats();
  for (size_t i = 0; i < a.size(); ++i)
    if (!close(a[i], b[i], expected.type()))
      return format("element {} is {} instead of {}", i, a[i], b[i]);
  if (found.type() == ir::DataType::Int64 && found.to_ints() != expected.to_ints())
    return "a large integer differs";
  return {};
}

std::string failure_of(const BackendCase& test, const Executor& executor,
                       const Difference& difference) {
  const log::Sink before = log::set_sink({});  // warnings of strange models are not news here
  std::string failure;
  try {
    const onnx::Imported imported = onnx::import_file(test.folder + "/model.onnx");
    const std::string data = test.folder + "/test_data_set_0";
    Tensors inputs = read_numbered(data, "input");
    const Tensors expected = read_numbered(data, "output");
    inputs.resize(std::min(inputs.size(), imported.graph.inputs.size()));
    const Tensors found = executor.run(imported.graph, inputs);
    if (found.size() != expected.size())
      failure = format("{} outputs instead of {}", found.size(), expected.size());
    for (size_t i = 0; failure.empty() && i < found.size(); ++i) {
      failure = difference(found[i], expected[i]);
      if (!failure.empty()) failure = format("output {}: {}", i, failure);
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  log::set_sink(before);
  return failure;
}

}  // namespace dlaexec::test
