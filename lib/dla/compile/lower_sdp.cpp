// Layers that touch each element alone.
#include <algorithm>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

constexpr ir::DataType kInt8 = ir::DataType::Int8;
constexpr ir::DataType kHalf = ir::DataType::Float16;

RealOperand one_value(double value) { return {OperandExtent::PerLayer, {value}}; }

/// Int8 when everything is, else Float16, which reads and writes Int8 through converters.
ir::DataType precision_of(const Builder& builder, std::initializer_list<CubeId> cubes) {
  const bool is_int8 =
      std::ranges::all_of(cubes, [&](CubeId id) { return builder.cube(id).type == kInt8; });
  return is_int8 ? kInt8 : kHalf;
}

/// Adds an SDP operation whose stages are done.
void add_sdp(Builder& builder, const ir::Node& node, ir::DataType precision, CubeId input,
             CubeId output, SdpParameters sdp) {
  if (precision == kHalf) {
    sdp.input = scale_in(builder.cube(input));
    sdp.output = scale_out(builder.cube(output));
  }
  builder.add(node, precision, input, output, std::move(sdp));
}

/// An operation on one tensor: @p body adds stages on the middle scale.
template <class Body>
void add_pointwise(Builder& builder, const ir::Node& node, CubeId input, CubeId output,
                   Body&& body) {
  const ir::DataType precision = precision_of(builder, {input, output});
  Epilogue epilogue(builder, precision);
  if (precision == kInt8)
    epilogue.enter_middle(one_value(builder.cube(input).scale), builder.cube(output).scale, 0);
  body(epilogue);
  add_sdp(builder, node, precision, input, output, std::move(epilogue).finish());
}

/// The elements of a float constant as an operand tensor's: FP16 or INT8 cubes have none, so
/// constants become the SDP's own operands.
bool is_constant(const Builder& builder, ir::ValueId id) {
  return builder.graph().value(id).constant.has_value();
}

/// One operation of two tensors; @p sign is that of the second one.
void add_binary(Builder& builder, const ir::Node& node, SdpAlu alu, CubeId main, CubeId other,
                int sign, CubeId output, const Bend& bend) {
  const ir::DataType precision = precision_of(builder, {main, other, output});
  Epilogue epilogue(builder, precision);
  if (precision == kInt8) {
    const Cube& a = builder.cube(main);
    const Cube& b = builder.cube(other);
    const Cube& y = builder.cube(output);
    if (a.scale == b.scale && bend.kind != ir::ActivationKind::LeakyRelu)
      epilogue.enter_scale(a.scale, y.scale);
    else
      epilogue.enter_middle(one_value(a.scale), y.scale, b.scale);
  }
  epilogue.combine(alu, other, sign);
  epilogue.bend(bend);
  add_sdp(builder, node, precision, main, output, std::move(epilogue).finish());
}

void add_product(Builder& builder, const ir::Node& node, CubeId main, CubeId other, CubeId output,
                 const Bend& bend) {
  const ir::DataType precision = precision_of(builder, {main, other, output});
  Epilogue epilogue(builder, precision);
  if (precision == kInt8)
    epilogue.enter_scale(static_cast<double>(builder.cube(main).scale) * builder.cube(other).scale,
                         builder.cube(output).scale);
  epilogue.multiply(other);
  epilogue.bend(bend);
  add_sdp(builder, node, precision, main, output, std::move(epilogue).finish());
}

RealOperand reciprocal(RealOperand operand) {
  for (double& value : operand.values) {
    if (value == 0) fail("it divides by 0");
    value = 1 / value;
  }
  return operand;
}

/// A tensor with a constant.
void add_with_constant(Builder& builder, const ir::Node& node, CubeId input, ir::ValueId constant,
                       bool constant_is_left, CubeId output) {
  const auto& attributes = node.get<ir::ElementwiseAttributes>();
  RealOperand operand = real_operand(builder.graph(), constant, builder.cube(output).dims);
  const Bend bend{attributes.activation, attributes.alpha, attributes.beta};
  using Kind = ir::ElementwiseKind;
  add_pointwise(builder, node, input, output, [&](Epilogue& epilogue) {
    switch (attributes.kind) {
      case Kind::Sum:
        epilogue.add(operand);
        break;
      case Kind::Sub:
        if (constant_is_left) {
          epilogue.multiply(one_value(-1));
        } else {
          for (double& value : operand.values) value = -value;
        }
        epilogue.add(operand);
        break;
      case Kind::Prod:
        epilogue.multiply(operand);
        break;
      case Kind::Div:
        if (constant_is_left) fail("the emulated DLA divides by constants, not by tensors");
        epilogue.multiply(reciprocal(operand));
        break;
      case Kind::Max:
        epilogue.combine(SdpAlu::Max, operand);
        break;
      case Kind::Min:
        epilogue.combine(SdpAlu::Min, operand);
        break;
      default:
        fail("the emulated DLA has no {} with a constant", ir::text(attributes.kind));
    }
    epilogue.bend(bend);
  });
}

/// -x as an operation of its own, on the scale of x.
CubeId add_negation(Builder& builder, const ir::Node& node, CubeId input) {
  const Cube cube = builder.cube(input);
  const CubeId negated = builder.add_cube(cube.name + ".negated", cube.dims, cube.type, cube.scale);
  Epilogue epilogue(builder, cube.type);
  if (cube.type == kInt8) epilogue.enter_scale(cube.scale, cube.scale);
  epilogue.multiply(one_value(-1));
  builder.add(node, cube.type, input, negated, std::move(epilogue).finish());
  return negated;
}

}  // namespace

