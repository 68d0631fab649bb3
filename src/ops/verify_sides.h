// The two sides of a comparison, walked over page by page: what lives in the source, and what the index
// holds. Entities in quarantine are left out on both sides.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/verification.h"
#include "ops/verify_basis.h"
#include "verify/fingerprint.h"
#include "verify/json_digest.h"
#include "verify/suspects.h"

namespace pawl::ops {

struct VerifyItem {
    std::string_view entity;
    verify::EntityHash hash;
    engine::Revision revision = 0;  // the row's, or the document's version
    std::uint64_t fingerprint = 0;
};
using VerifyVisit = std::function<void(const VerifyItem&)>;

// What both sides make of an entity's state, so that states that agree have one fingerprint.
class VerifyPrints {
  public:
    // `settled`, `digester`: must outlive it. `content`: fingerprints are of documents too. `alike_through`:
    // revisions at or below it count as one, since those of the two sides cannot be compared (outbox mode).
    VerifyPrints(const Settled& settled, verify::JsonDigester& digester, bool content, std::uint64_t seed,
                 engine::Revision alike_through)
        : settled_(settled),
          digester_(digester),
          content_(content),
          seed_(seed),
          alike_through_(alike_through) {}

    bool is_left_out(std::string_view entity) const { return settled_.quarantined.contains(entity); }
    bool content() const { return content_; }
    void visit(std::string_view entity, engine::Revision revision, std::string_view document,
               const VerifyVisit& visit) const;

  private:
    const Settled& settled_;
    verify::JsonDigester& digester_;
    bool content_;
    std::uint64_t seed_;
    engine::Revision alike_through_;
};

// What came of exact looks. Entities that are equal are in none of the lists.
struct Seen {
    std::vector<Difference> differences;
    std::vector<verify::Suspect> unsettled;
    std::vector<std::string> quarantined;
};

// A history (ops/history_side.h), or a table with an outbox (ops/table_side.h).
class SourceSide {
  public:
    virtual ~SourceSide() = default;

    // Visits what lives; gives how many that were. `round` is for the watcher.
    virtual Result<std::uint64_t> walk(std::uint64_t round, const VerifyVisit& visit) = 0;

    // At each exactly, on both sides. What is settled is asked for anew, once, before anything else.
    virtual Result<Seen> look_at(const std::vector<verify::Suspect>& suspects) = 0;
    // Calls `after` when all of a chunk is looked at, with how many there are by now; false ends it.
    void on_chunk(std::function<bool(std::uint64_t)> after) { after_chunk_ = std::move(after); }

  protected:
    bool goes_on_after(std::uint64_t looked_at) const { return !after_chunk_ || after_chunk_(looked_at); }

  private:
    std::function<bool(std::uint64_t)> after_chunk_;
};

class IndexSide {
  public:
    // All must outlive it.
    IndexSide(const VerifyWorld& world, const VerifyBasis& basis, const VerifyPrints& prints);

    // As SourceSide::walk. Kind too_large: shrink_pages() and begin anew, with all that was visited
    // forgotten.
    Result<std::uint64_t> walk(std::uint64_t round, const VerifyVisit& visit);
    // False: pages of a single document were too large.
    bool shrink_pages();

  private:
    const VerifyWorld& world_;
    const VerifyBasis& basis_;
    const VerifyPrints& prints_;
    std::size_t page_documents_;
};

// The watcher has ended a walk.
std::unexpected<Error> ended_while_comparing();
// … or the looks at suspects.
std::unexpected<Error> ended_while_looking();

// What is wrong with its id can be no document: it stands in quarantine.
bool has_an_id(const engine::Row& row);

}  // namespace pawl::ops
