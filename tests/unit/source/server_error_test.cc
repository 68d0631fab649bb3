#include "source/server_error.h"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::source;

TEST_CASE("trouble that passes is tried again") {
    for (const unsigned number :
         {2002U, 2003U, 2006U, 2013U, 2026U, 1205U, 1213U, 1040U, 1053U, 1927U, 1317U, 1412U})
        CHECK(kind_of_server_error(number) == ErrorKind::unavailable);
}

TEST_CASE("a missing privilege is named, a wrong setting refused") {
    for (const unsigned number : {1044U, 1045U, 1142U, 1143U, 1698U, 1130U})
        CHECK(kind_of_server_error(number) == ErrorKind::forbidden);
    for (const unsigned number : {1146U, 1054U, 1049U, 1665U})
        CHECK(kind_of_server_error(number) == ErrorKind::invalid);
}

TEST_CASE("an error says where, what and what to do") {
    const Error error = server_error(1045, "Access denied for user 'pawl'", "MariaDB at 127.0.0.1:3306");
    CHECK(error.message == "MariaDB at 127.0.0.1:3306: MariaDB error 1045: Access denied for user 'pawl'");
    CHECK_THAT(error.advice, Catch::Contains("mariadb.password_file"));
    CHECK(server_error(1, std::string(10'000, 'x'), "p").message.size() < 1'000);
}

TEST_CASE(
    "one row's value is to blame for what a function or a conversion says, not for the server's trouble") {
    CHECK(is_about_a_value(1644, "45000"));  // SIGNAL
    CHECK(is_about_a_value(1690, "22003"));
    CHECK(is_about_a_value(1242, "21000"));
    CHECK(is_about_a_value(1172, "42000"));
    CHECK_FALSE(is_about_a_value(1146, "42S02"));
    CHECK_FALSE(is_about_a_value(1205, "HY000"));
    CHECK_FALSE(is_about_a_value(1213, "40001"));
    CHECK_FALSE(is_about_a_value(1317, "70100"));
    CHECK_FALSE(is_about_a_value(2013, "HY000"));
}
