// Reads handwritten digits on an emulated DLA core.
//
//   sample_mnist --useDLACore=0 --int8
//
// Builds a plan from models/digits/digits.onnx, classifies digits with it, shows one of them and
// says how many were right, and how often FP32 on the host sees the same digit.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "classifier.h"
#include "digits.h"

namespace {

constexpr const char* kUsage =
    "usage: sample_mnist [--useDLACore=N] [--int8] [--fp16] [--mnist=DIR] [--verbose]\n"
    "  --useDLACore=N  run on emulated DLA core N; without it, on the host\n"
    "  --int8, --fp16  precisions allowed beside FP32; int8 ranges are measured on 100 digits\n"
    "  --mnist=DIR     classify the IDX files in DIR; without it, the rendered digits in "
    "models/digits\n"
    "  --verbose       show what the library says while it builds\n";
constexpr size_t kCalibrationDigits = 100;  ///< the first of the rendered ones; never classified
constexpr double kWanted = 0.98;  ///< fewer right answers than this mean that something is wrong

struct Arguments {
  Choice choice;
  std::string mnist;
  bool verbose = false, help = false;
};

/// Nothing when an argument is not understood; it has been named then.
std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      arguments.help = true;
    } else if (argument == "--int8") {
      arguments.choice.int8 = true;
    } else if (argument == "--fp16") {
      arguments.choice.fp16 = true;
    } else if (argument == "--verbose") {
      arguments.verbose = true;
    } else if (argument.starts_with("--mnist=")) {
      arguments.mnist = argument.substr(argument.find('=') + 1);
    } else if (argument.starts_with("--useDLACore=") &&
               argument.find_first_not_of("0123456789", argument.find('=') + 1) ==
                   std::string_view::npos &&
               !argument.ends_with('=')) {
      arguments.choice.dla_core = std::atoi(argv[i] + argument.find('=') + 1);
    } else {
      std::fprintf(stderr, "'%s' is not understood\n%s", argv[i], kUsage);
      return std::nullopt;
    }
  }
  // The DLA knows no FP32: without a precision, FP16 is what trtexec takes too.
  if (arguments.choice.dla_core >= 0 && !arguments.choice.int8) arguments.choice.fp16 = true;
  return arguments;
}

class ConsoleLogger final : public dlaexec::ILogger {
 public:
  explicit ConsoleLogger(bool verbose) : least_(verbose ? Severity::kINFO : Severity::kERROR) {}
  void log(Severity severity, const dlaexec::AsciiChar* message) noexcept override {
    if (severity <= least_) std::fprintf(stderr, "%s\n", message);
  }

 private:
  Severity least_;
};

int run(const Arguments& arguments, const char* program) {
  ConsoleLogger logger(arguments.verbose);
  const std::filesystem::path folder = digits_folder(program);
  const std::string model = (folder / "digits.onnx").string();
  Digits rendered = read_digits(folder);
  const auto kept = static_cast<long>(std::min(kCalibrationDigits, rendered.pictures.size()));
  const std::vector<Digit> calibration(rendered.pictures.begin(), rendered.pictures.begin() + kept);
  rendered.pictures.erase(rendered.pictures.begin(), rendered.pictures.begin() + kept);
  rendered.labels.erase(rendered.labels.begin(), rendered.labels.begin() + kept);
  const Digits digits = arguments.mnist.empty() ? rendered : read_digits(arguments.mnist);

  const Ranges ranges =
      arguments.choice.int8 ? measure_ranges(logger, model, calibration) : Ranges();
  Classifier classifier(logger, model, arguments.choice, ranges);
  Classifier reference(logger, model, {});
  size_t right = 0, same = 0;
  for (size_t i = 0; i < digits.pictures.size(); ++i) {
    const int seen = classifier.classify(digits.pictures[i]);
    right += seen == digits.labels[i];
    same += seen == reference.classify(digits.pictures[i]);
  }

  const size_t count = digits.pictures.size();
  std::printf("%s\nseen as %d\n\n", text_art(digits.pictures[0]).c_str(),
              classifier.classify(digits.pictures[0]));
  std::printf("plan: %zu bytes\n", classifier.plan_bytes());
  std::printf("right: %zu of %zu (%.2f %%)\n", right, count,
              100.0 * static_cast<double>(right) / static_cast<double>(count));
  std::printf("as FP32 sees them: %zu of %zu\n", same, count);
  return static_cast<double>(right) < kWanted * static_cast<double>(count) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::optional<Arguments> arguments = parse(argc, argv);
    if (!arguments) return 2;
    if (arguments->help) {
      std::printf("%s", kUsage);
      return 0;
    }
    return run(*arguments, argv[0]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample_mnist: %s\n", error.what());
    return 1;
  }
}
