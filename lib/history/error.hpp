#pragma once

#include <stdexcept>
#include <string>

namespace heiasync::history {

/// A statement or a connection failed. The text names what was being done and the SQLSTATE; it never quotes a row or a
/// key.
class DatabaseError : public std::runtime_error {
public:
    enum class Kind {
        away,      ///< not reachable, restarting, full, read-only: nothing can be stored now, later it may
        in_doubt,  ///< the connection broke while a commit was going on: it may or may not have happened
        hindered,  ///< a time-out, a lock, a deadlock: the same may succeed another time
        refused,   ///< this data cannot be stored (SQLSTATE class 22 or 23): another transaction can go on
        busy,      ///< another process has the run lock
        fenced,    ///< another process has taken the run lock since: this one writes nothing any more
        replaced,  ///< the server is another one than before: what was stored may be missing there
        schema,    ///< the schema is missing, older or newer than this program, or the role may not use it
        settings,  ///< the database URL is none that libpq takes, or names a database of another encoding than UTF8
        ours       ///< anything else: a mistake of this program
    };

    DatabaseError(Kind kind, const std::string& what, std::string sqlstate);

    [[nodiscard]] Kind kind() const { return kind_; }
    /// Whether the same may succeed later without anybody's doing.
    [[nodiscard]] bool may_pass() const {
        return kind_ == Kind::away || kind_ == Kind::hindered || kind_ == Kind::in_doubt || kind_ == Kind::busy ||
               kind_ == Kind::replaced;
    }
    [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }

private:
    Kind kind_;
    std::string sqlstate_;
};

}  // namespace heiasync::history
