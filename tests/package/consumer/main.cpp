// Needs a part of the library that needs other libraries: the parser.
#include <cstdio>
#include <memory>

#include "dlaexec/dlaexec.h"

namespace {

class Quiet final : public dlaexec::ILogger {
 public:
  void log(Severity, const dlaexec::AsciiChar*) noexcept override {}
};

}  // namespace

int main() {
  using namespace dlaexec;
  Quiet logger;
  const std::unique_ptr<IBuilder> builder(createInferBuilder(logger));
  const std::unique_ptr<INetworkDefinition> network(builder->createNetworkV2(0));
  const std::unique_ptr<IParser> parser(createParser(*network, logger));
  const bool parsed = parser->parseFromFile("there is no such file", 0);
  std::printf("%d DLA cores\n", builder->getNbDLACores());
  return builder->getNbDLACores() == 2 && !parsed ? 0 : 1;
}
