// Lists of kernel instances for tests that compile the whole catalogue.
#include <algorithm>
#include <set>

#include "base/format.h"
#include "gpu/families.h"
#include "gpu/kernels/pair.h"
#include "gpu/product.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;

/// A product of @p in to @p out with a residual of the output's type, whose sums take
/// @p sum_bytes of a row.
Product product_with(DataType in, DataType out, bool full, bool rows, int sum_bytes = 4096) {
  Product product;
  product.in = in;
  product.out = out;
  product.full = full;
  product.residual_type = out;
  product.activation = ir::ActivationKind::Relu;
  product.rows = rows;
  product.sum_bytes = product.p.channel_bytes = sum_bytes;
  return product;
}

/// A convolution of 3 x 3 that @p tactic of conv_halo.cu takes.
Product product_of_windows(DataType in, DataType out, const ProductTactic& tactic) {
  Product product;
  product.in = in;
  product.out = out;
  product.activation = ir::ActivationKind::Relu;
  ConvParams& p = product.p;
  p.taps_h = p.taps_w = 3;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.whole_vectors = 1;
  p.out_h = p.out_w = 56;
  p.channel_bytes = p.x_pixel_bytes = tactic.row_bytes;
  p.k_padded = p.k_written = p.y_pixel = tactic.k;
  return product;
}

/// Types of inputs and results, and whether to compile them with every pipeline.
struct Types {
  DataType in, out;
  bool every_pipeline = false, full = false;
};

/// A convolution of 3 x 3 in groups of 32 channels.
Product product_of_groups(const Types& types) {
  constexpr int kEach = 32, kChannels = 256;
  Product product = product_with(types.in, types.out, types.full, false);
  const int size = static_cast<int>(ir::size_bytes(types.in));
  ConvParams& p = product.p;
  p.taps_h = p.taps_w = 3;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.whole_vectors = 1;
  p.out_h = p.out_w = p.in_h = p.in_w = 56;
  p.pixels = 8 * p.out_h * p.out_w;
  p.channel_bytes = p.x_pixel_bytes = kChannels * size;
  p.k_padded = p.k_written = p.y_pixel = p.residual_pixel = kChannels;
  p.group_outputs = kEach;
  p.group_bytes = kEach * size;
  product.groups = ChannelGroups{kChannels / kEach, kEach, kEach, {}};
  return product;
}

/// True if some product may be run so: the one that asks for the least shared memory would fit.
bool runs(const ProductTactic& tactic, DataType in, DataType out, const Target& target) {
  using Unit = ProductTactic::Unit;
  if (tactic.unit == Unit::Bulk && out == DataType::Float32) return false;
  if (in == DataType::Float32 && !(target.is_ampere() && tactic.unit == Unit::Mma)) return false;
  Product least;
  least.in = in;
  least.out = out;
  least.sum_bytes = 1;
  return shared_bytes(least, tactic, target) <= target.shared_bytes;
}

/// What is left of a tactic without its pipeline.
std::string tile_of(ProductTactic tactic) {
  tactic.row_bytes = tactic.stages = 0;
  return to_text(tactic);
}

std::vector<Types> types_of(Coverage coverage) {
  constexpr DataType kHalf = DataType::Float16, kInt8 = DataType::Int8, kFloat = DataType::Float32;
  if (coverage == Coverage::EveryTile) return {{kHalf, kHalf}};
  // The way out does not know the pipeline: each tile with one shows what other results ask.
  return {{kHalf, kHalf, true},          {kInt8, kInt8, true}, {kFloat, kFloat, true},
          {kFloat, kFloat, false, true}, {kHalf, kFloat},      {kInt8, kHalf}};
}

void add_unique(std::vector<Kernel>& kernels, Kernel kernel) {
  if (std::find(kernels.begin(), kernels.end(), kernel) == kernels.end())
    kernels.push_back(std::move(kernel));
}

