#include "onnx/import.h"

#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/log_voice.h"
#include "base/printable.h"
#include "dlaexec_onnx.pb.h"
#include "ir/verify.h"
#include "onnx/operators.h"
#include "onnx/scope.h"

namespace dlaexec::onnx {
namespace {

using onnx_file::GraphProto;
using onnx_file::ModelProto;
using onnx_file::NodeProto;

std::string standard(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

/// Operators without a row, with the nodes that use them.
class Unsupported {
 public:
  explicit Unsupported(const Model& model) : model_(model) {}

  template <class Nodes>
  void collect(const Nodes& nodes, const std::map<std::string, int64_t>& opsets) {
    for (const NodeProto& node : nodes) {
      note(node, opsets);
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) collect(attribute.g().node(), opsets);
        for (const GraphProto& graph : attribute.graphs()) collect(graph.node(), opsets);
      }
    }
  }

  /// One message for all of them.
  void fail_if_any() const {
    if (found_.empty()) return;
    const std::string list = join(found_, "; ", [](const auto& entry) {
      const std::vector<std::string>& nodes = entry.second;
      const size_t shown = std::min<size_t>(nodes.size(), 3);
      const std::vector<std::string> first(nodes.begin(), nodes.begin() + static_cast<long>(shown));
      return format("{} (node{} {}{})", entry.first, nodes.size() > 1 ? "s" : "",
                    join(first, ", ", [](const auto& name) { return "'" + name + "'"; }),
                    nodes.size() > shown ? format(" and {} more", nodes.size() - shown) : "");
    });
    fail("{} of the model's operators {} not supported: {}", found_.size(),
         found_.size() == 1 ? "is" : "are", list);
  }

 private:
  void note(const NodeProto& node, const std::map<std::string, int64_t>& opsets) {
    const std::string domain = standard(node.domain());
    if (model_.functions.contains({domain, node.op_type()})) return;
    const auto opset = opsets.find(domain);
    const int64_t version = opset == opsets.end() ? 1 : opset->second;
    if (find_operator(domain, node.op_type(), version) != nullptr) return;
    const std::string name = domain.empty() ? node.op_type() : domain + "::" + node.op_type();
    found_[format("{} of opset {}", name, version)].push_back(node_title(node));
  }

  const Model& model_;
  std::map<std::string, std::vector<std::string>> found_;
};

void read_opsets(const ModelProto& proto, Model& model, Facts& facts) {
  for (const auto& opset : proto.opset_import()) {
    model.opsets[standard(opset.domain())] = opset.version();
    facts.opsets[opset.domain().empty() ? "ai.onnx" : opset.domain()] = opset.version();
  }
  if (proto.opset_import_size() == 0) {  // IR versions before 3 have none
    model.opsets[""] = 1;
    facts.opsets["ai.onnx"] = 1;
  }
  const auto standard_opset = model.opsets.find("");
  if (standard_opset != model.opsets.end() && standard_opset->second > kNewestOpset)
    log::warning("the model uses opset {}; operators are read as of opset {}, the newest known",
                 standard_opset->second, kNewestOpset);
}

void require_readable_size(size_t bytes) {
  if (bytes == 0) fail("the file is empty; an ONNX model is needed");
  if (bytes > INT32_MAX)
    fail("the file has {} bytes; ONNX files end at 2 GiB (keep the weights in external data)",
         bytes);
}

void require_network(bool parsed, const ModelProto& proto) {
  if (!parsed) fail("the file is no ONNX model, or is truncated");
  if (!proto.has_graph() || (proto.graph().node_size() == 0 && proto.graph().output_size() == 0))
    fail("the file holds no network: it is no ONNX model, or an empty one");
}

void check_supported(const ModelProto& proto, const Model& model) {
  Unsupported unsupported(model);
  unsupported.collect(proto.graph().node(), model.opsets);
  for (const auto& function : proto.functions()) {
    std::map<std::string, int64_t> opsets;
    for (const auto& opset : function.opset_import())
      opsets[standard(opset.domain())] = opset.version();
    unsupported.collect(function.node(), opsets.empty() ? model.opsets : opsets);
  }
  unsupported.fail_if_any();
}

/// Runs @p body; an Error that leaves it fits on one line, and so does each place it names.
template <class Body>
Imported with_printable_errors(Body&& body) {
  try {
    return body();
  } catch (const Error& error) {
    Error clean(error.fault(), printable(error.sentence()));
    for (const std::string& where : error.context()) clean.add_context(printable(where));
    throw clean;
  }
}

/// The network in @p proto, a file of hash @p hash; takes the weights out of the message.
Imported import_model(ModelProto& proto, std::string hash, const std::string& folder) {
  Imported imported;
  imported.facts.ir_version = proto.ir_version();
  imported.facts.producer = proto.producer_name();
  if (!proto.producer_version().empty()) imported.facts.producer += " " + proto.producer_version();
  imported.facts.hash = std::move(hash);
  Model model{TensorReader(folder), {}, {}};
  read_opsets(proto, model, imported.facts);
  for (const auto& function : proto.functions())
    model.functions[{standard(function.domain()), function.name()}] = &function;
  check_supported(proto, model);
  Scope scope(model, imported.graph, nullptr);
  scope.import_graph(*proto.mutable_graph());
  if (const std::string external = model.tensors.external_hashes(); !external.empty())
    imported.facts.hash = hash128_hex(imported.facts.hash + "\n" + external);
  if (const std::string flaw = ir::find_flaw(imported.graph); !flaw.empty())
    fail("the model contradicts itself: {}", flaw);
  return imported;
}

/// What comes out of a pipe, whose bytes are there once; no folder is beside it.
Imported import_pipe(const std::string& path) { return import_bytes(read_file(path), "."); }

/// Parsed from a stream, so that the file and its message are not in memory at once.
Imported import_stream(const std::string& path) {
  std::string hash;
  {
    const MappedFile file(path);
    require_readable_size(file.bytes().size());
    hash = hash128_hex(file.bytes());
  }
  std::ifstream file(path, std::ios::binary);
  google::protobuf::io::IstreamInputStream stream(&file);
  ModelProto proto;
  const bool parsed = proto.ParseFromZeroCopyStream(&stream);
  require_network(parsed, proto);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return with_printable_errors(
      [&] { return import_model(proto, std::move(hash), folder.empty() ? "." : folder); });
}

}  // namespace

Imported import_bytes(std::string_view bytes, const std::string& folder) {
  require_readable_size(bytes.size());
  ModelProto proto;
  const bool parsed = proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  require_network(parsed, proto);
  return with_printable_errors([&] { return import_model(proto, hash128_hex(bytes), folder); });
}

Imported import_file(const std::string& path) {
  const log::Speaking library(log::Voice::Library);
  return in_context([&] { return format("importing '{}'", path); },
                    [&] {
                      std::error_code ignored;  // opening the file tells
                      const auto status = std::filesystem::status(path, ignored);
                      const bool file_like = !std::filesystem::exists(status) ||
                                             std::filesystem::is_regular_file(status) ||
                                             std::filesystem::is_directory(status);
                      return file_like ? import_stream(path) : import_pipe(path);
                    });
}

}  // namespace dlaexec::onnx
