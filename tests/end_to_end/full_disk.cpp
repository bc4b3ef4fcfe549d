// Loaded before the C library: once the file $FULL_DISK exists, no file of a PostgreSQL database can grow.

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

bool is_full(int descriptor, off_t end) {
    const int error = errno;
    std::array<char, 64> link{};
    std::array<char, 4096> path{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
    const ssize_t length = ::readlink(link.data(), path.data(), path.size());
    struct stat status {};
    const bool full =
        length > 0 &&
        std::string_view{path.data(), static_cast<std::size_t>(length)}.find("/base/") != std::string_view::npos &&
        ::fstat(descriptor, &status) == 0 && end > status.st_size && ::access(std::getenv("FULL_DISK"), F_OK) == 0;
    errno = full ? ENOSPC : error;
    return full;
}

}  // namespace

extern "C" ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off_t at) {
    return is_full(descriptor, at + static_cast<off_t>(size)) ? -1
                                                              : ::syscall(SYS_pwrite64, descriptor, bytes, size, at);
}

extern "C" ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t at) {
    return pwrite64(descriptor, bytes, size, at);
}

extern "C" ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off_t at) {
    off_t end = at;
    for (int i = 0; i < count; ++i) {
        end += static_cast<off_t>(pieces[i].iov_len);
    }
    return is_full(descriptor, end) ? -1 : ::syscall(SYS_pwritev, descriptor, pieces, count, at, 0);
}

extern "C" ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t at) {
    return pwritev64(descriptor, pieces, count, at);
}

extern "C" int posix_fallocate64(int descriptor, off_t at, off_t size) {
    return is_full(descriptor, at + size) ? ENOSPC
                                          : static_cast<int>(::syscall(SYS_fallocate, descriptor, 0, at, size));
}

extern "C" int posix_fallocate(int descriptor, off_t at, off_t size) {
    return posix_fallocate64(descriptor, at, size);
}