/// Grouped convolutions: each tile that is no wider than they need with one pipeline.
void add_groups(std::vector<Kernel>& kernels, const Types& types, const Target& target) {
  std::set<std::string> tiles;  // that have their kernel
  for (ProductTactic tactic : all_product_tactics(target))
    for (const int split : {1, 2}) {
      tactic.split = split;
      if (tactic.unit == ProductTactic::Unit::Halo || tactic.k > 64 || !exists(tactic)) continue;
      const Product product = product_of_groups(types);
      if (fits(product, tactic, target) && tiles.insert(tile_of(tactic)).second)
        add_unique(kernels, product_kernel(product, tactic, target));
    }
}

}  // namespace

int declared_spill_bytes(const Kernel& kernel) {
  // What the largest tiles keep across the sums goes to local memory and comes back on the way out,
  // once a tile.
  if (kernel.file == "pool.cu") return 16;
  if (kernel.file == "attention.cu") return 32;  // five words of a head of 80, on sm_75 alone
  if (kernel.file == "conv_bulk.cu" || kernel.file == "conv_halo.cu") return 0;
  if (kernel.file == "pair_bulk.cu") return 128;    // of int8, where three warpgroups multiply
  if (kernel.file == "pair_cluster.cu") return 64;  // of the largest tiles with a shortcut
  // Blocks that share a sum through memory need its address too: one or two words more.
  if (kernel.expression.find(", Memory,") != std::string::npos) return 128;
  return kernel.file.rfind("conv_", 0) == 0 ? 96 : 0;
}

std::vector<Kernel> conv_kernels(const Target& target, Coverage coverage) {
  std::vector<Kernel> kernels;
  for (const Types& types : types_of(coverage)) {
    std::set<std::string> tiles;  // that have their kernel
    for (ProductTactic tactic : all_product_tactics(target)) {
      if (tactic.unit == ProductTactic::Unit::Halo) continue;
      const bool bulk = tactic.unit == ProductTactic::Unit::Bulk;
      for (const bool rows : {false, true})
        for (const int split : {1, 2, 0}) {  // 0: weights stay
          if (!types.every_pipeline && (!bulk || split == 2) && rows != (split == 2)) continue;
          tactic.split = std::max(split, 1);
          tactic.stays = split == 0;
          if (!exists(tactic) || !runs(tactic, types.in, types.out, target)) continue;
          if (types.full && !tactic.takes_full_floats()) continue;
          const bool one_pipeline = !types.every_pipeline || split == 2;
          const std::string tile = format("{} {}", tile_of(tactic), rows);
          if (one_pipeline && !tiles.insert(tile).second) continue;
          add_unique(kernels, product_kernel(product_with(types.in, types.out, types.full, rows),
                                             tactic, target));
          if (bulk && rows && split == 1)  // several tiles of results at a time
            add_unique(kernels,
                       product_kernel(product_with(types.in, types.out, types.full, rows, 128),
                                      tactic, target));
        }
    }
  }
  for (const Types& types : types_of(coverage))
    for (const ProductTactic& tactic : all_product_tactics(target)) {
      const Product product = product_of_windows(types.in, types.out, tactic);
      if (tactic.unit == ProductTactic::Unit::Halo && fits(product, tactic, target))
        add_unique(kernels, product_kernel(product, tactic, target));
    }
  for (const Types& types : types_of(coverage)) add_groups(kernels, types, target);
  for (Kernel& kernel : pair_kernels(target, coverage)) add_unique(kernels, std::move(kernel));
  return kernels;
}

