// A plan made ready to run, and the contexts that run it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dla/core/half_sum.h"
#include "dla/loadable.h"
#include "ir/tensor.h"
#include "plan/plan.h"
#include "run/board.h"
#include "run/timeline.h"

namespace dlaexec::run {

/// What DLA steps do besides taking their modelled time.
enum class DlaOutputs : uint8_t {
  Replay,   ///< emulated once for given inputs; the same inputs again give the kept outputs
  Emulate,  ///< emulated every time
  None,     ///< never emulated: outputs are zeros, only times mean something
};

struct EngineOptions {
  /// The CUDA device for GPU steps; no value: the host engine runs them. Without a CUDA driver, or
  /// with a plan that was built without a GPU, the host engine runs them too, and the log says so.
  std::optional<int> gpu_device = 0;
  /// Inputs and outputs of GPU steps lie in memory that moves between host and device by itself.
  bool managed_memory = false;
  /// False: no query's time holds the copies to and from a GPU, and those that are started
  /// (Context::start) leave out the copies of inputs that are there already, and of outputs that
  /// nobody asks for.
  bool data_transfers = true;
  int threads = 0;  ///< of the host engine and the emulated core together; 0: one per core
  DlaOutputs dla_outputs = DlaOutputs::Replay;
  /// How the emulated core sums FP16 convolutions.
  dla::core::HalfSum dla_half_sum = dla::core::HalfSum::Ordered;
  BoardOptions board;  ///< whose clocks the model uses
  /// The optimization profile whose shapes are taken.
  int profile = 0;
  /// Given: sees every tensor that a DLA step makes inside, in real numbers, whenever it is
  /// emulated.
  std::function<void(const std::string& tensor, const ir::Tensor& real)> on_dla_tensor;
  /// Every step takes its modelled time on that board and none is run: outputs are zeros.
  bool predict = false;
};

/// An input or output as the user sees it.
struct Binding {
  std::string name;
  ir::DataType type = ir::DataType::Float32;
  ir::Shape shape;  ///< with the symbols of the network
  ir::Format format = ir::Format::Linear;
};

/// A plan made ready: shared by any number of contexts.
class Engine {
 public:
  /// Throws an Error when this machine or these options cannot run the plan.
  explicit Engine(plan::Plan plan, EngineOptions options = {});
  ~Engine();
  Engine(Engine&&) noexcept;

  const plan::Plan& plan() const;
  const std::vector<Binding>& inputs() const;
  const std::vector<Binding>& outputs() const;
  /// The steps in the order of every Timeline of its contexts.
  const std::vector<Step>& steps() const;
  TimelineKind timeline_kind() const;
  /// When each step would run on @p board, every time modelled; for engines that predict.
  Timeline predict(const Board& board) const;
  /// For each step the loadable that it runs, or null.
  const std::vector<const dla::Loadable*>& loadables() const;
  /// The board that the modelled times are for; none when every time is measured.
  const std::optional<Board>& board() const;

 private:
  friend class Context;
  struct State;
  std::shared_ptr<State> state_;
};

/// One stream of executions: its own buffers and its own kept DLA outputs.
class Context {
 public:
  explicit Context(const Engine& engine);
  ~Context();
  Context(Context&&) noexcept;

  /// Runs the plan once. Inputs come in the order of Engine::inputs(), as dense row-major tensors
  /// of the binding's type; their dimensions choose the values of symbols. Throws an Error that
  /// names the input when one does not fit.
  Timeline execute(std::span<const ir::Tensor> inputs);

  /// True when queries can be under way while the host goes on: the whole plan is one program of a
  /// CUDA device, and no size is decided by data.
  bool can_start() const;
  /// Hands a query over to the device without waiting for it, at most two at a time. Where
  /// can_start() only; inputs as for execute(), which must not be called meanwhile. Tensors that
  /// are given again must hold what they held: they are not copied from a second time.
  void start(std::span<const ir::Tensor> inputs);
  /// Waits for the oldest query that was started.
  QueryTimes finish();

  /// The outputs of the last execution or finished query, in the order of Engine::outputs(): dense,
  /// row-major.
  const std::vector<ir::Tensor>& outputs() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dlaexec::run

DLAEXEC_ENUM_TEXT(dlaexec::run::DlaOutputs, "replay", "emulate", "none");
