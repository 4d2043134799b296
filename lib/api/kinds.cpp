#include "api/kinds.h"

#include "base/error.h"

namespace dlaexec::api {
namespace {

template <class Api, class Ir>
struct Pair {
  Api api;
  Ir ir;
};

template <class Api, class Ir, size_t N>
Ir find_ir(const Pair<Api, Ir> (&table)[N], Api api, std::string_view what) {
  for (const auto& row : table)
    if (row.api == api) return row.ir;
  fail("{} {} is not one this library has", what, static_cast<int>(api));
}

template <class Api, class Ir, size_t N>
Api find_api(const Pair<Api, Ir> (&table)[N], Ir ir) {
  for (const auto& row : table)
    if (row.ir == ir) return row.api;
  return table[0].api;
}

using ir::ActivationKind;
constexpr Pair<ActivationType, ActivationKind> kActivations[] = {
    {ActivationType::kRELU, ActivationKind::Relu},
    {ActivationType::kSIGMOID, ActivationKind::Sigmoid},
    {ActivationType::kTANH, ActivationKind::Tanh},
    {ActivationType::kLEAKY_RELU, ActivationKind::LeakyRelu},
    {ActivationType::kELU, ActivationKind::Elu},
    {ActivationType::kSELU, ActivationKind::Selu},
    {ActivationType::kSOFTSIGN, ActivationKind::Softsign},
    {ActivationType::kSOFTPLUS, ActivationKind::Softplus},
    {ActivationType::kCLIP, ActivationKind::Clip},
    {ActivationType::kHARD_SIGMOID, ActivationKind::HardSigmoid},
    {ActivationType::kTHRESHOLDED_RELU, ActivationKind::ThresholdedRelu},
};

using ir::UnaryKind;
constexpr Pair<UnaryOperation, UnaryKind> kUnaries[] = {
    {UnaryOperation::kEXP, UnaryKind::Exp},     {UnaryOperation::kLOG, UnaryKind::Log},
    {UnaryOperation::kSQRT, UnaryKind::Sqrt},   {UnaryOperation::kRECIP, UnaryKind::Reciprocal},
    {UnaryOperation::kABS, UnaryKind::Abs},     {UnaryOperation::kNEG, UnaryKind::Neg},
    {UnaryOperation::kSIN, UnaryKind::Sin},     {UnaryOperation::kCOS, UnaryKind::Cos},
    {UnaryOperation::kTAN, UnaryKind::Tan},     {UnaryOperation::kSINH, UnaryKind::Sinh},
    {UnaryOperation::kCOSH, UnaryKind::Cosh},   {UnaryOperation::kASIN, UnaryKind::Asin},
    {UnaryOperation::kACOS, UnaryKind::Acos},   {UnaryOperation::kATAN, UnaryKind::Atan},
    {UnaryOperation::kASINH, UnaryKind::Asinh}, {UnaryOperation::kACOSH, UnaryKind::Acosh},
    {UnaryOperation::kATANH, UnaryKind::Atanh}, {UnaryOperation::kCEIL, UnaryKind::Ceil},
    {UnaryOperation::kFLOOR, UnaryKind::Floor}, {UnaryOperation::kERF, UnaryKind::Erf},
    {UnaryOperation::kNOT, UnaryKind::Not},     {UnaryOperation::kSIGN, UnaryKind::Sign},
    {UnaryOperation::kROUND, UnaryKind::Round},
};

using ir::ElementwiseKind;
constexpr Pair<ElementWiseOperation, ElementwiseKind> kElementwise[] = {
    {ElementWiseOperation::kSUM, ElementwiseKind::Sum},
    {ElementWiseOperation::kPROD, ElementwiseKind::Prod},
    {ElementWiseOperation::kMAX, ElementwiseKind::Max},
    {ElementWiseOperation::kMIN, ElementwiseKind::Min},
    {ElementWiseOperation::kSUB, ElementwiseKind::Sub},
    {ElementWiseOperation::kDIV, ElementwiseKind::Div},
    {ElementWiseOperation::kPOW, ElementwiseKind::Pow},
    {ElementWiseOperation::kAND, ElementwiseKind::And},
    {ElementWiseOperation::kOR, ElementwiseKind::Or},
    {ElementWiseOperation::kXOR, ElementwiseKind::Xor},
    {ElementWiseOperation::kEQUAL, ElementwiseKind::Equal},
    {ElementWiseOperation::kGREATER, ElementwiseKind::Greater},
    {ElementWiseOperation::kLESS, ElementwiseKind::Less},
};

using ir::ReduceKind;
constexpr Pair<ReduceOperation, ReduceKind> kReductions[] = {
    {ReduceOperation::kSUM, ReduceKind::Sum},  {ReduceOperation::kPROD, ReduceKind::Prod},
    {ReduceOperation::kMAX, ReduceKind::Max},  {ReduceOperation::kMIN, ReduceKind::Min},
    {ReduceOperation::kAVG, ReduceKind::Mean},
};

using ir::Op;
constexpr Pair<LayerType, Op> kLayerTypes[] = {
    {LayerType::kOTHER, Op::ForeignNode},
    {LayerType::kCONVOLUTION, Op::Conv},
    {LayerType::kDECONVOLUTION, Op::Deconv},
    {LayerType::kFULLY_CONNECTED, Op::Gemm},
    {LayerType::kMATRIX_MULTIPLY, Op::MatMul},
    {LayerType::kACTIVATION, Op::Activation},
    {LayerType::kPARAMETRIC_RELU, Op::PRelu},
    {LayerType::kUNARY, Op::Unary},
    {LayerType::kELEMENTWISE, Op::Elementwise},
    {LayerType::kSCALE, Op::Scale},
    {LayerType::kSCALE, Op::BatchNorm},
    {LayerType::kPOOLING, Op::Pool},
    {LayerType::kREDUCE, Op::Reduce},
    {LayerType::kTOPK, Op::ArgReduce},
    {LayerType::kTOPK, Op::TopK},
    {LayerType::kLRN, Op::Lrn},
    {LayerType::kSOFTMAX, Op::Softmax},
    {LayerType::kCONCATENATION, Op::Concat},
    {LayerType::kSLICE, Op::Split},
    {LayerType::kSLICE, Op::Slice},
    {LayerType::kSLICE, Op::Expand},
    {LayerType::kSLICE, Op::Tile},
    {LayerType::kSHUFFLE, Op::Reshape},
    {LayerType::kSHUFFLE, Op::Flatten},
    {LayerType::kSHUFFLE, Op::Squeeze},
    {LayerType::kSHUFFLE, Op::Unsqueeze},
    {LayerType::kSHUFFLE, Op::Transpose},
    {LayerType::kPADDING, Op::Pad},
    {LayerType::kRESIZE, Op::Resize},
    {LayerType::kCAST, Op::Cast},
    {LayerType::kIDENTITY, Op::Identity},
    {LayerType::kSHAPE, Op::Shape},
    {LayerType::kGATHER, Op::Gather},
    {LayerType::kSELECT, Op::Where},
    {LayerType::kQUANTIZE, Op::Quantize},
    {LayerType::kDEQUANTIZE, Op::Dequantize},
    {LayerType::kNORMALIZATION, Op::LayerNorm},
    {LayerType::kNORMALIZATION, Op::InstanceNorm},
    {LayerType::kEINSUM, Op::Einsum},
};

}  // namespace

ActivationKind to_ir(ActivationType type) { return find_ir(kActivations, type, "activation type"); }
UnaryKind to_ir(UnaryOperation operation) {
  return find_ir(kUnaries, operation, "unary operation");
}
ElementwiseKind to_ir(ElementWiseOperation operation) {
  return find_ir(kElementwise, operation, "elementwise operation");
}
ReduceKind to_ir(ReduceOperation operation) {
  return find_ir(kReductions, operation, "reduce operation");
}
ActivationType to_api(ActivationKind kind) { return find_api(kActivations, kind); }
UnaryOperation to_api(UnaryKind kind) { return find_api(kUnaries, kind); }
ElementWiseOperation to_api(ElementwiseKind kind) { return find_api(kElementwise, kind); }
ReduceOperation to_api(ReduceKind kind) { return find_api(kReductions, kind); }
LayerType layer_type(Op op) { return find_api(kLayerTypes, op); }

}  // namespace dlaexec::api
