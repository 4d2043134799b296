#include "onnx/operators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "build/operators_page.h"
#include "onnx/import.h"
#include "support/paths.h"

namespace dlaexec::onnx {
namespace {

TEST(Operators, ThePageIsUpToDate) {
  const std::string path = test::source_dir() + "/lib/onnx/OPERATORS.md";
  EXPECT_EQ(read_file(path), build::operators_markdown())
      << "write the text above, as the function gives it, to " << path;
}

TEST(Operators, RowsOfOneOperatorDoNotOverlapAndRangesAreOnes) {
  const auto rows = operators();
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_LE(rows[i].first_opset, rows[i].last_opset) << rows[i].name;
    EXPECT_GE(rows[i].first_opset, 1) << rows[i].name;
    for (size_t k = i + 1; k < rows.size(); ++k) {
      const bool same = rows[i].name == rows[k].name && rows[i].domain == rows[k].domain;
      EXPECT_FALSE(same && rows[i].last_opset >= rows[k].first_opset) << rows[i].name;
    }
  }
}

/// What exports of torchvision, timm, detectors, segmentation, OCR and transformer encoders
/// contain.
const std::vector<std::string> kWanted = {"Conv",
                                          "MaxPool",
                                          "AveragePool",
                                          "GlobalAveragePool",
                                          "Relu",
                                          "LeakyRelu",
                                          "Sigmoid",
                                          "Tanh",
                                          "Clip",
                                          "Add",
                                          "Sub",
                                          "Mul",
                                          "Gemm",
                                          "MatMul",
                                          "BatchNormalization",
                                          "LRN",
                                          "Softmax",
                                          "LogSoftmax",
                                          "Concat",
                                          "Slice",
                                          "Reshape",
                                          "Flatten",
                                          "Squeeze",
                                          "Unsqueeze",
                                          "Transpose",
                                          "Pad",
                                          "Cast",
                                          "Identity",
                                          "Constant",
                                          "ConstantOfShape",
                                          "Shape",
                                          "Size",
                                          "Dropout",
                                          "Gather",
                                          "ConvTranspose",
                                          "PRelu",
                                          "Elu",
                                          "Selu",
                                          "Celu",
                                          "Gelu",
                                          "Mish",
                                          "HardSigmoid",
                                          "HardSwish",
                                          "Softplus",
                                          "Softsign",
                                          "Div",
                                          "Min",
                                          "Max",
                                          "Pow",
                                          "Sqrt",
                                          "Exp",
                                          "Log",
                                          "Abs",
                                          "Neg",
                                          "Erf",
                                          "Floor",
                                          "Ceil",
                                          "Round",
                                          "Sign",
                                          "Reciprocal",
                                          "Mod",
                                          "Sin",
                                          "Cos",
                                          "Tan",
                                          "Asin",
                                          "Acos",
                                          "Atan",
                                          "Sinh",
                                          "Cosh",
                                          "Asinh",
                                          "Acosh",
                                          "Atanh",
                                          "Equal",
                                          "Less",
                                          "Greater",
                                          "LessOrEqual",
                                          "GreaterOrEqual",
                                          "And",
                                          "Or",
                                          "Xor",
                                          "Not",
                                          "Where",
                                          "GlobalMaxPool",
                                          "LpPool",
                                          "GlobalLpPool",
                                          "InstanceNormalization",
                                          "LayerNormalization",
                                          "GroupNormalization",
                                          "RMSNormalization",
                                          "LpNormalization",
                                          "Einsum",
                                          "ReduceL1",
                                          "ReduceL2",
                                          "ReduceLogSum",
                                          "ReduceLogSumExp",
                                          "ReduceMax",
                                          "ReduceMean",
                                          "ReduceMin",
                                          "ReduceProd",
                                          "ReduceSum",
                                          "ReduceSumSquare",
                                          "ArgMax",
                                          "ArgMin",
                                          "CumSum",
                                          "TopK",
                                          "NonMaxSuppression",
                                          "NonZero",
                                          "GatherElements",
                                          "GatherND",
                                          "ScatterElements",
                                          "ScatterND",
                                          "Expand",
                                          "Tile",
                                          "Range",
                                          "OneHot",
                                          "Trilu",
                                          "DepthToSpace",
                                          "SpaceToDepth",
                                          "Split",
                                          "Resize",
                                          "RoiAlign",
                                          "GridSample",
                                          "Attention",
                                          "LSTM",
                                          "GRU",
                                          "If",
                                          "Loop",
                                          "QuantizeLinear",
                                          "DequantizeLinear",
                                          "QLinearConv",
                                          "QLinearMatMul",
                                          "ConvInteger"};

/// Operators that are older than the first opset asked for, 7, must be read from there on.
TEST(Operators, EveryOneThatExportsContainIsReadFromItsFirstOpsetTo23) {
  for (const std::string& name : kWanted) {
    const Operator* newest = find_operator("", name, kNewestOpset);
    ASSERT_NE(newest, nullptr) << name;
    EXPECT_FALSE(newest->types.empty()) << name;
  }
  for (int64_t opset = 7; opset <= 9; ++opset)
    EXPECT_NE(find_operator("", "Upsample", opset), nullptr);
  for (const char* name :
       {"Conv", "Gemm", "MaxPool", "Slice", "Reshape", "Pad", "LSTM", "Loop", "If"})
    for (int64_t opset = 7; opset <= kNewestOpset; ++opset)
      EXPECT_NE(find_operator("", name, opset), nullptr) << name << " of opset " << opset;
}

TEST(Operators, NewerOpsetsCountAsTheNewestKnown) {
  EXPECT_NE(find_operator("", "Conv", kNewestOpset + 5), nullptr);
  EXPECT_EQ(find_operator("", "Upsample", 10), nullptr);
  EXPECT_EQ(find_operator("strange", "Conv", 1), nullptr);
}

}  // namespace
}  // namespace dlaexec::onnx
