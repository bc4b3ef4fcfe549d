// What a program costs that uses the libraries of heiasyncd and does nothing of its own: one session of PostgreSQL, and
// what TLS needs before the first connection.
#include <openssl/ssl.h>
#include <pqxx/pqxx>

#include <cstdlib>
#include <memory>

int main(int argc, char** argv) {
    if (argc != 2) {
        return EXIT_FAILURE;
    }
    pqxx::connection connection{argv[1]};
    pqxx::work transaction{connection};
    transaction.exec("SELECT 1");
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> trust{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    return SSL_CTX_set_default_verify_paths(trust.get()) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
