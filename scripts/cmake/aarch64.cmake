# Cross-compiles for aarch64 (Jetson and other boards) on a Debian machine of another kind.
#
# DLAEXEC_SYSROOT is the folder with the board's headers and libraries; scripts/dev aarch64 makes it. What the
# build itself runs (protoc, CMake scripts) is the building machine's; tests run under QEMU.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DLAEXEC_SYSROOT)
if(NOT DLAEXEC_SYSROOT)
  set(DLAEXEC_SYSROOT "${CMAKE_BINARY_DIR}/sysroot")
endif()
if(NOT EXISTS "${DLAEXEC_SYSROOT}/usr/include")
  message(FATAL_ERROR "DLAEXEC_SYSROOT is ${DLAEXEC_SYSROOT}, which has no usr/include; scripts/dev aarch64 makes one")
endif()

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_SYSROOT "${DLAEXEC_SYSROOT}")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
foreach(kind LIBRARY INCLUDE PACKAGE)
  set(CMAKE_FIND_ROOT_PATH_MODE_${kind} ONLY)
endforeach()
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-L;${DLAEXEC_SYSROOT}")
