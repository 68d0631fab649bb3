// Runs a piece of a test in a child that may die.
#pragma once

#include <csignal>
#include <functional>
#include <string>

namespace pawl::test {

struct Ended {
    int signal = 0;  // that killed it; 0: it returned
    std::string stderr_text;
};

Ended run_in_child(const std::function<void()>& body);

}  // namespace pawl::test
