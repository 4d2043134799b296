// Consecutive steps of a plan that the host engine runs as one program.
#pragma once

#include <list>
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

/// What was made for the dimensions seen last; the oldest goes when there are too many, since each
/// may hold a copy of the weights.
template <class Made>
class ProgramCache {
 public:
  static constexpr size_t kMost = 8;

  /// The entry for @p dims, made by @p make if it is not there.
  template <class Make>
  Made& get(const std::vector<ir::Dims>& dims, Make&& make) {
    for (Entry& entry : entries_)
      if (entry.dims == dims) return entry.made;
    if (entries_.size() == kMost) entries_.pop_front();
    entries_.push_back({dims, make()});
    return entries_.back().made;
  }

 private:
  struct Entry {
    std::vector<ir::Dims> dims;
    Made made;
  };
  std::list<Entry> entries_;
};

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

  /// A program of the caller's own for inputs of these dimensions; it shares its packed weights
  /// with others for the same.
  cpu::Program program(const std::vector<ir::Dims>& input_dims);

  /// For each step of @p program, which of nodes() it belongs to.
  std::vector<size_t> owners(const cpu::Program& program) const;

 private:
  ir::Graph part_;
  std::vector<int> nodes_;
  std::vector<ir::ValueId> inputs_, outputs_;
  std::map<std::string, size_t> index_of_name_;
  ThreadPool& threads_;
  std::mutex mutex_;
  ProgramCache<cpu::Program> programs_;
};

}  // namespace dlaexec::run
