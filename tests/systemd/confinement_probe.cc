// Tries what rotad never does, and prints for each whether it could: "NAME ok" or "NAME EPERM". Run
// by tests/systemd under the sandbox of rotad.service, and without it to see that it is the sandbox
// that denies. Each attempt has a process of its own, so that none changes what the next one meets,
// and is such that it changes nothing where it can: "mount ENOENT" was let through, "mount EPERM"
// was not.

#include <fcntl.h>
#include <sched.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kPage = 4'096;
const char* const kNowhere = "/nonexistent";
const char* const kInState = "/var/lib/rota/probe";

// The error of a call that gives a negative number when it fails; 0 when it did not.
int error_of(long result) { return result < 0 ? errno : 0; }

int can_read(const char* path) { return error_of(::open(path, O_RDONLY)); }

int can_create(const char* path) {
  const int error = error_of(::open(path, O_CREAT | O_EXCL | O_WRONLY, S_IRUSR | S_IWUSR));
  if (error == 0) ::unlink(path);
  return error;
}

// What `change` comes to for a new file of ours in the state directory.
template <class Change>
int changes_file(Change change) {
  const int file = ::open(kInState, O_CREAT | O_EXCL | O_WRONLY, S_IRUSR | S_IWUSR);
  if (file < 0) return errno;
  const int error = error_of(change(file));
  ::unlink(kInState);
  return error;
}

int makes_file_with(mode_t mode) {
  return changes_file([mode](int file) { return ::fchmod(file, mode); });
}

int maps_writable_code() {
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}

int turns_data_into_code() {
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : error_of(::mprotect(page, kPage, PROT_READ | PROT_EXEC));
}

int keeps_hostname() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return errno;
  return error_of(::sethostname(name.data(), std::strlen(name.data())));
}

// Reads only, but it is the call that sets.
int adjusts_clock() {
  timex nothing{};
  return error_of(::adjtimex(&nothing));
}

int runs_in_real_time() {
  sched_param first{};
  first.sched_priority = 1;
  return error_of(::sched_setscheduler(0, SCHED_FIFO, &first));
}

int makes_cgroup() {
  const char* const path = "/sys/fs/cgroup/probe";
  const int error = error_of(::mkdir(path, S_IRWXU));
  ::rmdir(path);
  return error;
}

// These ids leave the owner as it is: only the call itself can be refused.
int owns_file_anew() {
  return changes_file(
      [](int file) { return ::fchown(file, static_cast<uid_t>(-1), static_cast<gid_t>(-1)); });
}

int runs_a_shell() {
  return error_of(::execl("/bin/sh", "sh", "-c", "exit 0", static_cast<char*>(nullptr)));
}

// As the dynamic linker would, told to run a program that the kernel refuses to.
int maps_a_program() {
  const int file = ::open("/usr/bin/env", O_RDONLY);
  if (file < 0) return errno;
  void* page = ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
  return page == MAP_FAILED ? errno : 0;
}

// Without its parameters it is EFAULT where it is let through.
int sets_up_io_uring() {
  const int error = error_of(::syscall(SYS_io_uring_setup, 1, nullptr));
  return error == EFAULT ? 0 : error;
}

struct Attempt {
  const char* name;
  int (*run)();  // 0, or the errno
};

