# Compiles onnx.proto and the project's own .proto files into one object library, dlaexec_protos.
#
# onnx.proto is the one that libonnx-dev installed, under another file name and package: an
# application that links libonnx beside this library then meets no clash of registered names.
# The installed file already asks for the lite runtime.
set(DLAEXEC_PROTO_DIR "${PROJECT_BINARY_DIR}/proto")
file(MAKE_DIRECTORY "${DLAEXEC_PROTO_DIR}")
file(READ "${DLAEXEC_ONNX_PROTO_DIR}/onnx/onnx.proto" DLAEXEC_ONNX_TEXT)
string(REGEX REPLACE "\npackage [a-zA-Z0-9_.]+;" "\npackage dlaexec.onnx_file;" DLAEXEC_ONNX_TEXT
  "${DLAEXEC_ONNX_TEXT}")
file(WRITE "${DLAEXEC_PROTO_DIR}/dlaexec_onnx.proto.new" "${DLAEXEC_ONNX_TEXT}")
configure_file("${DLAEXEC_PROTO_DIR}/dlaexec_onnx.proto.new"
  "${DLAEXEC_PROTO_DIR}/dlaexec_onnx.proto" COPYONLY)  # touches the file only when it changed

file(GLOB DLAEXEC_OWN_PROTOS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/lib/*/*.proto")
foreach(proto ${DLAEXEC_OWN_PROTOS})
  get_filename_component(name "${proto}" NAME)
  configure_file("${proto}" "${DLAEXEC_PROTO_DIR}/${name}" COPYONLY)
  list(APPEND DLAEXEC_PROTO_NAMES "${name}")
endforeach()
list(APPEND DLAEXEC_PROTO_NAMES dlaexec_onnx.proto)

foreach(name ${DLAEXEC_PROTO_NAMES})
  string(REPLACE ".proto" ".pb" stem "${name}")
  set(out "${DLAEXEC_PROTO_DIR}/${stem}.cc" "${DLAEXEC_PROTO_DIR}/${stem}.h")
  add_custom_command(OUTPUT ${out}
    COMMAND protobuf::protoc "--proto_path=${DLAEXEC_PROTO_DIR}" "--cpp_out=${DLAEXEC_PROTO_DIR}" "${name}"
    DEPENDS "${DLAEXEC_PROTO_DIR}/${name}" COMMENT "protoc ${name}" VERBATIM)
  list(APPEND DLAEXEC_PROTO_SOURCES "${DLAEXEC_PROTO_DIR}/${stem}.cc")
endforeach()

add_library(dlaexec_protos STATIC ${DLAEXEC_PROTO_SOURCES})
target_include_directories(dlaexec_protos SYSTEM PUBLIC
  "$<BUILD_INTERFACE:${DLAEXEC_PROTO_DIR};${Protobuf_INCLUDE_DIRS}>")
target_link_libraries(dlaexec_protos PUBLIC ${DLAEXEC_PROTOBUF_LIB} Threads::Threads)
