#include "held_mounts.h"

#include <linux/openat2.h>

#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

struct HeldMount {
  const char* destination;  // absolute, without "." and ".."; null: no longer held
  int fd;
  uint64_t id;
};

HeldMount* held;
uint64_t held_count;

// The rest of a path below a destination, or nullptr if it is not below it. "//" and "/./" count as "/".
const char* rest_below(const char* path, const char* destination) {
  for (;;) {
    while (*path == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == 0))) path++;
    while (*destination == '/') destination++;
    if (*destination == 0) return *path == 0 ? "." : path;
    while (*destination != 0 && *destination != '/' && *path == *destination) path++, destination++;
    bool whole = (*destination == 0 || *destination == '/') && (*path == 0 || *path == '/');
    if (!whole) return nullptr;
  }
}

bool is_below_root(const char* destination) {
  for (const char* at = destination + 1; *at != 0; at++) {
    if (*at == '/') return false;
  }
  return true;
}

HeldMount* held_at(const char* destination) {
  for (uint64_t i = held_count; i-- > 0;) {
    if (held[i].destination != nullptr && equal(held[i].destination, destination)) return &held[i];
  }
  return nullptr;
}

int replace(HeldMount& mount, int fd, uint64_t id) {
  long copy = sys(__NR_fcntl, fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return static_cast<int>(copy);
  close_fd(mount.fd);
  mount.fd = static_cast<int>(copy);
  mount.id = id;
  return 0;
}

// A hook may have mounted another filesystem of the same kind there. Nobody else can: mounts of the host do not arrive
// here.
int adopt(HeldMount& mount, int there, const struct statx& status) {
  bool is_mount = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  bool is_like_it = is_mount && filesystem_of(there) == filesystem_of(mount.fd);
  return is_like_it ? replace(mount, there, status.stx_mnt_id) : -ESTALE;
}

int check(const char* destination, bool after_hooks) {
  HeldMount* mount = held_at(destination);
  if (mount == nullptr) return -ESTALE;
  bool inside = ctx.root_fd < 0;
  Fd there(open_at(inside ? AT_FDCWD : ctx.root_fd, destination, O_PATH, inside ? 0 : RESOLVE_IN_ROOT));
  // The container's user may not look there; the check as root has passed before.
  if (inside && there.error() == -EACCES) return 0;
  struct statx status = {};
  if (!there.ok() || status_of(there.get(), &status) < 0) return -ESTALE;
  if (status.stx_mnt_id == mount->id) return 0;
  return after_hooks ? adopt(*mount, there.get(), status) : -ESTALE;
}

}  // namespace

bool find_held(const char* path, HeldPlace* place) {
  for (uint64_t i = held_count; i-- > 0;) {
    if (held[i].destination == nullptr || held[i].fd < 0) continue;
    const char* rest = rest_below(path, held[i].destination);
    if (rest == nullptr) continue;
    *place = {held[i].fd, rest};
    return true;
  }
  return false;
}

int hold_attached(const char* destination) {
  if (held == nullptr) {
    // Room for all entries of `mounts`: each has at least one op.
    held = static_cast<HeldMount*>(
        map_pages(reinterpret_cast<const PlanHeader*>(ctx.plan)->plan_length * sizeof(HeldMount)));
    if (held == nullptr) return -ENOMEM;
  }
  struct statx status = {};
  int error = status_of(ctx.mount_fd, &status);
  long copy = error < 0 ? error : sys(__NR_fcntl, ctx.mount_fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return static_cast<int>(copy);
  held[held_count++] = {destination, static_cast<int>(copy), status.stx_mnt_id};
  return 0;
}

int note_attached(int mount_fd, const struct statx& target) {
  if (held_count == 0 || (target.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return 0;
  struct statx status = {};
  for (uint64_t i = 0; i < held_count; i++) {
    if (held[i].destination == nullptr || held[i].id != target.stx_mnt_id) continue;
    int error = status.stx_mnt_id == 0 ? status_of(mount_fd, &status) : 0;
    if (error == 0) error = replace(held[i], mount_fd, status.stx_mnt_id);
    if (error < 0) return error;
  }
  return 0;
}

void release_nested() {
  for (uint64_t i = 0; i < held_count; i++) {
    if (held[i].destination == nullptr || is_below_root(held[i].destination)) continue;
    close_fd(held[i].fd);
    held[i].destination = nullptr;
  }
}

void close_held() {
  for (uint64_t i = 0; i < held_count; i++) {
    if (held[i].destination != nullptr && held[i].fd >= 0) close_fd(held[i].fd);
    held[i].fd = -1;
  }
}

int run(const CheckMountsOp& op) {
  for (uint32_t i = 0; i < op.destinations.count; i++) {
    const char* destination = text(strings(op.destinations)[i]);
    int error = check(destination, op.after_hooks);
    if (error < 0) return fail(error, destination);
  }
  return 0;
}

}  // namespace tsrun
