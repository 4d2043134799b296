// The listing of a loadable.
#include "base/format.h"
#include "dla/loadable.h"

namespace dlaexec::dla {
namespace {

std::string bytes_text(int64_t bytes) {
  if (bytes >= 1 << 20) return format("{:.2f} MiB", static_cast<double>(bytes) / (1 << 20));
  if (bytes >= 1 << 10) return format("{:.1f} KiB", static_cast<double>(bytes) / (1 << 10));
  return format("{} B", bytes);
}

std::string converter_text(const Converter& converter) {
  const std::string offset = converter.offset == 0 ? "" : format("(x - {}) * ", converter.offset);
  return format("{}{} >> {}", offset, converter.scale, converter.shift);
}

std::string cube_text(const Loadable& loadable, CubeId id) {
  return format("%{}", loadable.cube(id).name);
}

std::string operand_text(const Loadable& loadable, const SdpOperand& operand) {
  if (operand.cube == kNoCube) {
    const std::string shift = operand.shift_left == 0 ? "" : format(" << {}", operand.shift_left);
    return format("per {}{}", ir::text(operand.extent), shift);
  }
  const std::string converter =
      operand.converter.is_identity() ? "" : format(" * {}", converter_text(operand.converter));
  return cube_text(loadable, operand.cube) + converter;
}

std::string stage_text(const Loadable& loadable, const SdpStage& stage) {
  std::vector<std::string> parts;
  if (stage.alu != SdpAlu::None)
    parts.push_back(
        format("{} {}", ir::text(stage.alu), operand_text(loadable, stage.alu_operand)));
  if (stage.mul != SdpMul::None)
    parts.push_back(format("mul{} {}{}", stage.mul == SdpMul::Negatives ? " negatives" : "",
                           operand_text(loadable, stage.mul_operand),
                           stage.mul_shift == 0 ? "" : format(" >> {}", stage.mul_shift)));
  if (stage.activation != SdpActivation::None) parts.emplace_back(ir::text(stage.activation));
  return join(parts, ", ");
}

std::string sdp_text(const Loadable& loadable, const SdpParameters& sdp) {
  std::string text;
  if (!sdp.input.is_identity()) text += format(" [in {}]", converter_text(sdp.input));
  for (const SdpStage& stage : sdp.stages) text += format(" [{}]", stage_text(loadable, stage));
  if (sdp.lut.is_present()) text += sdp.gated ? " [lut times itself]" : " [lut]";
  if (!sdp.output.is_identity()) text += format(" [out {}]", converter_text(sdp.output));
  return text;
}

std::string window_text(const Hw& kernel, const Hw& stride, const Padding& pad) {
  std::string text = format(" {}x{}", kernel.h, kernel.w);
  if (stride != Hw{}) text += format(" stride {}x{}", stride.h, stride.w);
  if (pad != Padding{})
    text += format(" pad {},{},{},{}", pad.top, pad.left, pad.bottom, pad.right);
  return text;
}

std::string text_of(const Loadable& loadable, const ConvParameters& conv) {
  std::string text = window_text(conv.kernel, conv.stride, conv.pad);
  if (conv.dilation != Hw{}) text += format(" dilation {}x{}", conv.dilation.h, conv.dilation.w);
  if (conv.groups != 1) text += format(" groups {}", conv.groups);
  if (conv.image_input) text += " image-input";
  return text + sdp_text(loadable, conv.sdp);
}

std::string text_of(const Loadable& loadable, const SdpParameters& sdp) {
  return sdp_text(loadable, sdp);
}

std::string text_of(const Loadable&, const PdpParameters& pool) {
  return format(" {}", ir::text(pool.kind)) +
         (pool.kind == PdpKind::ReduceMax ? "" : window_text(pool.kernel, pool.stride, pool.pad));
}

std::string text_of(const Loadable&, const CdpParameters& cdp) {
  if (cdp.kind == CdpKind::Lrn) return format(" lrn size {}", cdp.size);
  return format(" softmax axis {}", cdp.axis);
}

std::string text_of(const Loadable&, const RubikParameters& rubik) {
  std::string text = format(" {}", ir::text(rubik.kind));
  if (rubik.kind == RubikKind::Copy)
    text +=
        format(" {} from {} to {}", to_text(rubik.extent), to_text(rubik.from), to_text(rubik.to));
  if (rubik.kind == RubikKind::Transpose)
    text += format(" {},{},{},{}", rubik.order.n, rubik.order.c, rubik.order.h, rubik.order.w);
  if (rubik.factor != Hw{}) text += format(" by {}x{}", rubik.factor.h, rubik.factor.w);
  return text;
}

std::string text_of(const Loadable&, const BdmaParameters&) { return ""; }

std::string tiling_text(const Operation& operation) {
  const Tiling& tiling = operation.tiling;
  std::string text;
  if (operation.unit() == Unit::Conv) {
    text =
        format(" | {} banks {}+{}", ir::text(tiling.mode), tiling.data_banks, tiling.weight_banks);
    if (tiling.strips.size() > 1) text += format(" strips {}", tiling.strips.size());
    if (tiling.kernel_passes > 1)
      text += format(" kernel-passes {} of {}", tiling.kernel_passes, tiling.kernels_per_pass);
  }
  const Traffic& traffic = tiling.traffic;
  text += format(" | moves {}", bytes_text(traffic.total()));
  return text;
}

std::string cube_line(const Loadable& loadable, std::string_view role, CubeId id) {
  const Cube& cube = loadable.cube(id);
  std::string text = format("  {} {} {} {} {}", role, cube_text(loadable, id), to_text(cube.dims),
                            ir::text(cube.type), ir::text(cube.format));
  if (cube.type == ir::DataType::Int8) text += format(" scale {:.9g}", cube.scale);
  return text + "\n";
}

std::string operation_line(const Loadable& loadable, size_t index) {
  const Operation& operation = loadable.operations[index];
  const Cube& input = loadable.cube(operation.input);
  const Cube& output = loadable.cube(operation.output);
  const std::string parameters =
      std::visit([&](const auto& held) { return text_of(loadable, held); }, operation.parameters);
  return format("  #{} {} {} [{}] %{} {} {} -> %{} {} {}:{}{}\n", index, ir::text(operation.unit()),
                ir::text(operation.precision), join(operation.origins, ", "), input.name,
                to_text(input.dims), ir::text(input.place.region), output.name,
                to_text(output.dims), ir::text(output.place.region), parameters,
                tiling_text(operation));
}

}  // namespace

std::string print(const Loadable& loadable) {
  std::string text = format("loadable {} for {}: {} operations, sram {}, local {}, global {}\n",
                            loadable.name, ir::text(loadable.generation),
                            loadable.operations.size(), bytes_text(loadable.pools.sram),
                            bytes_text(loadable.pools.local), bytes_text(loadable.pools.global));
  for (const CubeId id : loadable.inputs) text += cube_line(loadable, "input", id);
  for (const CubeId id : loadable.outputs) text += cube_line(loadable, "output", id);
  for (size_t i = 0; i < loadable.operations.size(); ++i) text += operation_line(loadable, i);
  return text;
}

}  // namespace dlaexec::dla
