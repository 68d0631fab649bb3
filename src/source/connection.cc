#include "source/connection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <mysql.h>
#include <sys/socket.h>

#include <mutex>
#include <utility>

#include "base/assert.h"
#include "source/limits.h"
#include "source/server_error.h"

namespace pawl::source {
namespace {

// Connector/C's wait callback has no argument of its own; a connection stays on one thread, so this finds it.
thread_local Interrupt* current_interrupt = nullptr;

int wait_for_socket(my_socket socket, my_bool for_reading, int timeout_ms) {
    PAWL_ASSERT(current_interrupt != nullptr);
    return current_interrupt->wait(socket, for_reading != 0, timeout_ms == 0 ? -1 : timeout_ms);
}

void start_library() {
    static std::once_flag once;  // mysql_init would do it by itself, but not safely from several threads
    std::call_once(once, [] { PAWL_ASSERT(mysql_library_init(0, nullptr, nullptr) == 0); });
}

unsigned whole_seconds(TimeMs time) {
    return static_cast<unsigned>((time + 999) / 1000);
}

std::string place_of(const config::MariaDb& settings) {
    if (!settings.socket.empty()) return fmt::format("MariaDB at {}", settings.socket);
    return fmt::format("MariaDB at {}:{}", settings.host, settings.port);
}

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

void set_options(MYSQL* connection, const config::MariaDb& settings) {
    const unsigned connect_s = whole_seconds(settings.connect_timeout_ms);
    const unsigned read_s = whole_seconds(settings.read_timeout_ms);
    mysql_options(connection, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(connection, MYSQL_OPT_READ_TIMEOUT, &read_s);
    mysql_options(connection, MYSQL_OPT_WRITE_TIMEOUT, &read_s);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const unsigned no = 0;
    mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &no);  // a server must not be able to ask for our files
    mysql_options(connection, MARIADB_OPT_IO_WAIT, reinterpret_cast<const void*>(&wait_for_socket));
    mysql_optionsv(connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "pawl");
    if (!settings.socket.empty()) {
        const unsigned protocol = MYSQL_PROTOCOL_SOCKET;
        mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol);
    } else {
        // Otherwise "localhost" would mean a socket in a place that nobody named.
        const unsigned protocol = MYSQL_PROTOCOL_TCP;
        mysql_options(connection, MYSQL_OPT_PROTOCOL, &protocol);
    }
    const my_bool yes = 1;
    if (settings.tls || !settings.ca_file.empty()) mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes);
    if (!settings.ca_file.empty()) {
        mysql_options(connection, MYSQL_OPT_SSL_CA, settings.ca_file.c_str());
        mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    }
    if (!settings.cert_file.empty())
        mysql_options(connection, MYSQL_OPT_SSL_CERT, settings.cert_file.c_str());
    if (!settings.key_file.empty()) mysql_options(connection, MYSQL_OPT_SSL_KEY, settings.key_file.c_str());
}

// subquery_cache: MariaDB keeps a subquery's result by the outer row's values as their collation compares
// them, so that 'abc' would get the latest row of 'ABC' (seen on 10.11; source/latest.h asks such a
// question).
constexpr std::string_view session_setup =
    "SET SESSION time_zone = '+00:00', sql_mode = '', autocommit = 1, sql_select_limit = DEFAULT, "
    "tx_isolation = 'REPEATABLE-READ', max_statement_time = 0, optimizer_switch = 'subquery_cache=off'";

constexpr unsigned client_error_min = 2000;  // from here on numbers are Connector/C's own (errmsg.h)

Result<Connection::Rows> all_rows(ResultSet& result, const std::string& place) {
    Connection::Rows all;
    for (;;) {
        const auto more = result.next();
        if (!more) return std::unexpected(more.error());
        if (!*more) return all;
        if (all.size() == limits::listed_rows_max)
            return fail(ErrorKind::invalid, fmt::format("{}: more than {} rows where few were expected",
                                                        place, limits::listed_rows_max));
        auto& row = all.emplace_back();
        for (std::size_t column = 0; column < result.columns(); ++column) {
            const auto value = result.value(column);
            row.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
        }
    }
}

}  // namespace

ResultSet::~ResultSet() {
    mysql_free_result(result_);
}

ResultSet::ResultSet(ResultSet&& other) noexcept
    : connection_(other.connection_),
      result_(std::exchange(other.result_, nullptr)),
      values_(other.values_),
      lengths_(other.lengths_) {}

Result<bool> ResultSet::next() {
    values_ = mysql_fetch_row(result_);
    if (values_ != nullptr) {
        lengths_ = mysql_fetch_lengths(result_);
        return true;
    }
    if (mysql_errno(connection_) == 0) return false;
    return std::unexpected(
        server_error(mysql_errno(connection_), mysql_error(connection_), "reading a result"));
}

std::optional<std::string_view> ResultSet::value(std::size_t column) const {
    if (values_[column] == nullptr) return std::nullopt;
    return std::string_view(values_[column], lengths_[column]);
}

std::size_t ResultSet::columns() const {
    return mysql_num_fields(result_);
}

bool ResultSet::is_json(std::size_t column) const {
    MARIADB_CONST_STRING format{};
    const MYSQL_FIELD* const field = mysql_fetch_field_direct(result_, static_cast<unsigned>(column));
    if (mariadb_field_attr(&format, field, MARIADB_FIELD_ATTR_FORMAT_NAME) != 0) return false;
    return std::string_view(format.str, format.length) == "json";
}

