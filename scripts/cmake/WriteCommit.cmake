# cmake -DSOURCE=FOLDER -DOUTPUT=FILE -P WriteCommit.cmake: a C++ file that knows the commit which
# FOLDER is a checkout of; "unknown" where git cannot tell.
execute_process(COMMAND git -C "${SOURCE}" rev-parse --short=12 HEAD
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
endif()
file(WRITE "${OUTPUT}" "#include \"commit.h\"
namespace dlaexec::cli {
std::string_view commit() { return \"${commit}\"; }
}  // namespace dlaexec::cli
")
