// Namespaces and what belongs to them: hostname, loopback, session.
#include <linux/net.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/sockios.h>

#include "base.h"
#include "ops.h"

namespace tsrun {

namespace {
constexpr int kSignals = 64;

struct KernelSigaction {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)();
  uint64_t mask;
};

struct Rlimit64 {
  uint64_t soft;
  uint64_t hard;
};
}  // namespace

int run(const ResetProcessOp& op) {
  // The dumpable flag first: until execve, /proc/PID of this process must not be a way in (CVE-2016-9962).
  keep_tracers_out();
  KernelSigaction standard = {};
  for (int signal = 1; signal <= kSignals; signal++) {
    sys(__NR_rt_sigaction, signal, &standard, nullptr, sizeof(uint64_t));  // SIGKILL and SIGSTOP refuse
  }
  uint64_t none = 0;
  sys(__NR_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
  sys(__NR_umask, 0);
  // The kernel narrows this to the CPUs of the cgroup. If it refuses, the affinity stays as it was.
  if (op.all_cpus) {
    uint64_t all[128];  // NR_CPUS of kernels built for the most CPUs (CONFIG_MAXSMP)
    memset(all, 0xff, sizeof(all));
    sys(__NR_sched_setaffinity, 0, sizeof(all), all);
  }
  if (op.nofile_soft >= 0) {
    Rlimit64 limit = {};
    sys(__NR_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
    if (static_cast<uint64_t>(op.nofile_soft) <= limit.hard) {
      limit.soft = static_cast<uint64_t>(op.nofile_soft);
      sys(__NR_prlimit64, 0, RLIMIT_NOFILE, &limit, nullptr);
    }
  }
  return 0;
}

int run(const NewSessionOp&) {
  long result = sys(__NR_setsid);
  return result < 0 ? static_cast<int>(result) : 0;
}

int run(const UnshareOp& op) { return static_cast<int>(sys(__NR_unshare, op.flags)); }

int run(const LoopbackUpOp&) {
  constexpr int kAfInet = 2, kSockDgram = 2, kSockCloexec = 02000000;
  constexpr short kIffUp = 1;
  struct {
    char name[16];
    short flags;
    char padding[22];
  } request = {};
  copy(request.name, sizeof(request.name), "lo");
  Fd socket(sys(__NR_socket, kAfInet, kSockDgram | kSockCloexec, 0));
  if (!socket.ok()) return fail(socket.error(), "socket");
  long error = sys(__NR_ioctl, socket.get(), SIOCGIFFLAGS, &request);
  if (error < 0) return fail(error, "lo");
  request.flags |= kIffUp;
  error = sys(__NR_ioctl, socket.get(), SIOCSIFFLAGS, &request);
  return error < 0 ? fail(error, "lo") : 0;
}

int run(const SetHostnameOp& op) { return static_cast<int>(sys(__NR_sethostname, text(op.name), op.name.length)); }

int run(const SetDomainnameOp& op) { return static_cast<int>(sys(__NR_setdomainname, text(op.name), op.name.length)); }

}  // namespace tsrun
