// One function for each section of pawl.toml. Each reads all of its keys and notes all of its problems.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/section.h"

namespace pawl::config {

void read_journal(Section section, Journal& into);
void read_mariadb(Section section, MariaDb& into);
void read_elasticsearch(Section section, Elasticsearch& into);
void read_lease(Section section, Lease& into);
void read_http(Section section, Http& into);
void read_verify(Section section, Verify& into);
void read_log(Section section, Log& into);

// [[pipeline]], all of them; also what two of them must not share.
void read_pipelines(const Node* node, Problems& problems, std::vector<Pipeline>& into);
void read_source(Section section, Source& into);
void read_document(Section section, Document& into);
void read_index(Section section, Index& into);
void read_limits(Section section, Pipeline& into);

}  // namespace pawl::config
