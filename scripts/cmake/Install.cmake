# cmake --install: the program, and the library with its public headers as a package that
# find_package(dlaexec) finds. TensorRT's own header names lie in include/dlaexec/compat.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(DLAEXEC_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/dlaexec")
install(TARGETS dlaexec dlaexec_protos EXPORT dlaexecTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT dlaexecTargets NAMESPACE dlaexec:: DESTINATION "${DLAEXEC_PACKAGE_DIR}")
install(DIRECTORY lib/include/dlaexec DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY lib/include/compat DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/dlaexec")

configure_package_config_file(scripts/cmake/dlaexecConfig.cmake.in
  "${PROJECT_BINARY_DIR}/dlaexecConfig.cmake" INSTALL_DESTINATION "${DLAEXEC_PACKAGE_DIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/dlaexecConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/dlaexecConfig.cmake" "${PROJECT_BINARY_DIR}/dlaexecConfigVersion.cmake"
  DESTINATION "${DLAEXEC_PACKAGE_DIR}")
if(DLAEXEC_BUILD_APPS)
  install(TARGETS dlaexec_app RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
