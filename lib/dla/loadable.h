// The loadable: what a DLA core runs, as plain data. Everything the emulated core and the clock
// need is in it, by the units of the hardware; it knows no graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "dla/format.h"
#include "dla/generation.h"
#include "dla/numbers.h"
#include "ir/attributes.h"
#include "ir/format.h"
#include "ir/tensor.h"

namespace dlaexec::dla {

/// The hardware units that take operations, in the order of Operation::parameters.
enum class Unit : uint8_t {
  Conv,   ///< CDMA, CBUF, CMAC, CACC, with the SDP behind them
  Sdp,    ///< single point: bias, scale, activation, element-wise
  Pdp,    ///< planar: pooling
  Cdp,    ///< across channels: LRN, softmax
  Rubik,  ///< moves elements to other places: formats, transposes, resize
  Bdma,   ///< copies
};

/// Whose memory a cube lies in.
enum class Region : uint8_t {
  Input,   ///< the caller's buffer of an input
  Output,  ///< the caller's buffer of an output
  Local,   ///< local DRAM: between operations
  Sram,    ///< managed SRAM: between operations, and faster
};

/// How a convolution shares CBUF between data and weights: the open compiler's modes, in its order.
enum class CbufMode : uint8_t {
  AllResident,  ///< everything of a strip fits; nothing is read twice
  PingPong,     ///< data resident, two kernel groups of weights take turns
  SingleGroup,  ///< data resident, one kernel group at a time: its load is not hidden
};

enum class SdpAlu : uint8_t { None, Sum, Max, Min };
enum class SdpActivation : uint8_t { None, Relu };
/// What a stage's multiplier applies to.
enum class SdpMul : uint8_t { None, All, Negatives };
enum class OperandExtent : uint8_t { PerLayer, PerChannel, PerElement };
enum class LutIndex : uint8_t { Linear, Exponential };
enum class PdpKind : uint8_t { Max, Average, ReduceMax };
enum class CdpKind : uint8_t { Lrn, Softmax };
enum class RubikKind : uint8_t {
  Convert,        ///< the same tensor in another format
  Copy,           ///< a box of the input to a place of the output
  Transpose,      ///< axes permuted
  Reshape,        ///< the same elements in row-major order under other dimensions
  Contract,       ///< deconvolution: channel blocks interleaved into rows and columns
  ResizeNearest,  ///< by whole factors
  ResizeLinear,   ///< by whole factors, half-pixel centres
};

/// Where the first byte of a cube lies.
struct Place {
  Region region = Region::Local;
  int32_t binding = 0;  ///< which input or output, when the region is one
  int64_t offset = 0;   ///< bytes
  DLAEXEC_FIELDS(region, binding, offset)
  friend bool operator==(const Place&, const Place&) = default;
};

/// A tensor in the DLA's memory ("data cube"); possibly a part of another one.
struct Cube {
  std::string name;  ///< of the network's tensor, or made from the layer's name
  Nchw dims;
  ir::DataType type = ir::DataType::Float16;
  ir::Format format = ir::Format::Chw16;
  float scale = 0;  ///< Int8: real = stored * scale
  Layout layout;    ///< strides are those of the whole when this is a part
  Place place;
  int32_t part_of = -1;  ///< the cube whose memory this one lies in, or -1
  DLAEXEC_FIELDS(name, dims, type, format, scale, layout, place, part_of)
  friend bool operator==(const Cube&, const Cube&) = default;
};

/// Index into Loadable::cubes.
using CubeId = int32_t;
inline constexpr CubeId kNoCube = -1;

/// Bytes of the weights blob.
struct BlobSpan {
  int64_t offset = 0, size = 0;
  DLAEXEC_FIELDS(offset, size)
  friend bool operator==(const BlobSpan&, const BlobSpan&) = default;
};

/// The second operand of an SDP stage: constants, or a cube whose dimensions of 1 are repeated.
/// Constants are int16 where the SDP works in integers, FP32 words holding FP16 (Xavier) or FP19
/// (Orin) values where it works in FP32: one, or C, or C*H*W of them.
struct SdpOperand {
  OperandExtent extent = OperandExtent::PerLayer;  ///< of constants
  BlobSpan constants;
  CubeId cube = kNoCube;   ///< when not kNoCube, the operand is this tensor
  Converter converter;     ///< of a cube's elements; constants need none
  uint8_t shift_left = 0;  ///< Int8: then saturated to 32 bits
  DLAEXEC_FIELDS(extent, constants, cube, converter, shift_left)
  friend bool operator==(const SdpOperand&, const SdpOperand&) = default;
};

/// One of the SDP's sub-units X1, X2, Y: ALU, then multiplier, then ReLU.
struct SdpStage {
  SdpAlu alu = SdpAlu::None;
  SdpOperand alu_operand;
  SdpMul mul = SdpMul::None;
  SdpOperand mul_operand;
  uint8_t mul_shift = 0;  ///< Int8: rounding right shift of the product, then saturated to 32 bits
  SdpActivation activation = SdpActivation::None;
  DLAEXEC_FIELDS(alu, alu_operand, mul, mul_operand, mul_shift, activation)
  friend bool operator==(const SdpStage&, const SdpStage&) = default;
};

/// A function as two tables of FP16 entries with linear interpolation; where both cover x, the
/// linear one (257 entries) decides. Outside both: the nearest end plus slope times distance.
struct Lut {
  BlobSpan entries;  ///< 65 of the first table, then 257 of the linear one; empty: no function
  LutIndex index = LutIndex::Linear;  ///< how the first table is indexed
  float first_start = 0, first_end = 0;
  int32_t first_exponent = 0;  ///< Exponential: entry i is at first_start + 2^(i + first_exponent)
  float linear_start = 0, linear_end = 0;
  float slope_below = 0, slope_above = 0;
  bool is_present() const { return entries.size > 0; }
  DLAEXEC_FIELDS(entries, index, first_start, first_end, first_exponent, linear_start, linear_end,
                 slope_below, slope_above)
  friend bool operator==(const Lut&, const Lut&) = default;
};

/// What the SDP does to each element on its way out. Behind a convolution it takes the accumulator;
/// alone it takes the input cube. Values are 32-bit integers in an Int8 operation that delivers
/// Int8, FP32 in all others (see works_in_integers).
struct SdpParameters {
  Converter input;  ///< in FP32, of an Int8 element or sum: stored * factor
  std::vector<SdpStage> stages;
  Lut lut;  ///< after the stages, in FP32 only
  /// What comes out of the table is multiplied by what went into it: x * sigmoid(x).
  bool gated = false;
  Converter output;  ///< to Int8; identity when the output is Float16
  DLAEXEC_FIELDS(input, stages, lut, gated, output)
  friend bool operator==(const SdpParameters&, const SdpParameters&) = default;
};

/// Two spatial numbers.
struct Hw {
  int64_t h = 1, w = 1;
  DLAEXEC_FIELDS(h, w)
  friend bool operator==(const Hw&, const Hw&) = default;
};
struct Padding {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  DLAEXEC_FIELDS(top, left, bottom, right)
  friend bool operator==(const Padding&, const Padding&) = default;
};

struct ConvParameters {
  Hw kernel, stride, dilation;
  Padding pad;
  int64_t groups = 1;
  BlobSpan weights;  ///< [K][C / groups][R][S], Int8 or FP16 as the operation's precision
  /// What the hardware reads: grouped kernels are expanded to dense ones with zeros.
  int64_t dense_weight_bytes = 0;
  bool image_input = false;  ///< the first layer's mode, for DlaHwc4 input
  SdpParameters sdp;
  DLAEXEC_FIELDS(kernel, stride, dilation, pad, groups, weights, dense_weight_bytes, image_input,
                 sdp)
  friend bool operator==(const ConvParameters&, const ConvParameters&) = default;
};

/// Pooling. ReduceMax takes the maximum over each axis whose output dimension is 1.
struct PdpParameters {
  PdpKind kind = PdpKind::Max;
  Hw kernel, stride;
  Padding pad;  ///< padded cells count as 0 in an average, and never win a maximum
  /// Average of Int8: the two reciprocals as 2^16 / size, rounded.
  int32_t reciprocal_w = 0, reciprocal_h = 0;
  DLAEXEC_FIELDS(kind, kernel, stride, pad, reciprocal_w, reciprocal_h)
  friend bool operator==(const PdpParameters&, const PdpParameters&) = default;
};

struct CdpParameters {
  CdpKind kind = CdpKind::Lrn;
  int64_t size = 5;         ///< Lrn: window over channels
  Lut lut;                  ///< Lrn: from the sum of squares to the factor
  int64_t axis = 1;         ///< Softmax: 1, 2 or 3
  Converter input, output;  ///< as in SdpParameters
  DLAEXEC_FIELDS(kind, size, lut, axis, input, output)
  friend bool operator==(const CdpParameters&, const CdpParameters&) = default;
};

struct RubikParameters {
  RubikKind kind = RubikKind::Convert;
  Nchw from{0, 0, 0, 0}, to{0, 0, 0, 0};  ///< Copy: first element in the input and in the output
  Nchw extent{0, 0, 0, 0};                ///< Copy: size of the box
  Nchw order{0, 1, 2, 3};                 ///< Transpose: output axis i is input axis order[i]
  Hw factor;                              ///< Contract and Resize: how many times larger
  DLAEXEC_FIELDS(kind, from, to, extent, order, factor)
  friend bool operator==(const RubikParameters&, const RubikParameters&) = default;
};

/// Copies the input cube to the output cube.
struct BdmaParameters {
  template <class Self, class Visit>
  static void fields(Self&, Visit&&) {}
  friend bool operator==(const BdmaParameters&, const BdmaParameters&) = default;
};

/// Rows of the output that one pass makes, and the rows of the input (without padding) it reads.
struct Strip {
  int64_t out_first = 0, out_rows = 0;
  int64_t in_first = 0, in_rows = 0;
  DLAEXEC_FIELDS(out_first, out_rows, in_first, in_rows)
  friend bool operator==(const Strip&, const Strip&) = default;
};

/// Bytes that an operation moves through its memory port, re-reads and all images included.
struct Traffic {
  int64_t input = 0, weights = 0, operand = 0, output = 0;
  int64_t total() const { return input + weights + operand + output; }
  DLAEXEC_FIELDS(input, weights, operand, output)
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

/// How an operation is cut up to fit CBUF. Each strip of each kernel pass is a hardware layer of
/// its own; operations of other units have one strip.
struct Tiling {
  CbufMode mode = CbufMode::AllResident;
  int64_t data_banks = 0, weight_banks = 0;  ///< of 16, for the largest strip
  std::vector<Strip> strips;
  int64_t kernels_per_pass = 0;  ///< all of them unless one kernel group does not fit CBUF
  int64_t kernel_passes = 1;
  int64_t unhidden_weight_bytes = 0;  ///< of traffic.weights, read while the MACs wait
  Traffic traffic;
  int64_t hardware_layers() const { return static_cast<int64_t>(strips.size()) * kernel_passes; }
  DLAEXEC_FIELDS(mode, data_banks, weight_banks, strips, kernels_per_pass, kernel_passes,
                 unhidden_weight_bytes, traffic)
  friend bool operator==(const Tiling&, const Tiling&) = default;
};

/// One hardware operation.
struct Operation {
  std::string name;                                ///< of the layer that it was made for
  std::vector<std::string> origins;                ///< the network layers that it carries, in order
  ir::DataType precision = ir::DataType::Float16;  ///< Float16 or Int8: what it computes in
  CubeId input = kNoCube, output = kNoCube;
  /// In the order of Unit.
  std::variant<ConvParameters, SdpParameters, PdpParameters, CdpParameters, RubikParameters,
               BdmaParameters>
      parameters;
  Tiling tiling;

