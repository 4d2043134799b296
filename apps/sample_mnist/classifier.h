// The digit network, built and run through the public API alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "digits.h"
#include "dlaexec/dlaexec.h"

/// What the sample's flags choose.
struct Choice {
  int dla_core = -1;  ///< -1: no DLA
  bool fp16 = false, int8 = false;
};

/// The largest magnitude of each tensor, by name.
using Ranges = std::map<std::string, float>;

class Classifier {
 public:
  /// Builds a plan from the ONNX file, serializes it, and loads it again. INT8 needs @p ranges.
  /// Throws std::runtime_error when a step of the way fails; the logger has said why.
  Classifier(dlaexec::ILogger& logger, const std::string& model, const Choice& choice,
             const Ranges& ranges = {});

  /// The digit that the network sees in the picture.
  int classify(const Digit& digit);

  std::size_t plan_bytes() const { return plan_bytes_; }

 private:
  std::unique_ptr<dlaexec::ICudaEngine> engine_;
  std::unique_ptr<dlaexec::IExecutionContext> context_;
  std::size_t plan_bytes_ = 0;
};

/// The largest magnitude that each tensor of the network takes over @p digits, in FP32.
Ranges measure_ranges(dlaexec::ILogger& logger, const std::string& model,
                      const std::vector<Digit>& digits);
