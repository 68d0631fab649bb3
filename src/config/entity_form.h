// How `entity` is written in outbox mode: a column's name, or a template with columns in braces.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"

namespace pawl::config {

// "id", "{tenant}/{id}"; in a template "{{" and "}}" stand for braces. Errors, kind invalid: what is wrong,
// to be read after "found …". What is refused: nothing at all, a brace without its partner, a template
// without a column, a name that no column has, a column twice, too many columns, two columns with nothing
// between them
// ("{a}{b}" would give 1|23 and 12|3 one id).
Result<EntityForm> parse_entity_form(std::string_view text);

// "lex by {tenant}/{id}": whose keys, and in which form, an outbox holds. One text for all spellings of a
// form; a long one is cut and ends in a digest.
std::string entities_text(std::string_view table, const EntityForm& form);

}  // namespace pawl::config
