// ONNX into a network definition.
#pragma once

#include "dlaexec/network.h"

namespace dlaexec {

class IParserError {
 public:
  virtual ~IParserError() = default;
  virtual const char* desc() const noexcept = 0;
};

class IParser {
 public:
  virtual ~IParser() = default;
  /// Fills the network; false after a report to the logger and to getError().
  virtual bool parse(const void* model, std::size_t size,
                     const char* modelPath = nullptr) noexcept = 0;
  virtual bool parseFromFile(const char* path, int verbosity) noexcept = 0;
  virtual int32_t getNbErrors() const noexcept = 0;
  virtual const IParserError* getError(int32_t index) const noexcept = 0;
  virtual void clearErrors() noexcept = 0;
};

/// A parser that fills @p network, which must be empty and outlive it.
IParser* createParser(INetworkDefinition& network, ILogger& logger) noexcept;

}  // namespace dlaexec
