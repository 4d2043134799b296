// Consecutive steps of a plan that the host engine runs as one program.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "cpu/program.h"
#include "ir/graph.h"
#include "run/timeline.h"

namespace dlaexec::run {

/// Host steps of a plan, compiled once for each set of input dimensions that comes along. Shared by
/// all contexts of an engine.
class HostPart {
 public:
  /// The nodes of @p graph at @p nodes, which are in order and none of them foreign.
  HostPart(const ir::Graph& graph, std::vector<int> nodes, ThreadPool& threads);

  /// What it reads and makes, as values of the whole graph.
  const std::vector<ir::ValueId>& inputs() const { return inputs_; }
  const std::vector<ir::ValueId>& outputs() const { return outputs_; }
  /// The nodes of the whole graph, in order.
  const std::vector<int>& nodes() const { return nodes_; }
  /// True if all dimensions are known before any input is.
  bool is_static() const;
  /// The dimensions of its inputs then.
  std::vector<ir::Dims> static_dims() const;

  /// The program for inputs of these dimensions; a copy of it runs beside others.
  const cpu::Program& program(const std::vector<ir::Dims>& input_dims);

  /// For each step of @p program, which of nodes() it belongs to.
  std::vector<size_t> owners(const cpu::Program& program) const;

 private:
  ir::Graph part_;
  std::vector<int> nodes_;
  std::vector<ir::ValueId> inputs_, outputs_;
  std::map<std::string, size_t> index_of_name_;
  ThreadPool& threads_;
  std::mutex mutex_;
  std::map<std::vector<ir::Dims>, std::unique_ptr<cpu::Program>> programs_;
};

}  // namespace dlaexec::run
