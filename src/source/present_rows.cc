#include "source/present_rows.h"

#include <fmt/format.h>

namespace pawl::source {

Problem several_rows() {
    return {"several_rows", "pipeline.source.view gives several rows for this entity: it must give one"};
}

Problem document_failed(const Error& error) {
    return {"row_failed", fmt::format("its row cannot be read: {}", error.message)};
}

}  // namespace pawl::source
