# The files of a folder as a .cc: cmake -DFOLDER=… -DOUT=… -P EmbedTemplates.cmake. Only <language>/<file>.<ext> counts.
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*/*.subject ${FOLDER}/*/*.txt ${FOLDER}/*/*.html)
list(SORT files)
set(rows "")
foreach(file IN LISTS files)
  file(READ ${FOLDER}/${file} text)
  string(FIND "${text}" ")~~~\"" taken)
  if(NOT taken EQUAL -1)
    message(FATAL_ERROR "${file} holds )~~~\", which ends the literal that it becomes")
  endif()
  string(APPEND rows "    {\"${file}\", R\"~~~(${text})~~~\"},\n")
endforeach()
file(WRITE ${OUT} "// Made by cmake/EmbedTemplates.cmake.
#include \"server/mail/builtin_templates.h\"

namespace holdfast::mail {
namespace {
constexpr BuiltinTemplate kTemplates[] = {
${rows}};
}  // namespace

std::span<const BuiltinTemplate> builtin_templates() { return kTemplates; }

}  // namespace holdfast::mail
")
