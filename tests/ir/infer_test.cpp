#include "ir/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/dim_math.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace dlaexec::ir {
namespace {

using testing::HasSubstr;

/// The type and shape of each output after inference, as "f32 1x2x3".
std::string outputs_of(const char* text_form) {
  Graph graph = parse(text_form);
  infer(graph);
  verify(graph);
  return join(graph.outputs, ", ", [&](ValueId id) {
    return format("{} {}", text(graph.value(id).type), to_text(graph.value(id).shape));
  });
}

std::string failure_of(const char* text_form) {
  Graph graph = parse(text_form);
  try {
    infer(graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "no failure";
}

TEST(Infer, ConvolutionsCarrySymbolsAndKeepThemWhereTheSizeStays) {
  EXPECT_EQ(outputs_of(R"(graph @g(%x: f16[N,3,H,224]) {
    const %w = f16[8,3,3,3] seed(1)
    %same = conv(%x, %w) {stride=[1,1], pads=[1,1,1,1], dilation=[1,1]} : f32[]
    %half = conv(%x, %w) {stride=[2,2], pads=[1,1,1,1], dilation=[1,1]} : f32[]
    return %same, %half
  })"),
            "f16 Nx8xHx224, f16 Nx8x(H-1)/2+1x112");
}

TEST(Infer, PoolsInCeilModeDropAWindowThatStartsInThePadding) {
  EXPECT_EQ(outputs_of(R"(graph @g(%x: f32[1,1,5,5]) {
    %a = pool(%x) {kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1], ceil_mode=true} : f32[]
    %b = pool(%x) {kernel=[1,1], stride=[3,3], pads=[0,0,2,2], dilation=[1,1], ceil_mode=true} : f32[]
    return %a, %b
  })"),
            "f32 1x1x3x3, f32 1x1x2x2");
}

TEST(Infer, ShapeArithmeticOfAnExportGivesTheBatchSymbolBack) {
  EXPECT_EQ(outputs_of(R"(graph @g(%x: f32[N,512,7,7]) {
    const %zero = i64[] [0]
    const %rest = i64[1] [-1]
    %s = shape(%x) : i64[]
    %n = gather(%s, %zero) {axis=0} : i64[]
    %n1 = unsqueeze(%n) {axes=[0]} : i64[]
    %to = concat(%n1, %rest) {axis=0} : i64[]
    %y = reshape(%x, %to) : f32[]
    return %y
  })"),
            "f32 Nx25088");
}

TEST(Infer, ReshapeCancelsEqualSymbols) {
  EXPECT_EQ(outputs_of(R"(graph @g(%x: f32[N,8,4]) {
    const %to = i64[2] [-1, 16]
    %y = reshape(%x, %to) : f32[]
    return %y
  })"),
            "f32 N*2x16");
}

TEST(Infer, AShapeOfMoreDimensionsThanAnyTensorHasIsRefused) {
  EXPECT_THAT(failure_of(R"(graph @g(%shape: i64[4000000000]) {
    %y = constant_of_shape(%shape) : f32[]
    return %y
  })"),
              testing::AllOf(HasSubstr("'y'"), HasSubstr("4000000000 dimensions")));
}

TEST(Infer, ContradictionsNameTheNodeAndBothSides) {
  EXPECT_EQ(failure_of(R"(graph @g(%x: f32[1,3,8,8]) {
    const %w = f32[8,4,3,3] seed(1)
    %y = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1]} : f32[] "stem"
    return %y
  })"),
            "convolution: the input has 3 channels, the weights take 4\n"
            "  while inferring the shapes of node 'stem' (conv)");
  EXPECT_THAT(failure_of(R"(graph @g(%x: f32[2,3], %y: f32[4]) {
    %z = elementwise(%x, %y) {kind=sum} : f32[]
    return %z
  })"),
              HasSubstr("shapes 2x3 and 4 do not broadcast"));
}

