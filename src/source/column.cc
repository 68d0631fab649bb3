#include "source/column.h"

#include <algorithm>
#include <array>

#include "source/sql.h"

namespace pawl::source {
namespace {

struct TypeKind {
    std::string_view data_type;
    ColumnKind kind;
};

constexpr std::array type_kinds{
    TypeKind{"tinyint", ColumnKind::integer},   TypeKind{"smallint", ColumnKind::integer},
    TypeKind{"mediumint", ColumnKind::integer}, TypeKind{"int", ColumnKind::integer},
    TypeKind{"bigint", ColumnKind::integer},    TypeKind{"year", ColumnKind::integer},
    TypeKind{"decimal", ColumnKind::decimal},   TypeKind{"float", ColumnKind::real32},
    TypeKind{"double", ColumnKind::real64},     TypeKind{"char", ColumnKind::text},
    TypeKind{"varchar", ColumnKind::text},      TypeKind{"tinytext", ColumnKind::text},
    TypeKind{"text", ColumnKind::text},         TypeKind{"mediumtext", ColumnKind::text},
    TypeKind{"longtext", ColumnKind::text},     TypeKind{"enum", ColumnKind::text},
    TypeKind{"set", ColumnKind::set},           TypeKind{"uuid", ColumnKind::text},
    TypeKind{"inet4", ColumnKind::text},        TypeKind{"inet6", ColumnKind::text},
    TypeKind{"time", ColumnKind::text},         TypeKind{"date", ColumnKind::date},
    TypeKind{"datetime", ColumnKind::datetime}, TypeKind{"timestamp", ColumnKind::timestamp},
    TypeKind{"binary", ColumnKind::binary},     TypeKind{"varbinary", ColumnKind::binary},
    TypeKind{"tinyblob", ColumnKind::binary},   TypeKind{"blob", ColumnKind::binary},
    TypeKind{"mediumblob", ColumnKind::binary}, TypeKind{"longblob", ColumnKind::binary},
    TypeKind{"bit", ColumnKind::bit},
};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

bool is_text_type(const Column& column) {
    return is_one_of(column.data_type, {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"});
}

}  // namespace

ColumnKind kind_of(std::string_view data_type, std::string_view column_type) {
    if (column_type == "tinyint(1)") return ColumnKind::boolean;
    if (column_type == "bit(1)") return ColumnKind::bit_boolean;
    const auto* const found = std::ranges::find(type_kinds, data_type, &TypeKind::data_type);
    return found == type_kinds.end() ? ColumnKind::unsupported : found->kind;
}

bool can_be_revision(const Column& column) {
    return is_one_of(column.data_type, {"tinyint", "smallint", "mediumint", "int", "bigint"});
}

bool can_be_entity(const Column& column) {
    return can_be_revision(column) || is_text_type(column) || column.data_type == "uuid";
}

bool can_be_deleted(const Column& column) {
    return can_be_revision(column) || column.data_type == "bit";
}

bool can_be_body(const Column& column) {
    return is_text_type(column);
}

bool is_unsigned(const Column& column) {
    return column.type.find("unsigned") != std::string::npos;
}

std::string select_expression(const Column& column, std::string_view of) {
    const std::string name =
        of.empty() ? identifier(column.name) : identifier(of) + "." + identifier(column.name);
    return column.kind == ColumnKind::real32 ? "CAST(" + name + " AS DOUBLE)" : name;
}

}  // namespace pawl::source
