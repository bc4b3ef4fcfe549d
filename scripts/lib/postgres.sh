# A private, throw-away PostgreSQL for the demo and the tests: `. scripts/lib/postgres.sh`.
#
#   start_scratch_postgres DIR   makes DIR, starts a server in it, waits until it answers, and sets
#                                SCRATCH_POSTGRES_HOST and SCRATCH_POSTGRES_USER, by which clients reach it
#   stop_scratch_postgres DIR    stops it and removes DIR
#
# The server listens on a socket in DIR only, keeps nothing safe from a power cut, logs every statement to
# DIR/server.log, and is stopped by the kernel when the process that started it dies. PostgreSQL refuses to run as root,
# so there it runs as `postgres` or `nobody`, who must be able to reach DIR.

# The newest of Debian's versions from 15 on, or whatever is in PATH.
scratch_postgres_bin() {
    ls -d /usr/lib/postgresql/*/bin 2>/dev/null | awk -F/ '$5 >= 15' | sort -t/ -k5,5n | tail -n 1 | grep . ||
        dirname "$(command -v postgres)"
}

scratch_postgres_user() {
    if [ "$(id -u)" -ne 0 ]; then
        id -un
    elif id -u postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

# As the user that the server runs as; stopped when the caller dies.
_scratch_postgres_exec() {
    if [ "$(id -u)" -eq 0 ]; then
        _scratch_user=$(scratch_postgres_user)
        exec setpriv --reuid="$_scratch_user" --regid="$(id -g "$_scratch_user")" --clear-groups --pdeathsig=INT "$@"
    fi
    exec setpriv --pdeathsig=INT "$@"
}

# init_scratch_postgres DIR: makes the data folder.
init_scratch_postgres() {
    mkdir -p "$1" && chmod 755 "$1" || return 1
    if [ "$(id -u)" -eq 0 ]; then
        chown "$(scratch_postgres_user)" "$1" || return 1
    fi
    (cd "$1" && _scratch_postgres_exec "$(scratch_postgres_bin)/initdb" --pgdata="$1/data" --username=postgres --auth=trust \
        --encoding=UTF8 --locale=C --no-sync) >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log" >&2; return 1; }
    # There is nothing to clean up in what lives for minutes; in a file, so that a client can turn it on.
    echo 'autovacuum = off' >>"$1/data/postgresql.conf"
}

# copy_scratch_postgres DIR PRIMARY: makes the data folder of a standby of the server in PRIMARY.
copy_scratch_postgres() {
    mkdir -p "$1" && chmod 755 "$1" || return 1
    if [ "$(id -u)" -eq 0 ]; then
        chown "$(scratch_postgres_user)" "$1" || return 1
    fi
    (cd "$1" && _scratch_postgres_exec "$(scratch_postgres_bin)/pg_basebackup" --pgdata="$1/data" --host="$2" \
        --username=postgres --write-recovery-conf --checkpoint=fast --no-sync) >"$1/initdb.log" 2>&1 ||
        { cat "$1/initdb.log" >&2; return 1; }
}

# exec_scratch_postgres DIR [OPTION...]: becomes the server.
exec_scratch_postgres() {
    _scratch_directory=$1
    shift
    cd "$_scratch_directory" && _scratch_postgres_exec "$(scratch_postgres_bin)/postgres" -D "$_scratch_directory/data" \
        -c listen_addresses= -c unix_socket_directories="$_scratch_directory" \
        -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
        -c max_connections=50 -c log_statement=all -c log_line_prefix='%m [%p] %u@%d ' "$@" \
        >>"$_scratch_directory/server.log" 2>&1
}

start_scratch_postgres() {
    SCRATCH_POSTGRES_HOST=$1
    SCRATCH_POSTGRES_USER=postgres
    export SCRATCH_POSTGRES_HOST SCRATCH_POSTGRES_USER
    init_scratch_postgres "$1" || return 1
    exec_scratch_postgres "$1" &
    _scratch_tries=0
    until "$(scratch_postgres_bin)/pg_isready" --quiet --host="$1"; do
        _scratch_tries=$((_scratch_tries + 1))
        if [ "$_scratch_tries" -gt 600 ] || ! kill -0 $! 2>/dev/null; then
            echo "PostgreSQL did not start; see $1/server.log" >&2
            return 1
        fi
        sleep 0.05
    done
}

stop_scratch_postgres() {
    if [ -f "$1/data/postmaster.pid" ]; then
        _scratch_pid=$(head -n 1 "$1/data/postmaster.pid")
        kill -INT "$_scratch_pid" 2>/dev/null || true
        wait "$_scratch_pid" 2>/dev/null || true
        while kill -0 "$_scratch_pid" 2>/dev/null; do sleep 0.02; done
    fi
    rm -rf "$1"
}