TEST(Infer, SizesThatOverflowAreRefused) {
  EXPECT_THAT(failure_of(R"(graph @g(%x: f32[4294967296,4294967296,8]) {
    %y = flatten(%x) {axis=2} : f32[]
    return %y
  })"),
              HasSubstr("does not fit 63 bits"));
}

TEST(Infer, AScanWithoutWhatItScansIsRefused) {
  EXPECT_THAT(failure_of(R"(graph @g(%x: f32[3,4]) {
    %y = scan(_) {body=
      graph @body(%row: f32[4]) {
        %next = identity(%row) : f32[4]
        return %next
      }, scan_inputs=1
    } : f32[3,4]
    return %y
  })"),
              HasSubstr("scan input 0 is absent"));
}

TEST(Infer, LoopCarriedShapesThatGrowBecomeUnknown) {
  EXPECT_EQ(outputs_of(R"(graph @g(%n: i64[], %x: f32[1,4]) {
    %y, %all = loop(%n, _, %x) {body=
      graph @body(%i: i64[], %go: bool[], %state: f32[1,4]) {
        %next = concat(%state, %state) {axis=0} : f32[]
        %stop = identity(%go) : bool[]
        %out = reduce(%next) {kind=sum, axes=[0], keep_dims=false} : f32[]
        return %stop, %next, %out
      }
    } : f32[], f32[]
    return %y, %all
  })"),
            "f32 state.0x4, f32 y.tripsx4");
}

TEST(Infer, SpecializeReplacesSymbolsAndNamesThoseThatExist) {
  Graph graph = parse(R"(graph @g(%x: f16[N,8,H,H]) {
    %y = pool(%x) {kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : i8[] q(0.5)
    return %y
  })");
  const Graph fixed = specialize(graph, {{"N", 4}, {"H", 10}});
  EXPECT_EQ(to_text(fixed.value(fixed.outputs[0]).shape), "4x8x5x5");
  EXPECT_EQ(fixed.value(fixed.outputs[0]).type, DataType::Int8);
  try {
    specialize(graph, {{"batch", 4}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.sentence(), "no input has a dimension called 'batch'; there is: N, H");
  }
}

TEST(DimMath, ConstantsComputeAndSymbolsStayReadable) {
  const Dim n("N");
  EXPECT_EQ(sum(n, 0), n);
  EXPECT_EQ(product(n, 1), n);
  EXPECT_EQ(product(n, 0), Dim(0));
  EXPECT_EQ(difference(n, n), Dim(0));
  EXPECT_EQ(floor_quotient(-3, 2), Dim(-2));
  EXPECT_EQ(sum(floor_quotient(sum(n, -1), 2), 1).symbol, "(N-1)/2+1");
  EXPECT_EQ(remaining({n, 6, 4}, {n, 3}), Dim(8));
}

TEST(Verify, NamesTheFirstFlaw) {
  Graph graph = parse(R"(graph @g(%x: f32[2]) {
    %y = identity(%x) : f32[2]
    %z = identity(%y) : f32[2]
    return %z
  })");
  EXPECT_EQ(find_flaw(graph), "");
  Graph reversed = graph;
  std::swap(reversed.nodes[0], reversed.nodes[1]);
  EXPECT_THAT(find_flaw(reversed), HasSubstr("uses 'y' before it is made"));
  Graph doubled = graph;
  doubled.nodes[1].name = "y";
  EXPECT_THAT(find_flaw(doubled), HasSubstr("two nodes are called 'y'"));
  Graph wrong = graph;
  wrong.nodes[0].attributes = AxisAttributes{};
  EXPECT_THAT(find_flaw(wrong), HasSubstr("attributes of another op"));
  Graph missing = graph;
  missing.nodes[0].inputs.clear();
  EXPECT_THAT(find_flaw(missing), HasSubstr("has 0 inputs; 1 to 1 are allowed"));
}

}  // namespace
}  // namespace dlaexec::ir
