#include "journal/lock.h"

#include <unistd.h>

#include <csignal>

#include <catch2/catch.hpp>

#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;

TEST_CASE("a lock names its holder as long as it is held") {
    const TemporaryFolder folder;
    CHECK_FALSE(writer_of(folder.path()));
    {
        const auto lock = WriterLock::take(folder.path());
        REQUIRE(lock);
        CHECK(writer_of(folder.path()) == ::getpid());
        // Asking does not release it, as closing a descriptor would with a POSIX lock.
        CHECK(writer_of(folder.path()) == ::getpid());
    }
    CHECK_FALSE(writer_of(folder.path()));  // the file with the pid is still there
}

TEST_CASE("asking who holds the lock never keeps a writer out") {
    const TemporaryFolder folder;
    {
        REQUIRE(WriterLock::take(folder.path()));
    }
    for (int i = 0; i < 20; ++i) {
        CHECK(in_child([&] {
                  for (int asked = 0; asked < 50; ++asked)
                      if (writer_of(folder.path())) return 1;
                  return 0;
              }) == 0);
        CHECK(WriterLock::take(folder.path()));
    }
}

TEST_CASE("a process that dies holds no lock") {
    const TemporaryFolder folder;
    CHECK(in_child([&] {
              const auto lock = WriterLock::take(folder.path());
              return lock ? ::kill(::getpid(), SIGKILL) : 1;
          }) == -SIGKILL);
    CHECK_FALSE(writer_of(folder.path()));
    CHECK(WriterLock::take(folder.path()));
}

TEST_CASE("a lock file that cannot be made is a storage error") {
    const auto lock = WriterLock::take("/nowhere/at/all");
    REQUIRE_FALSE(lock);
    CHECK(lock.error().kind == ErrorKind::storage);
    CHECK_THAT(lock.error().message, Catch::Contains("/nowhere/at/all/pawl.lock"));
}