Converter scale_in(const Cube& cube) {
  return cube.type == kInt8 ? converter_of(cube.scale) : Converter{};
}
Converter scale_out(const Cube& cube) {
  return cube.type == kInt8 ? converter_of(1.0 / cube.scale) : Converter{};
}

void add_conversion(Builder& builder, const ir::Node& node, CubeId input, CubeId output) {
  const ir::DataType precision = precision_of(builder, {input, output});
  Epilogue epilogue(builder, precision);
  if (precision == kInt8)
    epilogue.enter_scale(builder.cube(input).scale, builder.cube(output).scale);
  add_sdp(builder, node, precision, input, output, std::move(epilogue).finish());
}

void lower_reformat(Builder& builder, const ir::Node& node) {
  const ir::Value& from = builder.graph().value(node.inputs[0]);
  const ir::Value& to = builder.graph().value(node.outputs[0]);
  const bool is_same = from.type == to.type && from.quantization == to.quantization;
  if (is_same) return lower_reshape(builder, node);
  if (is_read_by_table(builder.graph(), node))
    return builder.bind(node.outputs[0], builder.cube_of(node.inputs[0]));
  add_conversion(builder, node, builder.cube_of(node.inputs[0]), builder.cube_of(node.outputs[0]));
}

void lower_activation(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::ActivationAttributes>();
  if (attributes.kind == ir::ActivationKind::Sigmoid || attributes.kind == ir::ActivationKind::Tanh)
    return lower_table(builder, node);
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  add_pointwise(builder, node, input, output, [&](Epilogue& epilogue) {
    epilogue.bend({attributes.kind, attributes.alpha, attributes.beta});
  });
}

void lower_prelu(Builder& builder, const ir::Node& node) {
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const RealOperand slope =
      real_operand(builder.graph(), node.inputs[1], builder.cube(output).dims);
  add_pointwise(builder, node, input, output,
                [&](Epilogue& epilogue) { epilogue.multiply_negatives(slope); });
}

void lower_scale(Builder& builder, const ir::Node& node) {
  const CubeId input = builder.cube_of(node.inputs[0]);
  const CubeId output = builder.cube_of(node.outputs[0]);
  const Nchw dims = builder.cube(output).dims;
  const RealOperand scale = real_operand(builder.graph(), node.inputs[1], dims);
  const RealOperand shift = real_operand(builder.graph(), node.inputs[2], dims);
  const ir::DataType precision = precision_of(builder, {input, output});
  Epilogue epilogue(builder, precision);
  if (precision == kInt8) {
    RealOperand units = scale;
    for (double& unit : units.values) unit *= builder.cube(input).scale;
    epilogue.enter_middle(units, builder.cube(output).scale, 0);
  } else {
    epilogue.multiply(scale);
  }
  if (shift.largest() != 0) epilogue.add(shift);
  add_sdp(builder, node, precision, input, output, std::move(epilogue).finish());
}

void lower_elementwise(Builder& builder, const ir::Node& node) {
  const auto& attributes = node.get<ir::ElementwiseAttributes>();
  const Bend bend{attributes.activation, attributes.alpha, attributes.beta};
  const CubeId output = builder.cube_of(node.outputs[0]);
  if (is_constant(builder, node.inputs[0]) || is_constant(builder, node.inputs[1])) {
    const size_t constant = is_constant(builder, node.inputs[0]) ? 0 : 1;
    return add_with_constant(builder, node, builder.cube_of(node.inputs[1 - constant]),
                             node.inputs[constant], constant == 0, output);
  }
  CubeId left = builder.cube_of(node.inputs[0]);
  CubeId right = builder.cube_of(node.inputs[1]);
  const Nchw dims = builder.cube(output).dims;
  int left_sign = 1;
  int right_sign = attributes.kind == ir::ElementwiseKind::Sub ? -1 : 1;
  if (!(builder.cube(left).dims == dims)) {  // the main operand is the one of full size
    std::swap(left, right);
    std::swap(left_sign, right_sign);
  }
  if (!(builder.cube(left).dims == dims))
    fail("it stretches both of its inputs to {}; one of them must have that size", to_text(dims));
  using Kind = ir::ElementwiseKind;
  switch (attributes.kind) {
    case Kind::Sum:
    case Kind::Sub:
      // Xavier has no subtraction: minus one times the subtrahend, then a sum.
      if (right_sign < 0 && builder.generation() == Generation::Xavier) {
        right = add_negation(builder, node, right);
        right_sign = 1;
      }
      if (left_sign < 0) left = add_negation(builder, node, left);
      return add_binary(builder, node, SdpAlu::Sum, left, right, right_sign, output, bend);
    case Kind::Max:
      return add_binary(builder, node, SdpAlu::Max, left, right, 1, output, bend);
    case Kind::Min:
      return add_binary(builder, node, SdpAlu::Min, left, right, 1, output, bend);
    case Kind::Prod:
      return add_product(builder, node, left, right, output, bend);
    default:
      fail("the emulated DLA has no {} of two tensors", ir::text(attributes.kind));
  }
}

void lower_unary(Builder& builder, const ir::Node& node) {
  const ir::UnaryKind kind = node.get<ir::UnaryAttributes>().kind;
  if (kind != ir::UnaryKind::Abs) fail("the emulated DLA has no {}", ir::text(kind));
  const CubeId input = builder.cube_of(node.inputs[0]);
  // |x| = max(x, -x)
  add_binary(builder, node, SdpAlu::Max, input, input, -1, builder.cube_of(node.outputs[0]), {});
}

}  // namespace dlaexec::dla
