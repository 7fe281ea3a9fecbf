#include "server/export_json.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/hash.h"

namespace holdfast {
namespace {

namespace json = boost::json;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

/// RFC 3629: no surrogates, nothing longer than need be.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t bytes = lead < 0x80   ? 1
                              : lead < 0xc2 ? 0
                              : lead < 0xe0 ? 2
                              : lead < 0xf0 ? 3
                              : lead < 0xf5 ? 4
                                            : 0;
    if (bytes == 0 || i + bytes > text.size()) return false;
    for (std::size_t k = 1; k < bytes; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    const auto second = bytes > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second > 0x8f))
      return false;
    i += bytes;
  }
  return true;
}

/// What somebody wrote is a text if it can be; ids and hashes never are.
json::value bytes_of(const FieldDescriptor& field, const std::string& bytes) {
  const bool is_text = field.name() == "body" && is_utf8(bytes);
  return json::value(is_text ? bytes : to_hex(bytes));
}

/// `index`: of a repeated field; -1: the field is none.
json::value value_of(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& in = *message.GetReflection();
  const bool many = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? in.GetRepeatedInt32(message, &field, index) : in.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? in.GetRepeatedInt64(message, &field, index) : in.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? in.GetRepeatedUInt32(message, &field, index) : in.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? in.GetRepeatedUInt64(message, &field, index) : in.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? in.GetRepeatedBool(message, &field, index) : in.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return many ? in.GetRepeatedDouble(message, &field, index) : in.GetDouble(message, &field);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return many ? in.GetRepeatedFloat(message, &field, index) : in.GetFloat(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = many ? in.GetRepeatedEnum(message, &field, index) : in.GetEnum(message, &field);
      return json::value(value->name());
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = many ? in.GetRepeatedString(message, &field, index) : in.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? bytes_of(field, text) : json::value(text);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return json_of(many ? in.GetRepeatedMessage(message, &field, index) : in.GetMessage(message, &field));
  }
  return nullptr;
}

}  // namespace

json::object json_of(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  json::object out;
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      out[field->name()] = value_of(message, *field, -1);
      continue;
    }
    json::array all;
    const int count = message.GetReflection()->FieldSize(message, field);
    for (int i = 0; i < count; ++i) all.push_back(value_of(message, *field, i));
    out[field->name()] = std::move(all);
  }
  return out;
}

}  // namespace holdfast
