// Loaded before the C library (LD_PRELOAD): no name is ever found, nor said to be unknown.

#include <netdb.h>
#include <unistd.h>

extern "C" int getaddrinfo(const char* /*node*/, const char* /*service*/, const addrinfo* /*hints*/,
                           addrinfo** /*result*/) {
    for (;;) {
        pause();
    }
}
