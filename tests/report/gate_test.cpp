#include "report/gate.h"

#include <gtest/gtest.h>

#include "report/junit.h"
#include "support/xml.h"

namespace dlaexec::report {
namespace {

const Gate kPassed{"latency.max", Outcome::Passed, "median latency 1 ms, 2 ms are allowed", {}};
const Gate kFailed{"placement.require-dla",
                   Outcome::Failed,
                   "--requireDLA=*: 1 of 3 layers run on the DLA",
                   {"conv<1> runs on the GPU", "pool & co run on the GPU"}};
const Gate kOpen{"latency.baseline", Outcome::Inconclusive, "too noisy", {"latency"}};

TEST(Gate, StatusIsTheWorstOutcome) {
  EXPECT_EQ(fault_of({}, Undecided::Itself), std::nullopt);
  EXPECT_EQ(fault_of(std::vector{kPassed}, Undecided::Itself), std::nullopt);
  EXPECT_EQ(fault_of(std::vector{kPassed, kOpen}, Undecided::Itself), Fault::Inconclusive);
  EXPECT_EQ(fault_of(std::vector{kOpen, kFailed}, Undecided::Itself), Fault::Gate);
}

TEST(Gate, WhatCannotBeDecidedCountsAsAsked) {
  EXPECT_EQ(fault_of(std::vector{kOpen}, Undecided::Pass), std::nullopt);
  EXPECT_EQ(fault_of(std::vector{kOpen}, Undecided::Fail), Fault::Gate);
}

TEST(Gate, ConclusionNamesWhatFailed) {
  EXPECT_EQ(conclusion(std::vector{kPassed, kFailed, kOpen}),
            "1 of 3 gates failed: placement.require-dla");
  EXPECT_EQ(conclusion(std::vector{kPassed, kOpen}), "1 of 2 gates inconclusive: latency.baseline");
  EXPECT_EQ(conclusion(std::vector{kPassed}), "1 gate passed");
}

TEST(JUnit, IsReadBackByAStrictParserWithOneCasePerGate) {
  const JUnitSuite suite{"net \"1\".onnx", "2026-01-31T12:00:00Z", 1.5, {{"platform", "orin\n<>"}}};
  const test::XmlElement root =
      test::parse_xml(junit_xml(std::vector{kPassed, kFailed, kOpen}, suite, Undecided::Itself));
  EXPECT_EQ(root.name, "testsuites");
  EXPECT_EQ(root.attributes.at("tests"), "3");
  EXPECT_EQ(root.attributes.at("failures"), "1");
  EXPECT_EQ(root.attributes.at("skipped"), "1");
  const test::XmlElement& read = *root.all("testsuite").at(0);
  EXPECT_EQ(read.attributes.at("name"), "net \"1\".onnx");
  EXPECT_EQ(read.all("properties").at(0)->children.at(0).attributes.at("value"), "orin\n<>");
  const auto cases = read.all("testcase");
  ASSERT_EQ(cases.size(), 3u);
  EXPECT_EQ(cases[0]->attributes.at("classname"), "gate.latency");
  EXPECT_EQ(cases[0]->attributes.at("name"), "max");
  EXPECT_TRUE(cases[0]->all("failure").empty());
  EXPECT_EQ(cases[1]->all("failure").at(0)->text,
            "--requireDLA=*: 1 of 3 layers run on the DLA\nconv<1> runs on the GPU\npool & co run "
            "on the GPU");
  EXPECT_EQ(cases[2]->all("skipped").at(0)->attributes.at("message"), "too noisy\nlatency");
}

TEST(JUnit, AnUndecidedGateIsAFailureWhenItCountsAsOne) {
  const test::XmlElement root =
      test::parse_xml(junit_xml(std::vector{kOpen}, {"n", "t", 0, {}}, Undecided::Fail));
  EXPECT_EQ(root.attributes.at("failures"), "1");
  EXPECT_EQ(root.children.at(0).all("testcase").at(0)->all("failure").size(), 1u);
}

TEST(JUnit, SurvivesNamesThatXmlCannotHold) {
  // A control character, an overlong slash, a lone continuation, a surrogate, a cut-off sequence.
  Gate gate = kFailed;
  gate.culprits = {std::string("a\x01"
                               "b\xC0\xAF"
                               "c\x80"
                               "d\xED\xA0\x80"
                               "e\xE2\x82",
                               14),
                   "\xE2\x82\xAC \xF0\x9F\x98\x80"};
  const test::XmlElement root =
      test::parse_xml(junit_xml(std::vector{gate}, {"n", "t", 0, {}}, Undecided::Itself));
  const std::string& text = root.children.at(0).all("testcase").at(0)->all("failure").at(0)->text;
  EXPECT_NE(text.find("a\xEF\xBF\xBD"
                      "b"),
            std::string::npos);
  EXPECT_NE(text.find("\xE2\x82\xAC \xF0\x9F\x98\x80"), std::string::npos);
}

}  // namespace
}  // namespace dlaexec::report
