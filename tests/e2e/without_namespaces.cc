// without_namespaces COMMAND [ARGUMENT …]: runs a command as in an unprivileged container, whose
// processes may make no namespaces and mount nothing. The filter is what container engines apply by
// default: EPERM for unshare, setns, mount, umount2, pivot_root and clone with a flag for a
// namespace; ENOSYS for clone3, whose flags a filter cannot see, so that the C library takes clone.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>

namespace {

constexpr unsigned kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}
// What follows when the loaded number is `call`: `skip` instructions on; else the next.
constexpr sock_filter If(long call, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), skip, 0);
}
constexpr sock_filter Return(unsigned what) { return BPF_STMT(BPF_RET | BPF_K, what); }

// The flags of clone are its first argument on x86-64 and AArch64, whose low half comes first.
const sock_filter kFilter[] = {
    Load(offsetof(seccomp_data, nr)),
    If(SYS_unshare, 10),
    If(SYS_setns, 9),
    If(SYS_mount, 8),
    If(SYS_umount2, 7),
    If(SYS_pivot_root, 6),
    If(SYS_clone3, 6),
    If(SYS_clone, 1),
    Return(SECCOMP_RET_ALLOW),
    Load(offsetof(seccomp_data, args)),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kNamespaces, 1, 0),
    Return(SECCOMP_RET_ALLOW),
    Return(SECCOMP_RET_ERRNO | EPERM),
    Return(SECCOMP_RET_ERRNO | ENOSYS),
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: without_namespaces COMMAND [ARGUMENT ...]\n");
    return 2;
  }
  const sock_fprog program = {sizeof kFilter / sizeof kFilter[0],
                              const_cast<sock_filter*>(kFilter)};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::perror("without_namespaces");
    return 1;
  }
  execvp(argv[1], argv + 1);
  std::perror(argv[1]);
  return 127;
}
