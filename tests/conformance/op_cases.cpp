#include "conformance/op_cases.h"

#include "base/format.h"
#include "ir/infer.h"
#include "ir/text.h"

namespace dlaexec::test {
namespace {

constexpr OpCase kCases[] = {
    {"conv_one_pixel", "1,3,1,1", "",
     "const %w = T[5,3,1,1] seed(1)\n %z = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], "
     "dilation=[1,1]}"},
    {"conv_odd_channels_same", "2,7,9,5", "",
     "const %w = T[13,7,3,3] seed(1)\n const %b = T[13] seed(2)\n %z = conv(%x, %w, %b) "
     "{stride=[1,1], pads=[1,1,1,1], dilation=[1,1], activation=relu}"},
    {"conv_stride_dilation_uneven_pads", "1,4,11,10", "",
     "const %w = T[6,4,3,2] seed(1)\n %z = conv(%x, %w) {stride=[2,3], pads=[2,0,1,3], "
     "dilation=[2,1]}"},
    {"conv_groups", "1,12,6,6", "",
     "const %w = T[8,3,3,3] seed(1)\n %z = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], "
     "dilation=[1,1], groups=4}"},
    {"conv_depthwise_stride", "1,19,7,8", "",
     "const %w = T[19,1,3,3] seed(1)\n %z = conv(%x, %w) {stride=[2,2], pads=[1,1,1,1], "
     "dilation=[1,1], groups=19, activation=clip, alpha=0, beta=6}"},
    {"conv_residual", "1,8,5,5", "1,8,5,5",
     "const %w = T[8,8,1,1] seed(1)\n const %b = T[8] seed(2)\n %z = conv(%x, %w, %b, %y) "
     "{stride=[1,1], pads=[0,0,0,0], dilation=[1,1], residual=true, activation=leaky_relu, "
     "alpha=0.1}"},
    {"conv_one_dimension", "2,3,17", "",
     "const %w = T[4,3,5] seed(1)\n %z = conv(%x, %w) {stride=[3], pads=[2,2], dilation=[1]}"},
    {"conv_three_dimensions", "1,2,4,5,6", "",
     "const %w = T[3,2,2,3,2] seed(1)\n %z = conv(%x, %w) {stride=[1,1,2], pads=[0,1,0,1,1,0], "
     "dilation=[1,1,1]}"},
    {"deconv_stride_output_padding", "1,5,4,3", "",
     "const %w = T[5,7,3,3] seed(1)\n %z = deconv(%x, %w) {stride=[2,2], pads=[1,1,1,1], "
     "dilation=[1,1], output_padding=[1,0]}"},
    {"deconv_groups", "1,6,4,4", "",
     "const %w = T[6,2,2,2] seed(1)\n const %b = T[6] seed(2)\n %z = deconv(%x, %w, %b) "
     "{stride=[2,2], pads=[0,0,0,0], dilation=[1,1], output_padding=[0,0], groups=3}"},
    {"max_pool_ceil", "1,3,7,6", "",
     "%z = pool(%x) {kind=max, kernel=[3,2], stride=[2,2], pads=[1,0,0,1], dilation=[1,1], "
     "ceil_mode=true}"},
    {"average_pool_pads", "1,5,6,7", "",
     "%z = pool(%x) {kind=average, kernel=[3,3], stride=[2,2], pads=[1,1,1,1], dilation=[1,1]}"},
    {"average_pool_counts_pads", "1,5,6,7", "",
     "%z = pool(%x) {kind=average, kernel=[3,3], stride=[1,2], pads=[1,1,1,1], dilation=[1,1], "
     "count_include_pad=true}"},
    {"global_average", "2,9,5,3", "", "%z = reduce(%x) {kind=avg, axes=[2,3], keep_dims=true}"},
    {"reduce_middle", "3,5,7", "", "%z = reduce(%x) {kind=max, axes=[1], keep_dims=false}"},
    {"gemm_transposed", "3,17", "",
     "const %b = T[10,17] seed(1)\n const %c = T[10] seed(2)\n %z = gemm(%x, %b, %c) "
     "{transpose_b=true}"},
    {"matmul_broadcast", "2,1,3,9", "4,9,5", "%z = matmul(%x, %y)"},
    {"matmul_vector", "9", "9,5", "%z = matmul(%x, %y)"},
    {"sum_broadcast", "2,3,1,5", "3,4,1", "%z = elementwise(%x, %y) {kind=sum}"},
    {"product_of_scalar", "2,3", "1", "%z = elementwise(%x, %y) {kind=prod, activation=relu}"},
    {"sigmoid", "1,33", "", "%z = activation(%x) {kind=sigmoid}"},
    {"hard_swish", "1,33", "", "%z = activation(%x) {kind=hard_swish}"},
    {"gelu", "1,33", "", "%z = activation(%x) {kind=gelu_erf}"},
    {"scale_per_channel", "2,5,3,3", "",
     "const %f = T[5] seed(1)\n const %s = T[5] seed(2)\n %z = scale(%x, %f, %s)"},
    {"lrn", "1,9,3,2", "", "%z = lrn(%x) {size=5, alpha=0.1, beta=0.75, bias=1}"},
    {"softmax_middle", "2,7,3", "", "%z = softmax(%x) {axis=1}"},
    {"layer_norm", "2,3,19", "",
     "const %g = T[19] seed(1)\n const %b = T[19] seed(2)\n %z = layer_norm(%x, %g, %b) {axis=2}"},
    {"concat_channels", "1,3,4,4", "1,5,4,4", "%z = concat(%x, %y) {axis=1}"},
    {"transpose", "2,3,4,5", "", "%z = transpose(%x) {perm=[0,2,3,1]}"},
    {"pad_reflect", "1,2,4,5", "",
     "const %p = i64[8] [0, 0, 1, 2, 0, 0, 2, 1]\n %z = pad(%x, %p) {mode=reflect}"},
    {"resize_nearest", "1,2,3,4", "",
     "const %s = f32[4] [1, 1, 2, 2]\n %z = resize(%x, _, %s) {mode=nearest, "
     "coordinates=asymmetric, nearest=floor}"},
    {"resize_linear_shrinks", "1,2,7,9", "",
     "const %n = i64[4] [1, 2, 4, 5]\n %z = resize(%x, _, _, %n) {mode=linear}"},
    {"depth_to_space", "1,8,3,2", "", "%z = depth_to_space(%x) {block=2, order=crd}"},
    {"prelu", "1,4,3,3", "", "const %a = T[4,1,1] seed(1)\n %z = prelu(%x, %a)"},
    {"det", "3,4,4", "", "%z = det(%x)"},
    {"if_sees_values_around", "2,3", "2,3",
     "const %go = bool[] [1]\n %s = elementwise(%x, %y) {kind=sum} : T[2,3]\n"
     "%z = if(%go) {then_branch=\n graph @then() {\n outer %s: T[2,3]\n"
     "%a = activation(%s) {kind=sigmoid} : T[2,3]\n return %a\n }\n, else_branch=\n"
     "graph @else() {\n outer %y: T[2,3]\n %a = unary(%y) {kind=neg} : T[2,3]\n return %a\n }\n}"},
    {"loop_sees_values_around", "3,8", "8",
     "const %trips = i64[] [3]\n const %w = T[8,8] seed(1)\n"
     "%rows = elementwise(%x, %y) {kind=prod} : T[3,8]\n"
     "%z = loop(%trips, _, %y) {body=\n"
     "graph @body(%i: i64[], %on: bool[], %state: T[8]) {\n"
     "outer %rows: T[3,8]\n outer %w: T[8,8]\n"
     "%row = gather(%rows, %i) {axis=0} : T[8]\n %sum = elementwise(%row, %state) {kind=sum} : "
     "T[8]\n"
     "%next = matmul(%sum, %w) : T[8]\n %still = identity(%on) : bool[]\n"
     "return %still, %next\n }\n}"},
};

std::string with_type(std::string body, const std::string& type) {
  for (size_t at = body.find("T["); at != std::string::npos; at = body.find("T[", at + 1))
    body.replace(at, 1, type);
  return body;
}

}  // namespace

std::span<const OpCase> op_cases() { return kCases; }

ir::Graph graph_of(const OpCase& test, const std::string& type) {
  std::string form = format("graph @{}(%x: {}[{}]", test.name, type, test.x);
  if (*test.y != '\0') form += format(", %y: {}[{}]", type, test.y);
  form += format(") {{\n {} : {}[]\n return %z\n}}\n", with_type(test.body, type), type);
  ir::Graph graph = ir::parse(form);
  ir::infer(graph);
  return graph;
}

Tensors seeded_inputs_of(const ir::Graph& graph) {
  Tensors inputs;
  for (const ir::ValueId id : graph.inputs)
    inputs.push_back(
        ir::seeded(graph.value(id).type, ir::dims_of(graph.value(id).shape), 100 + inputs.size()));
  return inputs;
}

}  // namespace dlaexec::test
