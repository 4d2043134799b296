// The order of a file's nodes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace dlaexec::onnx_file {
class NodeProto;
}

namespace dlaexec::onnx {

/// @p nodes so that each comes after those whose results it uses, bodies included; the order of the
/// file where it can be kept. @p is_given tells what is known before. Throws an Error that names
/// the node when something is made by nobody, made twice, or made from itself.
std::vector<onnx_file::NodeProto*> in_order(
    const std::vector<onnx_file::NodeProto*>& nodes,
    const std::function<bool(const std::string& name)>& is_given);

}  // namespace dlaexec::onnx
