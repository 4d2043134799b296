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
# NVIDIA's program has the name: nobody's is replaced unless that is wished.
option(DLAEXEC_INSTALL_TRTEXEC "Install the program under the name trtexec, too" OFF)
if(DLAEXEC_BUILD_APPS)
  install(TARGETS dlaexec_app RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  # What the program makes of its table of flags: it is asked when it is installed, where it can run.
  if(NOT CMAKE_CROSSCOMPILING)
    foreach(made IN ITEMS "manPage|${CMAKE_INSTALL_MANDIR}/man1/dlaexec.1"
        "completion=bash|${CMAKE_INSTALL_DATADIR}/bash-completion/completions/dlaexec"
        "completion=zsh|${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_dlaexec"
        "completion=fish|${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/dlaexec.fish")
      string(REPLACE "|" ";" made "${made}")
      list(GET made 0 flag)
      list(GET made 1 file)
      install(CODE "
        set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${file}\")
        get_filename_component(folder \"\${file}\" DIRECTORY)
        file(MAKE_DIRECTORY \"\${folder}\")
        execute_process(COMMAND \"$<TARGET_FILE:dlaexec_app>\" --${flag} OUTPUT_FILE \"\${file}\"
          COMMAND_ERROR_IS_FATAL ANY)
        message(STATUS \"Installing: \${file}\")")
    endforeach()
  endif()
  if(DLAEXEC_INSTALL_TRTEXEC)
    install(CODE "
      file(CREATE_LINK dlaexec \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/trtexec\" SYMBOLIC)
      message(STATUS \"Installing: \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/trtexec\")")
  endif()
endif()
