#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

// Loaded into a program, it ends it with SIGKILL in the place of its n-th system call that changes
// a file, for the n in $KILL_AT.

namespace {

void count() {
  static const long kill_at = [] {
    const char* const text = std::getenv("KILL_AT");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  static long calls = 0;
  if (++calls == kill_at) ::kill(::getpid(), SIGKILL);
}

template <class Function>
Function next(const char* name) {
  count();
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

// NOLINTBEGIN(readability-identifier-naming): the names are libc's.
ssize_t write(int fd, const void* bytes, size_t size) {
  return next<ssize_t (*)(int, const void*, size_t)>("write")(fd, bytes, size);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(fd, bytes, size, at);
}
int fsync(int fd) { return next<int (*)(int)>("fsync")(fd); }
int fdatasync(int fd) { return next<int (*)(int)>("fdatasync")(fd); }
int ftruncate64(int fd, off64_t size) {
  return next<int (*)(int, off64_t)>("ftruncate64")(fd, size);
}
int rename(const char* from, const char* to) {
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}
int unlink(const char* path) { return next<int (*)(const char*)>("unlink")(path); }
int unlinkat(int folder, const char* path, int flags) {
  return next<int (*)(int, const char*, int)>("unlinkat")(folder, path, flags);
}
int link(const char* from, const char* to) {
  return next<int (*)(const char*, const char*)>("link")(from, to);
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  return next<int (*)(int, const char*, int, const char*, int)>("linkat")(from_folder, from,
                                                                          to_folder, to, flags);
}
// NOLINTEND(readability-identifier-naming)

}  // extern "C"