namespace {

/// Adds an instance of an embedded file once.
struct Adder {
  std::vector<Kernel>& kernels;
  void operator()(const char* file, std::string expression) const {
    add_unique(kernels, {file, std::move(expression)});
  }
};

/// One element at a time.
void add_pointwise(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (size_t kind = 0; kind < ir::kEnumText<ir::ActivationKind>.size(); ++kind) {
    const auto name = device_name(static_cast<ir::ActivationKind>(kind));
    add("map.cu", format("map<Apply<{}>, half, half, Nothing, Nothing, 1, 8>", name));
  }
  for (const char* name : {"Sum", "Sub", "Prod", "Div", "Pow", "Min", "Max"})
    add("map.cu", format("map<{}<None>, float, float, float, Nothing, 3, 1>", name));
  for (const char* name : {"Exp", "Log", "Sqrt", "Reciprocal", "Abs", "Neg", "Sin", "Cos", "Ceil",
                           "Floor", "Round", "Erf"})
    add("map.cu", format("map<{}, half, half, Nothing, Nothing, 1, 8>", name));
  add("map.cu", "map<ScaleShift, signed char, signed char, float, float, 2, 16>");
  add("map.cu", "map<PRelu, float, float, float, Nothing, 6, 4>");
  add("map.cu", "map<Move, unsigned long long, unsigned long long, Nothing, Nothing, 3, 2>");
}

/// Format changes, and windows over single channels.
void add_windows(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* types :
       {"half, half", "float, half", "float, signed char", "signed char, half"}) {
    add("image.cu", format("to_pixels<{}, 8>", types));
    add("image.cu", format("to_planes<{}, 8>", types));
  }
  for (const char* kind : {"Max", "Average"}) {
    for (const char* taps : {"0", "2", "3"}) {
      add("pool.cu", format("pool<half, half, {}, 8, {}>", kind, taps));
      add("pool.cu", format("pool<signed char, signed char, {}, 16, {}>", kind, taps));
    }
  }
  for (const char* shape : {"3, 1, 4, 2", "5, 1, 4, 2"})
    add("depthwise.cu", format("depthwise<half, half, half, Relu, {}>", shape));
  for (const char* shape : {"3, 1, 4, 1", "3, 2, 4, 1", "5, 1, 4, 1", "5, 2, 2, 1", "0, 0, 1, 1"}) {
    add("depthwise.cu", format("depthwise<half, half, half, Relu, {}>", shape));
    add("depthwise.cu", format("depthwise<float, float, Nothing, Relu, {}>", shape));
  }
  for (const char* shape : {"3, 1, 2, 1", "3, 2, 2, 1", "5, 1, 2, 1", "5, 2, 2, 1", "0, 0, 1, 1"})
    add("depthwise.cu", format("depthwise<signed char, signed char, Nothing, Relu, {}>", shape));
  for (const char* transposed : {"false", "true"}) {
    add("conv_plain.cu", format("conv_plain<half, half, half, Relu, {}>", transposed));
    add("conv_plain.cu",
        format("conv_plain<signed char, signed char, Nothing, None, {}>", transposed));
  }
}

/// Along rows of elements.
void add_rows(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* kind :
       {"Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "SumSquare"}) {
    add("rows.cu", format("reduce_rows<{}, half, half>", kind));
    add("rows.cu", format("reduce_columns<{}, half, half, 8>", kind));
  }
  add("rows.cu", "reduce_columns<Mean, signed char, signed char, 16, half, half>");
  for (const char* name : {"log_sum_exp", "hardmax"})
    add("rows.cu", format("{}<half, half>", name));
  for (const char* flag : {"false", "true"}) {
    add("rows.cu", format("softmax<half, half, {}>", flag));
    add("rows.cu", format("normalize<half, half, {}>", flag));
    for (const char* types : {"half, half", "signed char, half", "float, float"})
      for (const int passes : {1, 3, 6})
        add("rows.cu", format("normalize_in_registers<{}, {}, {}>", types, flag, passes));
  }
}

/// Elements that move where indices say.
void add_moves(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* word : {"unsigned char", "unsigned short", "unsigned", "unsigned long long"}) {
    for (const char* name :
         {"gather", "gather_elements", "scatter_elements", "gather_nd", "scatter_nd", "one_hot"})
      add("index.cu", format("{}<{}, long long>", name, word));
    for (const char* mode : {"Constant", "Edge", "Reflect", "Wrap"})
      add("pad.cu", format("pad<{}, {}>", word, mode));
  }
  add("index.cu", "gather<Quad, int>");
  for (const char* how : {"Add", "Mul", "Max", "Min"})
    for (const char* type : {"half", "float", "long long"}) {
      add("index.cu", format("combine_elements<{}, long long, {}>", type, how));
      add("index.cu", format("combine_nd<{}, long long, {}>", type, how));
    }
}

