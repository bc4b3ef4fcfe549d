# cmake -DMIGRATIONS="a.sql;b.sql" -DOUTPUT=file.cpp -P embed_migrations.cmake
#
# Writes history::embedded_migrations(). Fails where a file is not named NNNN_what_it_does.sql or a version is missing.
list(SORT MIGRATIONS)
set(expected 0)
set(entries "")
foreach(file IN LISTS MIGRATIONS)
  get_filename_component(stem ${file} NAME_WE)
  if(NOT stem MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_what_it_does.sql")
  endif()
  set(name ${CMAKE_MATCH_2})
  string(REGEX REPLACE "^0+" "" version ${CMAKE_MATCH_1})
  math(EXPR expected "${expected} + 1")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: the next migration is number ${expected}; they count up from 1 without a hole")
  endif()
  # Read as hexadecimal, so that no byte of it means anything to CMake.
  file(READ ${file} hex HEX)
  if(hex STREQUAL "")
    message(FATAL_ERROR "${file} is empty")
  endif()
  string(REGEX REPLACE "(................................)" "\\1\n" lines "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" lines "${lines}")
  string(REGEX REPLACE "([^\n]+)" "    \"\\1\"" lines "${lines}")
  string(LENGTH "${hex}" size)
  math(EXPR size "${size} / 2")
  string(APPEND texts "constexpr std::string_view sql_${version}{\n${lines},\n    ${size}};\n\n")
  string(APPEND entries "    Migration{${version}, \"${name}\", sql_${version}},\n")
endforeach()

file(WRITE ${OUTPUT} "// Generated from migrations/*.sql by embed_migrations.cmake.
#include \"history/migrations.hpp\"

#include <array>
#include <span>
#include <string_view>

namespace heiasync::history {
namespace {

${texts}constexpr std::array migrations{
${entries}};

}  // namespace

std::span<const Migration> embedded_migrations() {
    return migrations;
}

}  // namespace heiasync::history
")
