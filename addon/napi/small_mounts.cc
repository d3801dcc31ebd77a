// The mount namespace of a thread of the kernel, which has next to no mounts: containers' own begin as a copy of it.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "../generated/functions.h"

namespace tsrun {

namespace {

// Since Linux 6.12; the build's headers may be older.
struct MountNamespaceInfo {
  uint32_t size;
  uint32_t mounts;
  uint64_t id;
};
constexpr unsigned long kNextMountNamespace = _IOR(NSIO, 11, MountNamespaceInfo);

// The kernel's root filesystems, which lie below one another, and devtmpfs on top of them.
constexpr uint32_t kMostMounts = 4;
// PROC_USER_INIT_INO of the kernel's proc_ns.h.
constexpr ino_t kInitialUserNamespace = 0xeffffffd;

bool is_initial_users(int fd) {
  UniqueFd owner(ioctl(fd, NS_GET_USERNS));
  struct stat status = {};
  return owner.get() >= 0 && fstat(owner.get(), &status) == 0 && status.st_ino == kInitialUserNamespace;
}

}  // namespace

// Kernel threads start in the first mount namespace, kthreadd as process 2. While the kernel starts its drivers,
// kdevtmpfs makes the next one for itself (drivers/base/devtmpfs.c), and keeps it for ever.
Napi::Value js_open_small_mounts(const Napi::CallbackInfo& info) {
  UniqueFd first(open("/proc/2/ns/mnt", O_RDONLY | O_CLOEXEC));
  MountNamespaceInfo found = {};
  found.size = sizeof(found);
  UniqueFd next(first.get() < 0 ? -1 : ioctl(first.get(), kNextMountNamespace, &found));
  bool is_small = next.get() >= 0 && found.mounts <= kMostMounts && is_initial_users(next.get());
  return Napi::Number::New(info.Env(), is_small ? next.release() : -1);
}

}  // namespace tsrun
