// Loaded before the C library: once the file $STEPPED_CLOCK exists, the steady clock is an hour ahead.

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

extern "C" int clock_gettime(clockid_t id, timespec* time) {
    const auto result = static_cast<int>(::syscall(SYS_clock_gettime, id, time));
    const int error = errno;
    if (result == 0 && id == CLOCK_MONOTONIC && ::access(std::getenv("STEPPED_CLOCK"), F_OK) == 0) {
        time->tv_sec += 3600;
    }
    errno = error;
    return result;
}