constexpr std::array kAttempts = {
    Attempt{"write-state", [] { return can_create(kInState); }},
    Attempt{"write-var", [] { return can_create("/var/lib/box-open/f"); }},
    Attempt{"write-etc", [] { return can_create("/etc/box-open/f"); }},
    Attempt{"write-usr", [] { return can_create("/usr/box-open/f"); }},
    Attempt{"map-wx", maps_writable_code},
    Attempt{"protect-x", turns_data_into_code},
    Attempt{"mount", [] { return error_of(::mount("none", kNowhere, "tmpfs", 0, nullptr)); }},
    Attempt{"chroot", [] { return error_of(::chroot("/")); }},
    Attempt{"setuid", [] { return error_of(::setuid(::getuid())); }},
    Attempt{"chown", owns_file_anew},
    Attempt{"ptrace", [] { return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }},
    Attempt{"swapoff", [] { return error_of(::swapoff(kNowhere)); }},
    Attempt{"reboot", [] { return error_of(::syscall(SYS_reboot, 0, 0, 0, nullptr)); }},
    Attempt{"module", [] { return error_of(::syscall(SYS_init_module, nullptr, 0, "")); }},
    Attempt{"adjtimex", adjusts_clock},
    Attempt{"sethostname", keeps_hostname},
    // 10: asks for the size of the kernel's log
    Attempt{"klog", [] { return error_of(::klogctl(10, nullptr, 0)); }},
    Attempt{"nice", [] { return error_of(::setpriority(PRIO_PROCESS, 0, 19)); }},
    Attempt{"realtime", runs_in_real_time},
    Attempt{"personality", [] { return error_of(::personality(ADDR_NO_RANDOMIZE)); }},
    Attempt{"inet", [] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }},
    Attempt{"unix", [] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }},
    Attempt{"netlink", [] { return error_of(::socket(AF_NETLINK, SOCK_RAW, 0)); }},
    Attempt{"packet", [] { return error_of(::socket(AF_PACKET, SOCK_DGRAM, 0)); }},
    Attempt{"user-ns", [] { return error_of(::unshare(CLONE_NEWUSER)); }},
    Attempt{"mount-ns", [] { return error_of(::unshare(CLONE_NEWNS)); }},
    Attempt{"net-ns", [] { return error_of(::unshare(CLONE_NEWNET)); }},
    Attempt{"setuid-bit", [] { return makes_file_with(S_ISUID | S_IRWXU); }},
    Attempt{"setgid-bit", [] { return makes_file_with(S_ISGID | S_IRWXU | S_IXGRP); }},
    Attempt{"home", [] { return can_read("/home/box/open"); }},
    Attempt{"root-home", [] { return can_read("/root/box-open"); }},
    Attempt{"tmp", [] { return can_read("/tmp/box-open"); }},
    Attempt{"device", [] { return can_read("/dev/box-open"); }},
    Attempt{"proc-1", [] { return can_read("/proc/1/status"); }},
    Attempt{"proc-meminfo", [] { return can_read("/proc/meminfo"); }},
    Attempt{"tunable", [] { return error_of(::open("/proc/sys/net/ipv4/ip_forward", O_WRONLY)); }},
    Attempt{"cgroup", makes_cgroup},
    Attempt{"exec-shell", runs_a_shell},
    Attempt{"exec-memory", [] { return error_of(::memfd_create("program", MFD_CLOEXEC)); }},
    Attempt{"map-program", maps_a_program},
    Attempt{"io-uring", sets_up_io_uring},
    Attempt{"bus", [] { return error_of(::open("/run/dbus", O_RDONLY | O_DIRECTORY)); }},
    Attempt{"credential",
            [] {
              const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
              if (folder == nullptr) return ENOENT;
              return can_read((std::string(folder) + "/app-token").c_str());
            }},
};

void print_limit(const char* name, decltype(RLIMIT_CORE) which) {
  rlimit limit{};
  ::getrlimit(which, &limit);
  std::printf("%s %lu/%lu\n", name, static_cast<unsigned long>(limit.rlim_cur),
              static_cast<unsigned long>(limit.rlim_max));
}

}  // namespace

int main() {
  for (const Attempt& attempt : kAttempts) {
    const pid_t child = ::fork();
    if (child < 0) return 1;
    if (child == 0) ::_exit(attempt.run());
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
      std::printf("%s signal-%d\n", attempt.name, WTERMSIG(status));
      continue;
    }
    const int error = WEXITSTATUS(status);
    std::printf("%s %s\n", attempt.name, error == 0 ? "ok" : ::strerrorname_np(error));
  }
  print_limit("limit-core", RLIMIT_CORE);
  print_limit("limit-files", RLIMIT_NOFILE);
  return 0;
}
