# How the folders become targets: one static library for each folder, named after it (server/chat -> server_chat).

add_library(holdfast_options INTERFACE)
target_include_directories(holdfast_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(holdfast_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wunused)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(holdfast_options INTERFACE -Wthread-safety)
endif()

function(holdfast_library folder)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC holdfast_options ${ARG_DEPENDS})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE holdfast_options ${ARG_DEPENDS})
  endif()
endfunction()

# proto/<name>.proto -> <build>/gen/proto/<name>.pb.h, included as "proto/<name>.pb.h".
function(holdfast_proto_library target)
  set(out ${CMAKE_BINARY_DIR}/gen/proto)
  file(MAKE_DIRECTORY ${out})
  list(TRANSFORM ARGN REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/proto/\\1.proto" OUTPUT_VARIABLE sources)
  foreach(name ${ARGN})
    add_custom_command(
      OUTPUT ${out}/${name}.pb.cc ${out}/${name}.pb.h
      COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} ${CMAKE_SOURCE_DIR}/proto/${name}.proto
      DEPENDS ${sources})
    list(APPEND generated ${out}/${name}.pb.cc)
  endforeach()
  file(GLOB own CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/proto/*.cc)
  add_library(${target}_generated STATIC ${generated})
  target_include_directories(${target}_generated SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/gen ${out})
  target_link_libraries(${target}_generated PUBLIC protobuf::libprotobuf)
  if(own)
    add_library(${target} STATIC ${own})
    target_link_libraries(${target} PUBLIC holdfast_options base ${target}_generated)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE holdfast_options base ${target}_generated)
  endif()
endfunction()

# proto/<name>.proto with its services, for those who speak gRPC: apart from the rest, so that nobody else links it.
function(holdfast_grpc_library target name)
  set(out ${CMAKE_BINARY_DIR}/gen/proto)
  file(MAKE_DIRECTORY ${out})
  set(source ${CMAKE_SOURCE_DIR}/proto/${name}.proto)
  set(generated ${out}/${name}.pb.cc ${out}/${name}.grpc.pb.cc)
  add_custom_command(
    OUTPUT ${generated} ${out}/${name}.pb.h ${out}/${name}.grpc.pb.h
    COMMAND protobuf::protoc -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} --grpc_out=${out}
      --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${source}
    DEPENDS ${source})
  add_library(${target} STATIC ${generated})
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/gen ${out})
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf gRPC::grpc++)
endfunction()

# The mail templates of a folder, compiled into a library.
function(holdfast_embedded_templates target folder)
  set(source ${CMAKE_SOURCE_DIR}/${folder})
  set(out ${CMAKE_BINARY_DIR}/gen/${folder}.cc)
  file(GLOB files CONFIGURE_DEPENDS ${source}/*/*.subject ${source}/*/*.txt ${source}/*/*.html)
  add_custom_command(
    OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${source} -DOUT=${out} -P ${CMAKE_SOURCE_DIR}/cmake/EmbedTemplates.cmake
    DEPENDS ${files} ${CMAKE_SOURCE_DIR}/cmake/EmbedTemplates.cmake)
  target_sources(${target} PRIVATE ${out})
endfunction()

# What ./dev builds by name: all programs; all tests of a label.
add_custom_target(programs)
add_custom_target(unit_tests)
add_custom_target(integration_tests)

# A program in <build>/bin; those of the top CMakeLists.txt are what a user gets and belong to `programs`.
function(holdfast_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE holdfast_options ${ARG_DEPENDS})
  if(CMAKE_CURRENT_SOURCE_DIR STREQUAL CMAKE_SOURCE_DIR)
    add_dependencies(programs ${name})
  endif()
endfunction()

# tests/<folder>/*.cc -> one Catch2 program <folder>_test and one ctest entry, labelled unit or, with INTEGRATION,
# integration: that one runs the real programs, which it finds in $HOLDFAST_BIN, or, with NO_PROGRAMS, only other people's.
function(holdfast_test folder)
  cmake_parse_arguments(ARG "INTEGRATION;NO_PROGRAMS" "" "DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE holdfast_options tests_main ${ARG_DEPENDS})
  add_test(NAME ${name} COMMAND ${name}_test)
  if(ARG_INTEGRATION)
    set(label integration)
    if(NOT ARG_NO_PROGRAMS)
      add_dependencies(${name}_test programs)
    endif()
  else()
    set(label unit)
  endif()
  add_dependencies(${label}_tests ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS ${label}
    ENVIRONMENT "HOLDFAST_BIN=${CMAKE_BINARY_DIR}/bin;HOLDFAST_SOURCE=${CMAKE_SOURCE_DIR}")
endfunction()
