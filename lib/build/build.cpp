#include "build/build.h"

#include "base/log.h"
#include "base/log_voice.h"
#include "build/device_code.h"
#include "build/edges.h"
#include "build/metadata.h"
#include "build/model.h"
#include "build/segments.h"
#include "build/shapes.h"
#include "dla/clock.h"
#include "dla/platform.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "place/adjust.h"

namespace dlaexec::build {
namespace {

/// The board that the build is for.
struct Board {
  const dla::Platform& platform;
  const dla::PowerMode& mode;
  dla::Edition edition;
};

/// Each generation has one edition that people mean; others are said out loud.
void warn_of_edition(const dla::Platform& platform, dla::Edition edition) {
  const dla::Edition usual = dla::default_edition(platform.generation);
  if (edition == usual) return;
  if (dla::is_known(platform.generation, edition))
    log::warning("the DLA rules of TensorRT {} are applied; the newest for {} are those of {}",
                 ir::text(edition), platform.title, ir::text(usual));
  else
    log::warning("TensorRT {} does not know the DLA of {}; its rules are applied all the same",
                 ir::text(edition), platform.title);
}

Board board_of(const Options& options) {
  const dla::Platform& platform = dla::platform(options.platform);
  const dla::PowerMode& mode = dla::power_mode(platform, options.power_mode);
  if (options.dla_core) dla::require_core(platform, mode, *options.dla_core);
  const dla::Edition edition =
      options.dla_rules.value_or(dla::default_edition(platform.generation));
  warn_of_edition(platform, edition);
  return {platform, mode, edition};
}

bool may_use_dla(const Options& options) {
  if (options.dla_core) return true;
  for (const auto& [layer, device] : options.layer_devices)
    if (device == ir::Device::Dla) return true;
  return false;
}

/// The user's types of layers count; with a DLA they are preferred at least.
bool constrains(const Options& options) {
  return options.constraints != quant::Constraints::None || may_use_dla(options);
}

quant::Options quant_options(const Options& options, const Board& board) {
  quant::Options wanted;
  wanted.int8 = options.int8;
  wanted.fp16 = options.fp16 || (may_use_dla(options) && !options.int8);
  wanted.constraints = options.constraints;
  wanted.layer_precisions = options.layer_precisions;
  wanted.scales = options.scales;
  wanted.scales_from = options.scales_from;
  wanted.calibrate = options.calibrate;
  wanted.lift = options.lift;
  wanted.qdq = options.qdq.value_or(may_use_dla(options) ? quant::QdqLayers::Translated
                                                         : quant::QdqLayers::Fused);
  if (may_use_dla(options)) wanted.dla = dla::Target{board.platform.generation, board.edition, {}};
  return wanted;
}

dla::CompileOptions compile_options(const Options& options, const Board& board) {
  dla::CompileOptions wanted;
  wanted.generation = board.platform.generation;
  wanted.pools = dla::default_pools(wanted.generation);
  wanted.pools.sram = options.pools.dla_sram.value_or(wanted.pools.sram);
  wanted.pools.local = options.pools.dla_local_dram.value_or(wanted.pools.local);
  wanted.pools.global = options.pools.dla_global_dram.value_or(wanted.pools.global);
  dla::require_legal(wanted.pools);
  return wanted;
}

/// Asks the DLA compiler about a segment whose borders are typed already: fused and typed alone.
place::FrontEndAnswer try_to_compile(const ir::Graph& segment, const dla::CompileOptions& options,
                                     const dla::ClockSettings& clock) {
  ir::Graph trial = segment;
  for (ir::Node& node : trial.nodes) {
    node.device = ir::Device::Dla;
    node.segment = 0;
  }
  passes::fuse(trial);
  passes::fix_types(trial);
  try {
    return place::FrontEndAnswer(dla::estimate(dla::compile(trial, options), clock).seconds);
  } catch (const dla::Refusal& refusal) {
    // A step is known to the user by the first layer in it.
    std::string layer = refusal.layer();
    for (const ir::Node& node : trial.nodes)
      if (node.name == refusal.layer() && !node.origins.empty()) layer = node.origins.front();
    return std::optional(place::FrontEndRefusal{layer, refusal.reason(),
                                                refusal.obstacle() == dla::Obstacle::Memory});
  }
}

place::Options place_options(const Options& options, const Board& board,
                             const dla::CompileOptions& compiler) {
  place::Options wanted;
  wanted.platform = &board.platform;
  wanted.mode = &board.mode;
  wanted.edition = board.edition;
  wanted.default_device = options.dla_core ? ir::Device::Dla : ir::Device::Gpu;
  wanted.layer_devices = options.layer_devices;
  wanted.gpu_fallback = options.gpu_fallback;
  wanted.direct_io = options.direct_io;
  wanted.input_formats = options.input_formats;
  wanted.output_formats = options.output_formats;
  wanted.order = options.subgraph_order;
  const dla::ClockSettings clock = dla::clock_settings(board.platform, board.mode);
  wanted.front_end = [compiler, clock](const ir::Graph& segment) {
    return try_to_compile(segment, compiler, clock);
  };
  return wanted;
}

std::vector<std::string> segment_names(const place::Placement& placement) {
  std::vector<std::string> names;
  for (const place::Segment& segment : placement.segments) names.push_back(segment.name);
  return names;
}

plan::Metadata metadata_of(const Options& options, const Model& model, const Board& board) {
  plan::Metadata metadata;
  metadata.tool_version = DLAEXEC_VERSION;
  metadata.model = model.name;
  metadata.model_hash = model.hash;
  metadata.platform = board.platform.name;
  metadata.power_mode = board.mode.name;
  metadata.dla_core = options.dla_core.value_or(-1);
  metadata.settings = describe_settings(options);
  return metadata;
}

/// Devices wished, rewrites, ranges and precisions: what placement starts from.
quant::Report prepare(ir::Graph& graph, const Options& options, const Board& board,
                      const place::Options& placing) {
  place::choose_devices(graph, placing);
  if (options.adjust_for_dla && may_use_dla(options)) {
    const dla::Target target{board.platform.generation, board.edition, ir::DataType::Float16};
    for (const place::Rewrite& rewrite : place::adjust_for_dla(graph, target))
      log::info("{} rewritten for the DLA: {} [{}]", rewrite.layer, rewrite.change, rewrite.id);
  }
  quant::Report report = quant::assign(graph, quant_options(options, board));
  passes::fold_dequantized(graph);  // weights that did not become Int8 are real numbers
  return report;
}

/// Fuses so that the tensors called @p kept still come into being: where a network rounds by its
/// own Q/DQ layers, no step may go on with more exact numbers.
void fuse_keeping(ir::Graph& graph, const std::vector<std::string>& kept, const Options& options) {
  std::vector<std::string> outputs;
  for (const ir::ValueId id : graph.outputs) outputs.push_back(graph.value(id).name);
  for (const std::string& name : kept)
    if (const auto id = graph.find_value(name); id && !graph.is_output(*id) && !graph.is_input(*id))
      graph.outputs.push_back(*id);  // as an output it cannot be swallowed
  passes::fuse(graph, options.on_stage);
  graph.outputs.clear();
  for (const std::string& name : outputs) graph.outputs.push_back(graph.find_value(name).value());
}

/// The tensors whose rounding is part of the network: its Q/DQ layers are fused, not translated.
std::vector<std::string> rounded_tensors(const quant::Report& report) {
  const bool fused =
      report.source == quant::RangeSource::Explicit && report.qdq == quant::QdqLayers::Fused;
  return fused ? report.translation.rounded : std::vector<std::string>();
}

/// What a build starts from: the network as imported, and what is asked of it on which board.
struct Start {
  Board board;
  dla::CompileOptions compiler;
  Model model;
  Options options;
  place::Options placing;
};

Start start_of(const Options& asked) {
  const Board board = board_of(asked);
  const dla::CompileOptions compiler = compile_options(asked, board);
  Model model = read_model(asked);
  require_counts(model.graph, asked);
  const Options options = with_edge_types(model.graph, asked);
  return {board, compiler, std::move(model), options, place_options(options, board, compiler)};
}

/// Decides where the layers run, and ends the build where that is not allowed.
place::Placement place_layers(ir::Graph& graph, const place::Options& placing,
                              const Options& options) {
  place::Placement placement = place::decide(graph, placing);
  if (options.on_explanation) options.on_explanation(place::explain(graph, placement, placing));
  place::require_allowed(graph, placement, placing);
  place::log_placement(placement);
  return placement;
}

/// Fuses each device's part and gives every tensor its final type.
void fuse_and_type(ir::Graph& graph, const quant::Report& report, const OutputTypes& output_types,
                   const Options& options) {
  std::vector<std::string> kept = rounded_tensors(report);
  for (const auto& [tensor, wish] : output_types) kept.push_back(tensor);
  fuse_keeping(graph, kept, options);
  passes::fix_types(graph, options.on_stage, [&](ir::Graph& typed) {
    settle_types(typed, output_types, options.constraints);
  });
}

void log_offloaded(const plan::Plan& plan, const place::Placement& placement) {
  log::verbose("Number of DLA node candidates offloaded : {} out of {}", plan.loadables.size(),
               placement.candidates);
}

/// Hands the network out to who wants to see it after @p stage.
void show(const Options& options, std::string_view stage, const ir::Graph& graph) {
  if (options.on_stage) options.on_stage(stage, graph);
}

void log_sparsity(const SparseLayers& layers, Sparsity sparsity) {
  if (sparsity == Sparsity::Disable) return;
  const size_t count = layers.sparse.size() + layers.dense.size() + layers.unfit.size();
  log::info("(Sparsity) {} of {} layers have 2:4 sparse weights: {}", layers.sparse.size(), count,
            join(layers.sparse, ", "));
  for (const std::string& layer : layers.dense)
    log::verbose("(Sparsity) the weights of layer {} are dense", layer);
  if (sparsity == Sparsity::Force)
    log::warning("--sparsity=force has zeroed two of every four weights: the outputs mean nothing");
}

}  // namespace

plan::Plan build(const Options& asked) {
  Start start = start_of(asked);
  const Options& options = start.options;
  ir::Graph& graph = start.model.graph;
  plan::Plan plan;
  plan.metadata = metadata_of(options, start.model, start.board);
  const std::vector<NetworkLayer> layers = network_layers(graph);
  plan.metadata.shapes = apply_shapes(graph, options.shapes);
  show(options, "import", graph);
  const log::Speaking library(log::Voice::Library);  // from here on TensorRT's builder would work
  passes::clean_up(graph, options.on_stage);
  const SparseLayers sparse = apply_sparsity(graph, options.sparsity);
  log_sparsity(sparse, options.sparsity);
  if (sparse.all()) plan.metadata.settings.push_back({std::string(plan::kSparseWeights), "all"});

  const OutputTypes output_types =
      constrains(options) ? wished_types(graph, options.layer_output_types) : OutputTypes();
  const quant::Report report = prepare(graph, options, start.board, start.placing);
  quant::log_report(report);
  if (options.on_quantized) options.on_quantized(report);
  const place::Placement placement = place_layers(graph, start.placing, options);
  show(options, "placement", graph);
  const ir::Graph placed = graph;

  apply_edges(graph, placement, options);
  fuse_and_type(graph, report, output_types, options);
  show(options, "types", graph);
  plan.loadables = compile_segments(graph, segment_names(placement), start.compiler);
  if (may_use_dla(options)) log_offloaded(plan, placement);
  ir::remove_unused(graph);
  show(options, "steps", graph);

  plan.metadata.layers = describe_layers(layers, placed, placement, graph);
  plan.metadata.notes = describe_notes(report);
  for (plan::Setting& setting : describe_ranges(report))
    plan.metadata.settings.push_back(std::move(setting));
  plan.device_code = compile_for_device(graph, options);
  plan.graph = std::move(graph);
  return plan;
}

place::Explanation explain(const Options& asked) {
  Start start = start_of(asked);
  ir::Graph& graph = start.model.graph;
  apply_shapes(graph, start.options.shapes);
  passes::clean_up(graph);
  prepare(graph, start.options, start.board, start.placing);
  const place::Placement placement = place::decide(graph, start.placing);
  return place::explain(graph, placement, start.placing);
}

}  // namespace dlaexec::build
