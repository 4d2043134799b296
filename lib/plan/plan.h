// The plan: what a build makes and a run needs, as plain data. plan/file.h keeps it in a file.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/rule.h"

namespace dlaexec::plan {

/// One DLA segment's program as opaque bytes: dla/ makes and reads them.
struct Loadable {
  std::string name;  ///< of the plan step that runs it
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  ///< keeps the bytes alive; they may lie in a mapped file
};

/// Kernels for one GPU architecture as opaque bytes: gpu/ makes and reads them.
struct DeviceCode {
  std::string architecture;  ///< "sm_90a"
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};

/// Where one layer of the network went.
struct Layer {
  std::string name;
  std::string type;  ///< as TensorRT prints it: "CONVOLUTION"
  ir::Device device = ir::Device::Gpu;
  ir::DataType precision = ir::DataType::Float32;
  std::string
      step;  ///< the plan step that computes it; empty when nothing is left of it at run time
  std::vector<ir::Finding> findings;  ///< what kept it off the DLA, or may hurt it there
};

/// The shapes that an input with symbols was built for, in one optimization profile.
struct ShapeRange {
  std::string input;
  ir::Dims min, opt, max;
  int profile = 0;
};

/// A setting of the build, by the name under which the user knows it.
struct Setting {
  std::string name, value;
};

/// The setting that says that every weight that can be 2:4 sparse is: the model of the DLA's time
/// counts on it.
inline constexpr std::string_view kSparseWeights = "sparseWeights";

/// What people and reports want to know of a plan; no run depends on it, but for the
/// platform and kSparseWeights.
struct Metadata {
  std::string tool_version;
  std::string model;       ///< the model's file name, without folders
  std::string model_hash;  ///< hash128_hex of the model file
  std::string platform;    ///< whose DLA is modelled: "agx-orin-64"
  std::string power_mode;
  int dla_core = -1;  ///< -1: none
  std::vector<Setting> settings;
  std::vector<ShapeRange> shapes;
  std::vector<Layer> layers;  ///< every layer of the network, in network order
  std::vector<std::string>
      notes;  ///< what the user should know: ranges assumed, precisions changed
};

/// The graph is typed and in execution order: host or GPU steps, ForeignNodes that name a loadable
/// by index, and Reformats where types or formats change.
struct Plan {
  ir::Graph graph;
  std::vector<Loadable> loadables;
  std::vector<DeviceCode> device_code;  ///< one per architecture; none: built without a GPU
  Metadata metadata;
};

/// True if a DLA takes part, so that times are composed of measured and modelled ones.
inline bool uses_dla(const Plan& plan) { return !plan.loadables.empty(); }

}  // namespace dlaexec::plan
