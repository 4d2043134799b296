#include "onnx/order.h"

#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "dlaexec_onnx.pb.h"
#include "onnx/scope.h"

namespace dlaexec::onnx {
namespace {

using onnx_file::GraphProto;
using onnx_file::NodeProto;

/// Names that a body takes from around it.
void collect_captured(const GraphProto& body, std::vector<std::string>& found) {
  std::unordered_set<std::string> own;
  for (const auto& input : body.input()) own.insert(input.name());
  for (const auto& tensor : body.initializer()) own.insert(tensor.name());
  for (const NodeProto& node : body.node())
    for (const std::string& output : node.output()) own.insert(output);
  std::vector<std::string> used;
  for (const NodeProto& node : body.node()) {
    used.insert(used.end(), node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute())
      if (attribute.has_g()) collect_captured(attribute.g(), used);
  }
  for (const auto& output : body.output()) used.push_back(output.name());
  for (const std::string& name : used)
    if (!name.empty() && !own.contains(name)) found.push_back(name);
}

std::vector<std::string> needs(const NodeProto& node) {
  std::vector<std::string> names;
  for (const std::string& input : node.input())
    if (!input.empty()) names.push_back(input);
  for (const auto& attribute : node.attribute())
    if (attribute.has_g()) collect_captured(attribute.g(), names);
  return names;
}

}  // namespace

std::vector<NodeProto*> in_order(const std::vector<NodeProto*>& nodes,
                                 const std::function<bool(const std::string&)>& is_given) {
  std::unordered_map<std::string, size_t> makers;
  for (size_t i = 0; i < nodes.size(); ++i)
    for (const std::string& output : nodes[i]->output())
      if (!output.empty() && !makers.emplace(output, i).second)
        fail("nodes '{}' and '{}' both make '{}'; each name must be made once",
             node_title(*nodes[makers[output]]), node_title(*nodes[i]), output);

  enum class State : uint8_t { Unseen, Open, Placed };
  std::vector<State> states(nodes.size(), State::Unseen);
  std::vector<NodeProto*> order;
  struct Visit {
    size_t index;
    std::vector<std::string> needed;
    size_t next = 0;
  };
  for (size_t root = 0; root < nodes.size(); ++root) {
    std::vector<Visit> stack;  // not recursion: networks are deep
    if (states[root] == State::Unseen) stack.push_back({root, needs(*nodes[root])});
    while (!stack.empty()) {
      Visit& visit = stack.back();
      states[visit.index] = State::Open;
      if (visit.next == visit.needed.size()) {
        states[visit.index] = State::Placed;
        order.push_back(nodes[visit.index]);
        stack.pop_back();
        continue;
      }
      const std::string& name = visit.needed[visit.next++];
      const auto maker = makers.find(name);
      if (maker == makers.end()) {
        if (!is_given(name))
          fail("node '{}' ({}) uses '{}', which is no input, no initializer and no node's output",
               node_title(*nodes[visit.index]), nodes[visit.index]->op_type(), name);
        continue;
      }
      if (states[maker->second] == State::Open)
        fail("the graph has a cycle through node '{}' ({}); a network must be acyclic",
             node_title(*nodes[maker->second]), nodes[maker->second]->op_type());
      if (states[maker->second] == State::Unseen)
        stack.push_back({maker->second, needs(*nodes[maker->second])});
    }
  }
  return order;
}

}  // namespace dlaexec::onnx