  Unit unit() const { return static_cast<Unit>(parameters.index()); }
  DLAEXEC_FIELDS(name, origins, precision, input, output, parameters, tiling)
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// Bytes used of the three memory pools.
struct Pools {
  int64_t sram = 0, local = 0;
  int64_t global = 0;  ///< weights in the hardware's form
  DLAEXEC_FIELDS(sram, local, global)
  friend bool operator==(const Pools&, const Pools&) = default;
};

struct Loadable {
  std::string name;
  Generation generation = Generation::Orin;
  std::vector<Cube> cubes;
  std::vector<Operation> operations;  ///< in the order in which they run
  std::vector<CubeId> inputs, outputs;
  Pools pools;
  ir::Tensor weights = ir::Tensor(ir::DataType::Int8, {0});  ///< the blob, as bytes

  const Cube& cube(CubeId id) const { return cubes[static_cast<size_t>(id)]; }
  Cube& cube(CubeId id) { return cubes[static_cast<size_t>(id)]; }
  std::span<const std::byte> blob(const BlobSpan& span) const {
    return weights.bytes().subspan(static_cast<size_t>(span.offset),
                                   static_cast<size_t>(span.size));
  }
  /// Everything but the weights.
  DLAEXEC_FIELDS(name, generation, cubes, operations, inputs, outputs, pools)
};

/// Whether the SDP of @p operation works in integers; otherwise in FP32.
bool works_in_integers(const Loadable& loadable, const Operation& operation);

/// Every cube that @p operation reads, its input first.
std::vector<CubeId> cubes_read(const Operation& operation);

/// The listing that people read: pools, inputs and outputs, one line an operation.
std::string print(const Loadable& loadable);

/// The loadable as bytes: header with magic and checksum, structure, weights.
std::string serialize(const Loadable& loadable);

/// The loadable that serialize() made @p bytes from. Trusts nothing: throws an Error for other
/// kinds of file, other versions, damage, and content that verify() refuses. The weights stay where
/// they are and keep @p owner alive; with no owner they are copied.
Loadable deserialize(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr);

/// Throws an Error for a loadable that no compiler of ours makes: an index, a place, a size or a
/// dimension that does not fit the rest. What passes can be run without further checks.
void verify(const Loadable& loadable);

}  // namespace dlaexec::dla

DLAEXEC_ENUM_TEXT(dlaexec::dla::Unit, "conv", "sdp", "pdp", "cdp", "rubik", "bdma");
DLAEXEC_ENUM_TEXT(dlaexec::dla::Region, "input", "output", "local", "sram");
DLAEXEC_ENUM_TEXT(dlaexec::dla::CbufMode, "all-resident", "ping-pong", "single-group");
DLAEXEC_ENUM_TEXT(dlaexec::dla::SdpAlu, "none", "sum", "max", "min");
DLAEXEC_ENUM_TEXT(dlaexec::dla::SdpActivation, "none", "relu");
DLAEXEC_ENUM_TEXT(dlaexec::dla::SdpMul, "none", "all", "negatives");
DLAEXEC_ENUM_TEXT(dlaexec::dla::OperandExtent, "layer", "channel", "element");
DLAEXEC_ENUM_TEXT(dlaexec::dla::LutIndex, "linear", "exponential");
DLAEXEC_ENUM_TEXT(dlaexec::dla::PdpKind, "max", "average", "reduce-max");
DLAEXEC_ENUM_TEXT(dlaexec::dla::CdpKind, "lrn", "softmax");
DLAEXEC_ENUM_TEXT(dlaexec::dla::RubikKind, "convert", "copy", "transpose", "reshape", "contract",
                  "resize-nearest", "resize-linear");
