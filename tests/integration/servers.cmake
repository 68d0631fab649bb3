# Real servers for tests. Every server is a ctest fixture: its setup starts it, its cleanup stops it. The search
# servers come one after the other, so that never two of these run at once (each wants over a gigabyte). Tests of the
# whole program start servers of their own; how many tests may run at a time is for ctest's -j to say (tools/test).
#
#   pawl_add_server_test(NAME n LABEL integration SOURCES … LIBRARIES …)   needs MariaDB
#   pawl_add_index_test(NAME n SOURCES … LIBRARIES …)                      one ctest entry a search server, no MariaDB
#
# A test finds its servers in the file that PAWL_TEST_SERVERS names (tests/integration/servers.h reads it); an index
# test's own server is named by PAWL_TEST_INDEX. A server that does not start fails its tests.

set(PAWL_INDEX_SERVERS "elasticsearch-8.19.7;opensearch-2.19.3" CACHE STRING
    "Search servers of the label integration (tools/test adds those whose JDK it finds)")

file(STRINGS ${PROJECT_SOURCE_DIR}/tools/servers.sha256 all_index_servers REGEX "^[0-9a-f]")
list(TRANSFORM all_index_servers REPLACE "^[0-9a-f]+ +(.*)\\.zip$" "\\1")

# In /tmp: the search servers' unprivileged uid must be able to enter it, and a socket's path must be short.
string(SHA256 build_hash ${PROJECT_BINARY_DIR})
string(SUBSTRING ${build_hash} 0 12 build_hash)
set(servers_folder /tmp/pawl-test-${build_hash})
set(servers_file ${servers_folder}/env)

function(pawl_add_server_fixture SERVER)
    set(command /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tools/servers)
    add_test(NAME start_${SERVER} COMMAND ${command} start ${SERVER} --dir ${servers_folder})
    add_test(NAME stop_${SERVER} COMMAND ${command} stop ${SERVER} --dir ${servers_folder})
    set_tests_properties(start_${SERVER} PROPERTIES FIXTURES_SETUP ${SERVER} TIMEOUT 300)
    set_tests_properties(stop_${SERVER} PROPERTIES FIXTURES_CLEANUP ${SERVER} TIMEOUT 120)
endfunction()

pawl_add_server_fixture(mariadb)
set(before "")
foreach(server ${all_index_servers})
    pawl_add_server_fixture(${server})
    if(before)
        set_tests_properties(start_${server} PROPERTIES DEPENDS "${before}")
    endif()
    list(APPEND before stop_${server})
endforeach()

function(pawl_add_server_test)
    cmake_parse_arguments(TEST "" "NAME;LABEL" "SOURCES;LIBRARIES" ${ARGN})
    pawl_add_test(NAME ${TEST_NAME} LABEL ${TEST_LABEL} FIXTURE mariadb
        SOURCES ${TEST_SOURCES} LIBRARIES test_servers ${TEST_LIBRARIES})
    set_tests_properties(${TEST_NAME} PROPERTIES ENVIRONMENT PAWL_TEST_SERVERS=${servers_file})
endfunction()

function(pawl_add_index_test)
    cmake_parse_arguments(TEST "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(${TEST_NAME} ${TEST_SOURCES})
    target_include_directories(${TEST_NAME} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${TEST_NAME} PRIVATE test_main test_servers ${TEST_LIBRARIES})
    foreach(server ${all_index_servers})
        set(labels servers)
        if(server IN_LIST PAWL_INDEX_SERVERS)
            list(APPEND labels integration)
        endif()
        add_test(NAME ${TEST_NAME}_${server} COMMAND ${TEST_NAME})
        set_tests_properties(${TEST_NAME}_${server} PROPERTIES
            LABELS "${labels}" TIMEOUT 300 FIXTURES_REQUIRED ${server}
            ENVIRONMENT "PAWL_TEST_SERVERS=${servers_file};PAWL_TEST_INDEX=${server}")
    endforeach()
endfunction()
