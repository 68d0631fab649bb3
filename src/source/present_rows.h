// Why the present row of an entity makes no document, apart from what the row itself holds. Pure.
#pragma once

#include "base/error.h"
#include "source/body.h"

namespace pawl::source {

// The view gives more than one row for the entity: "several_rows".
Problem several_rows();

// The server cannot make this entity's row: "row_failed".
Problem document_failed(const Error& error);

}  // namespace pawl::source
