# Text files -> one C++ file with a table of {name, text}.
#
#   embed_files(OUT generated.cpp SYMBOL dlaexec::gpu::kKernelFiles TYPE_HEADER "gpu/kernel_files.h" FILES a.cu b.cuh)
#
# Run as a script (cmake -P) it writes the file; included, it gives the function that adds the build
# step. A file's name in the table is its name without folders; the table keeps the order given.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  set(text "// Made by scripts/cmake/EmbedFiles.cmake; do not edit.\n#include \"${TYPE_HEADER}\"\n\n")
  string(REGEX REPLACE "::[^:]*$" "" space "${SYMBOL}")
  string(REGEX REPLACE "^.*::" "" name "${SYMBOL}")
  string(REPLACE "|" ";" FILES "${FILES}")
  string(APPEND text "namespace ${space} {\nconst std::vector<EmbeddedFile> ${name} = {\n")
  foreach(file ${FILES})
    get_filename_component(short "${file}" NAME)
    file(READ "${file}" content)
    # Compilers limit one literal's length: pieces of at most 8000 characters, joined again.
    string(LENGTH "${content}" length)
    string(APPEND text "{\"${short}\",\n")
    set(at 0)
    while(at LESS length)
      string(SUBSTRING "${content}" ${at} 8000 piece)
      string(APPEND text "R\"~~embedded(${piece})~~embedded\"\n")
      math(EXPR at "${at} + 8000")
    endwhile()
    string(APPEND text "},\n")
  endforeach()
  string(APPEND text "};\n}  // namespace ${space}\n")
  file(WRITE "${OUT}" "${text}")
  return()
endif()

set(DLAEXEC_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")
function(embed_files)
  cmake_parse_arguments(EMBED "" "OUT;SYMBOL;TYPE_HEADER" "FILES" ${ARGN})
  string(REPLACE ";" "|" joined "${EMBED_FILES}")
  add_custom_command(OUTPUT "${EMBED_OUT}"
    COMMAND ${CMAKE_COMMAND} "-DOUT=${EMBED_OUT}" "-DSYMBOL=${EMBED_SYMBOL}"
      "-DTYPE_HEADER=${EMBED_TYPE_HEADER}" "-DFILES=${joined}" -P "${DLAEXEC_EMBED_SCRIPT}"
    DEPENDS ${EMBED_FILES} "${DLAEXEC_EMBED_SCRIPT}" COMMENT "embedding kernels" VERBATIM)
endfunction()