Result<Connection> Connection::open(const config::MariaDb& settings, Interrupt& interrupt) {
    start_library();
    current_interrupt = &interrupt;
    MYSQL* const handle = mysql_init(nullptr);
    PAWL_ASSERT(handle != nullptr);
    Connection connection(handle, interrupt, place_of(settings));
    set_options(handle, settings);
    const bool by_socket = !settings.socket.empty();
    if (mysql_real_connect(handle, by_socket ? nullptr : settings.host.c_str(), or_null(settings.user),
                           settings.password.reveal().c_str(), or_null(settings.database),
                           by_socket ? 0 : settings.port, or_null(settings.socket), 0) == nullptr)
        return std::unexpected(server_error(mysql_errno(handle), mysql_error(handle), connection.place_));
    interrupt.watch(mysql_get_socket(handle));
    // Without a certificate to verify, Connector/C goes on without TLS when the server has none.
    if (settings.tls && mysql_get_ssl_cipher(handle) == nullptr)
        return fail(ErrorKind::forbidden,
                    fmt::format("{}: the server offers no TLS, which mariadb.tls demands", connection.place_),
                    "give the server a certificate, or set mariadb.tls = false");
    if (auto done = connection.execute(session_setup); !done) return std::unexpected(std::move(done.error()));
    return connection;
}

Connection::Connection(Connection&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      interrupt_(other.interrupt_),
      place_(std::move(other.place_)),
      abandoned_(other.abandoned_) {}

Connection& Connection::operator=(Connection&& other) noexcept {
    if (this == &other) return *this;
    close();
    connection_ = std::exchange(other.connection_, nullptr);
    interrupt_ = other.interrupt_;
    place_ = std::move(other.place_);
    abandoned_ = other.abandoned_;
    return *this;
}

void Connection::close() {
    if (connection_ == nullptr) return;
    current_interrupt = interrupt_;
    interrupt_->watch(-1);
    mysql_close(connection_);
    connection_ = nullptr;
}

void Connection::abandon() {
    if (abandoned_ || connection_ == nullptr) return;
    abandoned_ = true;
    ::shutdown(mysql_get_socket(connection_), SHUT_RDWR);
}

Result<ResultSet> Connection::query(std::string_view sql) {
    PAWL_ASSERT(is_open());
    current_interrupt = interrupt_;
    if (mysql_real_query(connection_, sql.data(), sql.size()) != 0) return std::unexpected(last_error());
    MYSQL_RES* const result = mysql_use_result(connection_);
    if (result == nullptr) return std::unexpected(last_error());
    return ResultSet(connection_, result);
}

Result<void> Connection::execute(std::string_view sql) {
    PAWL_ASSERT(is_open());
    current_interrupt = interrupt_;
    if (mysql_real_query(connection_, sql.data(), sql.size()) != 0) return std::unexpected(last_error());
    // Some statements (ANALYZE TABLE) answer with rows although nobody wants them.
    if (mysql_field_count(connection_) != 0) mysql_free_result(mysql_use_result(connection_));
    return {};
}

Result<Connection::Rows> Connection::rows(std::string_view sql) {
    auto result = query(sql);
    if (!result) return std::unexpected(std::move(result.error()));
    return all_rows(*result, place_);
}

Result<void> Connection::allow_several_statements(bool allow) {
    const auto option = allow ? MYSQL_OPTION_MULTI_STATEMENTS_ON : MYSQL_OPTION_MULTI_STATEMENTS_OFF;
    if (mysql_set_server_option(connection_, option) != 0) return std::unexpected(last_error());
    return {};
}

Result<Connection::Answers> Connection::together(std::span<const std::string> statements) {
    PAWL_ASSERT(is_open() && !statements.empty());
    current_interrupt = interrupt_;
    if (auto done = allow_several_statements(true); !done) return std::unexpected(std::move(done.error()));
    const std::string sql = fmt::format("{}", fmt::join(statements, ";"));
    Answers answers;
    int status = mysql_real_query(connection_, sql.data(), sql.size());  // 0: there is an answer to take
    for (; status == 0; status = mysql_next_result(connection_)) {
        Rows& rows = answers.rows.emplace_back();
        if (mysql_field_count(connection_) == 0) continue;
        MYSQL_RES* const handle = mysql_use_result(connection_);
        if (handle == nullptr) return std::unexpected(last_error());
        ResultSet result(connection_, handle);
        auto taken = all_rows(result, place_);
        if (!taken) return std::unexpected(std::move(taken.error()));
        rows = std::move(*taken);
    }
    if (status > 0) {
        answers.number = mysql_errno(connection_);
        answers.error = last_error();
        if (answers.number >= client_error_min) return std::unexpected(std::move(*answers.error));
    }
    if (auto done = allow_several_statements(false); !done) return std::unexpected(std::move(done.error()));
    return answers;
}

Error Connection::last_error() const {
    return server_error(mysql_errno(connection_), mysql_error(connection_), place_);
}

bool Connection::value_is_to_blame() const {
    return is_open() && is_about_a_value(mysql_errno(connection_), mysql_sqlstate(connection_));
}

std::string Connection::quoted(std::string_view text) const {
    std::string escaped(text.size() * 2 + 1, '\0');
    escaped.resize(mysql_real_escape_string(connection_, escaped.data(), text.data(), text.size()));
    return fmt::format("'{}'", escaped);
}

std::string Connection::server_version() const {
    return mysql_get_server_info(connection_);
}

}  // namespace pawl::source
