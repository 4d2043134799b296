#include "dlaexec/parser.h"

#include <deque>

#include "api/log_forward.h"
#include "api/network.h"
#include "onnx/import.h"

namespace dlaexec {
namespace api {
namespace {

class ParserError final : public IParserError {
 public:
  explicit ParserError(std::string text) : text_(std::move(text)) {}
  const char* desc() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

class Parser final : public IParser {
 public:
  Parser(Network& network, ILogger& logger) : network_(network), logger_(logger) {}

  bool parse(const void* model, std::size_t size, const char* model_path) noexcept override {
    return fill([&] {
      const std::string path = model_path ? model_path : "";
      const std::string folder = path.substr(0, path.find_last_of('/') + 1);
      return onnx::import_bytes({static_cast<const char*>(model), size}, folder);
    });
  }
  bool parseFromFile(const char* path, int) noexcept override {
    return fill([&] { return onnx::import_file(path); });
  }
  int32_t getNbErrors() const noexcept override { return static_cast<int32_t>(errors_.size()); }
  const IParserError* getError(int32_t index) const noexcept override {
    return index >= 0 && index < getNbErrors() ? &errors_[static_cast<size_t>(index)] : nullptr;
  }
  void clearErrors() noexcept override { errors_.clear(); }

 private:
  template <class Import>
  bool fill(Import&& import) noexcept {
    return succeeds(logger_, [&] {
      const LogForward forward(logger_);
      try {
        network_.adopt(import().graph);
      } catch (const Error& error) {
        errors_.emplace_back(error.what());
        throw;
      }
    });
  }

  Network& network_;
  ILogger& logger_;
  std::deque<ParserError> errors_;
};

}  // namespace
}  // namespace api

IParser* createParser(INetworkDefinition& network, ILogger& logger) noexcept {
  return api::guarded<IParser*>(logger, nullptr, [&] {
    return new api::Parser(dynamic_cast<api::Network&>(network), logger);
  });
}

}  // namespace dlaexec
