# Build settings that hold for every target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # the kernels that gain from -O3 ask for it beside their sources
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Every such processor fuses a * b + c, x86-64 at its baseline does not: a plan's scales and modelled times
  # are the same numbers wherever they are computed. Kernels ask for fused sums by name.
  add_compile_options(-ffp-contract=off)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(DLAEXEC_CCACHE ccache)
if(DLAEXEC_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${DLAEXEC_CCACHE}")
endif()

# LLD links the many test programs in a fraction of the time. (mold 1.10, which Debian 12 has, sometimes never ends.)
include(CheckLinkerFlag)
check_linker_flag(CXX "-fuse-ld=lld" DLAEXEC_LLD_LINKS)
if(DLAEXEC_LLD_LINKS)
  add_link_options(-fuse-ld=lld)
endif()

set(DLAEXEC_SANITIZE "" CACHE STRING "Sanitizers to build with, such as address or undefined")
if(DLAEXEC_SANITIZE)
  add_compile_options(-fsanitize=${DLAEXEC_SANITIZE} -fno-omit-frame-pointer -g1)
  add_compile_options(-Wno-uninitialized -Wno-maybe-uninitialized)  # GCC sees some in its own headers then
  add_link_options(-fsanitize=${DLAEXEC_SANITIZE})
endif()

# Warnings are for our own code: generated sources do not link this.
add_library(dlaexec_warnings INTERFACE)
target_compile_options(dlaexec_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
