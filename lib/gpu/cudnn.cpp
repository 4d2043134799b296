#include "gpu/cudnn.h"

#include <algorithm>
#include <mutex>
#include <sstream>

#include "base/error.h"
#include "base/log.h"
#include "gpu/cudnn_graph.h"

namespace dlaexec::gpu {
namespace {

using namespace cudnn;
using Descriptors = std::vector<std::unique_ptr<CudnnDescriptor>>;

// Values of the library's enumerations.
constexpr int kBest = 3, kFallback = 2;  // cudnnBackendHeurMode_t
constexpr int kTensorCore = 0;           // cudnnBackendNumericalNote_t
/// Inputs or sums of fewer bits, transforms that round in between, sums in any order.
constexpr int kUnlikeOurs[] = {1, 2, 3, 4, 5, 6, 7, 8};
constexpr int kCompilesAtRunTime = 0;  // cudnnBackendBehaviorNote_t
constexpr size_t kMostKnobs = 64, kMostNotes = 16;

/// A kernel of the library with its settings.
struct Choice {
  int64_t engine = 0;
  std::vector<std::pair<int, int64_t>> knobs;
};

/// "e41 2:7 13:1" and back.
std::string to_text(const Choice& choice) {
  std::string text = format("e{}", choice.engine);
  for (const auto& [knob, value] : choice.knobs) text += format(" {}:{}", knob, value);
  return text;
}

Choice parse_choice(const std::string& text) {
  Choice choice;
  std::istringstream words(text);
  char mark = 0;
  words >> mark >> choice.engine;
  std::pair<int, int64_t> knob;
  while (words >> knob.first >> mark >> knob.second) choice.knobs.push_back(knob);
  if (to_text(choice) != text) fail("'{}' is no algorithm of cuDNN", text);
  return choice;
}

/// What one of the library's proposals holds; nothing if it may not run @p convolution: it needs a
/// compiler, or promises less than this project's kernels do.
std::optional<Choice> choice_of(const CudnnDescriptor& config,
                                const LibraryConvolution& convolution) {
  const Descriptors engines = config.get_descriptors(kConfigEngine, kEngine, 1);
  if (engines.empty()) return std::nullopt;
  for (const int note : engines[0]->get<int>(kEngineBehaviorNotes, kMostNotes))
    if (note == kCompilesAtRunTime) return std::nullopt;
  for (const int note : engines[0]->get<int>(kEngineNumericalNotes, kMostNotes)) {
    if (std::find(std::begin(kUnlikeOurs), std::end(kUnlikeOurs), note) != std::end(kUnlikeOurs))
      return std::nullopt;
    if (note == kTensorCore && convolution.full) return std::nullopt;  // that would be tf32
  }
  Choice choice{engines[0]->get<int64_t>(kEngineIndex, 1).at(0), {}};
  for (const auto& knob : config.get_descriptors(kConfigKnobs, kKnobChoice, kMostKnobs))
    choice.knobs.emplace_back(knob->get<int>(kChoiceKnob, 1).at(0),
                              knob->get<int64_t>(kChoiceValue, 1).at(0));
  return choice;
}

/// A choice made ready to run a graph, which lives longer.
class Plan {
 public:
  Plan(const CudnnFunctions& functions, Handle library, const CudnnGraph& graph,
       const Choice& choice)
      : engine_(functions, kEngine), config_(functions, kConfig), plan_(functions, kPlan) {
    engine_.set(kEngineGraph, graph.descriptor());
    engine_.set(kEngineIndex, choice.engine);
    finish(functions, engine_);
    std::vector<Handle> knobs;
    for (const auto& [knob, value] : choice.knobs) {
      knobs_.push_back(std::make_unique<CudnnDescriptor>(functions, kKnobChoice));
      knobs_.back()->set(kChoiceKnob, knob);
      knobs_.back()->set(kChoiceValue, value);
      finish(functions, *knobs_.back());
      knobs.push_back(knobs_.back()->handle());
    }
    config_.set(kConfigEngine, engine_);
    if (!knobs.empty()) config_.set(kConfigKnobs, knobs);
    finish(functions, config_);
    plan_.set(kPlanHandle, library);
    plan_.set(kPlanConfig, config_);
    finish(functions, plan_);
  }
  Handle handle() const { return plan_.handle(); }
  int64_t workspace_bytes() const { return plan_.get<int64_t>(kPlanWorkspace, 1).at(0); }

 private:
  static void finish(const CudnnFunctions& functions, CudnnDescriptor& descriptor) {
    check_cudnn(functions, descriptor.finish(), "preparing a convolution");
  }
  CudnnDescriptor engine_;
  Descriptors knobs_;
  CudnnDescriptor config_, plan_;
};

class Cudnn;

class ConvolutionLaunch : public LibraryLaunch {
 public:
  ConvolutionLaunch(const Cudnn& library, const LibraryConvolution& convolution,
                    const LibraryTactic& tactic, const LibraryAddresses& addresses);
  void enqueue(const Stream& stream) const override;

 private:
  const Cudnn& library_;
  CudnnGraph graph_;
  Plan plan_;
  CudnnDescriptor pack_;
};

class Cudnn : public Library {
 public:
  Cudnn()
      : Library(LibraryKind::Cudnn, find_cudnn().table->version, find_cudnn().table->path),
        functions_(*find_cudnn().table) {
    check_cudnn(functions_, functions_.create(&handle_), "starting");
  }
  ~Cudnn() override {
    if (handle_) functions_.destroy(handle_);
  }
  const CudnnFunctions& functions() const { return functions_; }
  Handle handle() const { return handle_; }

