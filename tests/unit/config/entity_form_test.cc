#include "config/entity_form.h"

#include <catch2/catch.hpp>

#include "journal/limits.h"

using namespace pawl;
using config::entities_text;
using config::parse_entity_form;

namespace {

using Texts = std::vector<std::string>;

// "literal|column|literal|…", or what is wrong.
std::string parts(std::string_view text) {
    const auto form = parse_entity_form(text);
    if (!form) return "wrong: " + form.error().message;
    REQUIRE(form->literals.size() == form->columns.size() + 1);
    std::string all = form->literals[0];
    for (std::size_t at = 0; at < form->columns.size(); ++at)
        all += "|" + form->columns[at] + "|" + form->literals[at + 1];
    return all;
}

}  // namespace

TEST_CASE("a text without braces is one column, whatever its characters") {
    CHECK(parts("id") == "|id|");
    CHECK(parts("an \"odd\" `näme`/x") == "|an \"odd\" `näme`/x|");
}

TEST_CASE("a template gives columns and what stands between them") {
    CHECK(parts("{tenant}/{id}") == "|tenant|/|id|");
    CHECK(parts("lex-{id}") == "lex-|id|");
    CHECK(parts("{a}:{b}:{c}!") == "|a|:|b|:|c|!");
    CHECK(parts("{id}") == parts("id"));
}

TEST_CASE("doubled braces are braces") {
    CHECK(parts("{{{id}}}") == "{|id|}");
    CHECK(parts("{a}}}{{{b}") == "|a|}{|b|");
    CHECK(parts("{a}{{{b}") == "|a|{|b|");
}

TEST_CASE("a template that names no entity is refused") {
    CHECK(parts("{{id}}") == "wrong: no column in braces");
    CHECK(parts("{a}{b}") == "wrong: two columns with nothing between them");
    CHECK(parts("{a}/{b") == "wrong: a \"{\" without its \"}\"");
    CHECK(parts("{a{b}}") == "wrong: a \"{\" without its \"}\"");
    CHECK(parts("{a}/b}") == "wrong: a \"}\" without its \"{\"");
    CHECK(parts("{a}/{}") == "wrong: \"{}\", which is no column");
    CHECK(parts("{a}/{A}") == "wrong: the column \"A\" twice");
    CHECK(parts("") == "wrong: no column");
    std::string many = "{c0}";
    for (int count = 1; count < 16; ++count)
        many += "/{c" + std::to_string(count) + "}";
    CHECK(parse_entity_form(many));
    CHECK(parts(many + "/{c16}") == "wrong: more than 16 columns");
}

TEST_CASE("whose keys an outbox holds is one text for all spellings of a form") {
    const auto text = [](std::string_view form) { return entities_text("lex", *parse_entity_form(form)); };
    CHECK(text("id") == "lex by {id}");
    CHECK(text("{ID}") == text("id"));
    CHECK(text("{tenant}/{id}") == "lex by {tenant}/{id}");
    CHECK(text("{{{id}}}") == "lex by {{{id}}}");
    CHECK(text("Lex-{id}") == "lex by Lex-{id}");
    CHECK(entities_text("lex2", *parse_entity_form("id")) == "lex2 by {id}");
}

TEST_CASE("a long text of that kind is cut, and still its own") {
    const std::string literal = "ä" + std::string(600, 'x');
    const auto text = [&](std::string_view table, std::string_view end) {
        return entities_text(table, *parse_entity_form(literal + "{id}" + std::string(end)));
    };
    CHECK(text("lex", "").size() <= journal::limits::identity_bytes_max);
    CHECK(text("lex", "") != text("lex", "!"));
    CHECK(text("lex", "") == text("lex", ""));
}
