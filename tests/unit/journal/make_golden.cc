// Makes a golden journal: make_golden <folder that is not there>. Its data.mdb goes to
// journal/testdata/format-<n>/ once per format version and is never edited.
#include <cstdio>

#include "journal/format.h"
#include "journal/writer.h"
#include "tests/unit/journal/golden.h"

int main(int argc, char** argv) {
    using namespace pawl::journal;
    if (argc != 2) {
        std::fprintf(stderr, "usage: make_golden <folder>\n");
        return 2;
    }
    auto writer = Writer::open(argv[1]);
    // One transaction each, so that the file has free pages too.
    for (const Change& change : test::golden_changes(format::version)) {
        const auto done =
            writer ? writer->commit(std::vector<Change>{change}) : std::unexpected(writer.error());
        if (done) continue;
        std::fprintf(stderr, "%s\n", pawl::to_line(done.error()).c_str());
        return 1;
    }
    return 0;
}
