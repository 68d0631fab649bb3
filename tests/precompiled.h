// What tests/CMakeLists.txt precompiles: big headers of other people that many tests include. It only saves
// time: every test still includes what it uses.
#pragma once

#include <fmt/core.h>
#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>