  std::vector<LibraryTactic> tactics(const LibraryProblem& problem, size_t most,
                                     int64_t workspace_bytes) const override;
  std::unique_ptr<LibraryLaunch> launch(const LibraryProblem& problem, const LibraryTactic& tactic,
                                        const LibraryAddresses& addresses) const override {
    return std::make_unique<ConvolutionLaunch>(*this, std::get<LibraryConvolution>(problem), tactic,
                                               addresses);
  }
  void execute(const Plan& plan, const CudnnDescriptor& pack, const Stream& stream) const;

 private:
  /// Adds what the heuristics @p mode propose for @p graph until there are @p most.
  void add_proposals(std::vector<LibraryTactic>& tactics, const CudnnGraph& graph,
                     const LibraryConvolution& convolution, int mode, size_t most,
                     int64_t workspace_bytes) const;
  /// @p choice as a tactic; nothing if it cannot run @p graph within @p workspace_bytes.
  std::optional<LibraryTactic> tactic_of(const Choice& choice, const CudnnGraph& graph,
                                         int64_t workspace_bytes) const;

  const CudnnFunctions& functions_;
  Handle handle_ = nullptr;
  mutable std::mutex stream_lock_;  ///< the handle holds one stream at a time
};

std::optional<LibraryTactic> Cudnn::tactic_of(const Choice& choice, const CudnnGraph& graph,
                                              int64_t workspace_bytes) const {
  try {
    const int64_t needed = Plan(functions_, handle_, graph, choice).workspace_bytes();
    if (needed > workspace_bytes) return std::nullopt;
    return LibraryTactic{kind(), version(), needed, to_text(choice)};
  } catch (const Error& error) {
    log::verbose("{}: {}", to_text(choice), error.what());
    return std::nullopt;
  }
}

void Cudnn::add_proposals(std::vector<LibraryTactic>& tactics, const CudnnGraph& graph,
                          const LibraryConvolution& convolution, int mode, size_t most,
                          int64_t workspace_bytes) const {
  constexpr size_t kMostConfigs = 256;
  CudnnDescriptor heuristics(functions_, kHeuristics);
  heuristics.set(kHeuristicsGraph, graph.descriptor());
  heuristics.set(kHeuristicsKind, mode);
  if (heuristics.finish() != 0) return;  // no way for such a graph
  for (const auto& config : heuristics.get_descriptors(kHeuristicsResults, kConfig, kMostConfigs)) {
    if (tactics.size() >= most) return;
    const std::optional<Choice> choice = choice_of(*config, convolution);
    const std::optional<LibraryTactic> tactic =
        choice ? tactic_of(*choice, graph, workspace_bytes) : std::nullopt;
    if (tactic && std::find(tactics.begin(), tactics.end(), *tactic) == tactics.end())
      tactics.push_back(*tactic);
  }
}

std::vector<LibraryTactic> Cudnn::tactics(const LibraryProblem& problem, size_t most,
                                          int64_t workspace_bytes) const {
  const LibraryConvolution* const convolution = std::get_if<LibraryConvolution>(&problem);
  std::vector<LibraryTactic> tactics;
  if (!convolution) return tactics;
  try {
    const CudnnGraph graph(functions_, handle_, *convolution);
    for (const int mode : {kBest, kFallback})
      add_proposals(tactics, graph, *convolution, mode, most, workspace_bytes);
  } catch (const Error& error) {  // the library refuses what it does not take
    log::verbose("{}", error.what());
  }
  return tactics;
}

void Cudnn::execute(const Plan& plan, const CudnnDescriptor& pack, const Stream& stream) const {
  const std::lock_guard guard(stream_lock_);
  check_cudnn(functions_, functions_.set_stream(handle_, stream.handle()), "choosing a stream");
  check_cudnn(functions_, functions_.execute(handle_, plan.handle(), pack.handle()), "convolving");
}

ConvolutionLaunch::ConvolutionLaunch(const Cudnn& library, const LibraryConvolution& convolution,
                                     const LibraryTactic& tactic, const LibraryAddresses& addresses)
    : library_(library),
      graph_(library.functions(), library.handle(), convolution),
      plan_(library.functions(), library.handle(), graph_, parse_choice(tactic.algorithm)),
      pack_(library.functions(), kPack) {
  std::vector<int64_t> operands;
  std::vector<Address> at;
  const auto add = [&](CudnnOperand operand, Address address) {
    operands.push_back(static_cast<int64_t>(operand));
    at.push_back(address);
  };
  add(CudnnOperand::X, addresses.x);
  add(CudnnOperand::W, addresses.w);
  add(CudnnOperand::Bias, addresses.bias);
  if (convolution.has_residual) add(CudnnOperand::Residual, addresses.residual);
  add(CudnnOperand::Y, addresses.y);
  pack_.set(kPackIds, operands);
  pack_.set(kPackAddresses, at);
  pack_.set(kPackWorkspace, addresses.workspace);
  check_cudnn(library.functions(), pack_.finish(), "preparing a convolution");
}

void ConvolutionLaunch::enqueue(const Stream& stream) const {
  library_.execute(plan_, pack_, stream);
}

}  // namespace

std::optional<std::string> why_not_library(const LibraryConvolution& convolution) {
  using ir::ActivationKind;
  using ir::DataType;
  if (convolution.type != DataType::Float16 && convolution.type != DataType::Float32)
    return std::string("integers");
  if (convolution.activation != ActivationKind::None &&
      convolution.activation != ActivationKind::Relu)
    return format("{} behind a convolution", ir::text(convolution.activation));
  return std::nullopt;
}

std::shared_ptr<const Library> open_cudnn() { return std::make_shared<const Cudnn>(); }

}  // namespace dlaexec::gpu