/// Images read between their pixels.
void add_samples(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* mode : {"Linear", "Nearest", "Cubic"})
    for (const char* padding : {"Zeros", "Border", "Reflection"})
      for (const char* align : {"false", "true"})
        add("sample.cu",
            format("grid_sample<half, float, half, {}, {}, {}>", mode, padding, align));
  for (const char* largest : {"false", "true"}) {
    add("sample.cu", format("roi_align<half, half, long long, half, {}>", largest));
    add("sample.cu", format("roi_align<float, float, int, float, {}>", largest));
  }
}

/// The best, the sums and the norms of an axis.
void add_selections(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* flag : {"false", "true"}) {
    add("index.cu", format("trilu<unsigned short, {}>", flag));
    for (const char* type : {"half", "float", "int", "long long"}) {
      add("select.cu", format("top_k<{}, long long, {}>", type, flag));
      add("select.cu", format("arg_rows<{}, long long, {}, false>", type, flag));
      add("select.cu", format("arg_columns<{}, int, {}, true>", type, flag));
      add("select.cu", format("running_sum<{}, {}, false>", type, flag));
    }
    for (const char* type : {"half", "float", "signed char"})
      add("channels.cu", format("unit_length<{0}, {0}, {1}>", type, flag));
  }
  for (const char* type : {"half", "float", "signed char"})
    for (const char* name : {"group_norm", "local_response", "resize"})
      add(name == std::string("resize") ? "resize.cu" : "channels.cu",
          format("{0}<{1}, {1}>", name, type));
}

/// Results whose size data decides.
void add_counted(std::vector<Kernel>& kernels) {
  const Adder add{kernels};
  for (const char* centre : {"false", "true"}) add("nms.cu", format("best_boxes<{}>", centre));
  add("nms.cu", "list_boxes");
  for (const char* type : {"half", "float", "bool", "long long"})
    for (const char* name : {"count_set", "list_set"})
      add("nonzero.cu", format("{}<{}>", name, type));
}

/// Several layers in one launch.
void add_fused(std::vector<Kernel>& kernels, const Target& target) {
  const Adder add{kernels};
  for (const int head : {16, 64, 80, 128}) {
    for (const int warps : {1, 4, 7, 8})
      add("attention.cu", format("attention<{}, {}>", head, warps));
    add("attention.cu", format("attention_shared_queries<{}, 4>", head));
  }
  if (target.is_ampere())
    for (const char* form : {"float, half, half, Relu, 3, 64, 7, true, true",
                             "float, half, half, Relu, 3, 64, 7, true, false",
                             "float, signed char, signed char, Relu, 3, 64, 7, true, true",
                             "half, half, half, Silu, 3, 32, 3, false, true",
                             "float, half, half, Relu, 1, 32, 5, false, false",
                             "float, signed char, signed char, Relu, 3, 32, 3, false, true"})
      add("stem.cu", format("stem<{}>", form));
  if (target.is_hopper()) {
    for (const int head : {16, 64, 80, 128})
      for (const char* keys : {"64, true", "112, true", "112, false", "208, true"})
        add("attention_wgmma.cu", format("attention_wgmma<{}, {}>", head, keys));
    add("mean_layer.cu", "mean_layer<half, half, half, half, half, float, None, 4>");
    add("mean_layer.cu",
        "mean_layer<signed char, half, half, signed char, signed char, float, Relu, 8>");
    add("mean_layer.cu", "mean_layer<signed char, float, float, half, float, float, Silu, 1>");
    add("squeeze.cu", "squeeze<None, 0, 1, 1, Relu, HardSigmoid>");
    for (const char* window : {"Silu, 3, 1, 4", "Silu, 3, 2, 3", "Silu, 5, 1, 4", "Silu, 5, 2, 2"})
      add("squeeze.cu", format("squeeze<{}, Silu, Sigmoid>", window));
  }
}

}  // namespace

std::vector<Kernel> other_kernels(const Target& target) {
  std::vector<Kernel> kernels;
  add_pointwise(kernels);
  add_windows(kernels);
  add_rows(kernels);
  add_moves(kernels);
  add_samples(kernels);
  add_selections(kernels);
  add_counted(kernels);
  add_fused(kernels, target);
  return kernels;
}

}  // namespace dlaexec::gpu
