// A plan with everything that a file can hold, small enough to flip each of its bytes.
#pragma once

#include "ir/text.h"
#include "plan/plan.h"

namespace dlaexec::plan {

inline Plan small_plan() {
  Plan plan;
  plan.graph = ir::parse(R"(graph @net(%image: f32[N,3,4,4]) {
    const %w = f32[2,3,1,1] seed(1)
    const %b = f32[2] [0.5, -0.25]
    const %q = i8[2,2,1,1] q(axis=0, 0.5, 0.25) seed(2)
    %c1 = conv(%image, %w, %b) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], activation=relu} : f32[N,2,4,4] "first" from("c1", "r1") in f32 on gpu
    %half = reformat(%c1) : f16[N,2,4,4] as chw16
    %d1 = foreign_node(%half) {loadable=0} : f16[N,2,4,4] as chw16 "{ForeignNode[a...b]}" from("a", "b")
    %y = reformat(%d1) : f32[N,2,4,4]
    %i8 = reformat(%y) : i8[N,2,4,4] q(0.1)
    %z = conv(%i8, %q) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[N,2,4,4]
    return %y, %z
  })");
  static const std::string program = "the program of segment 0";
  plan.loadables.push_back(
      {"{ForeignNode[a...b]}", std::as_bytes(std::span(program.data(), program.size())), nullptr});
  plan.metadata.tool_version = "1.2.3";
  plan.metadata.model = "net.onnx";
  plan.metadata.model_hash = "0123456789abcdef0123456789abcdef";
  plan.metadata.platform = "agx-orin-64";
  plan.metadata.power_mode = "MAXN";
  plan.metadata.dla_core = 0;
  plan.metadata.settings = {{"fp16", "on"}, {"int8", "off"}};
  plan.metadata.shapes = {{"image", {1, 3, 4, 4}, {2, 3, 4, 4}, {8, 3, 4, 4}}};
  plan.metadata.layers = {
      {"c1", "CONVOLUTION", ir::Device::Gpu, ir::DataType::Float32, "first", {}},
      {"a", "CONVOLUTION", ir::Device::Dla, ir::DataType::Float16, "{ForeignNode[a...b]}", {}}};
  plan.metadata.layers[1].findings = {
      {"conv.hint", "5", "at most 4", "A reason.", "A page", "a line", ir::Effect::Warns}};
  plan.metadata.notes = {"ranges are assumed"};
  return plan;
}

}  // namespace dlaexec::plan
