// The user, groups and capabilities of the process.
#include <linux/capability.h>
#include <linux/prctl.h>

#include "ops.h"
#include "passwd.h"
#include "procfs.h"

namespace tsrun {

namespace {

constexpr int kLastCapability = 63;

bool in_set(uint64_t set, int capability) { return (set >> capability) & 1; }

// Whether this user namespace forbids setgroups (user_namespaces(7)); then the groups can only stay as they are.
bool setgroups_denied() {
  if (ctx.proc_fd < 0) return false;
  Fd file(open_process_file(ctx.proc_fd, "setgroups", O_RDONLY));
  char word[16] = "";
  return file.ok() && sys(__NR_read, file.get(), word, sizeof(word) - 1) > 0 && starts_with(word, "deny");
}

int set_groups(List list) {
  static uint32_t groups[65536];  // NGROUPS_MAX; only the pages in use take memory
  if (list.count > sizeof(groups) / sizeof(groups[0])) return fail(-E2BIG, "additionalGids");
  for (uint32_t i = 0; i < list.count; i++) groups[i] = static_cast<uint32_t>(numbers(list)[i]);
  long error = sys(__NR_setgroups, list.count, groups);
  if (error == -EPERM && list.count == 0 && setgroups_denied()) return 0;
  return error < 0 ? fail(error, "setgroups") : 0;
}

}  // namespace

int run(const SetUmaskOp& op) {
  sys(__NR_umask, op.mask);
  return 0;
}

int run(const BoundCapabilitiesOp& op) {
  for (int capability = 0; capability <= kLastCapability; capability++) {
    if (in_set(op.bounding, capability)) continue;
    long error = sys(__NR_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0);
    // Beyond this kernel's last capability, whose bit it cannot read either.
    if (error == -EINVAL && sys(__NR_prctl, PR_CAPBSET_READ, capability, 0, 0, 0) == -EINVAL) break;
    if (error < 0) return static_cast<int>(error);
  }
  return 0;
}

int run(const FindUserOp& op) {
  const char* user = text(op.user);
  const char* group = text(op.group);
  ctx.user = op.uid;
  ctx.group = op.gid;
  int there = user == nullptr ? 1 : find_user(user, &ctx.user, &ctx.group);
  if (there <= 0) return there < 0 ? there : fail(-ENOENT, user);
  there = group == nullptr ? 1 : find_group(group, &ctx.group);
  if (there <= 0) return there < 0 ? there : fail(-ENOENT, group);
  ctx.has_user = true;
  ctx.detail[0] = 0;
  return 0;
}

constexpr uint64_t kNoId = 0xffffffff;  // (uid_t)-1

int run(const SetUserOp& op) {
  long error = sys(__NR_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (error < 0) return static_cast<int>(error);
  if (!op.keep_groups) {
    error = set_groups(op.groups);
    if (error < 0) return static_cast<int>(error);
  }
  uint64_t gid = ctx.has_user ? ctx.group : op.gid;
  uint64_t uid = ctx.has_user ? ctx.user : op.uid;
  // The kernel would leave the ID unchanged: the process would stay root.
  if (uid == kNoId || gid == kNoId) return fail(-EINVAL, "-1");
  error = sys(__NR_setresgid, gid, gid, gid);
  if (error < 0) return fail(error, "setresgid");
  error = sys(__NR_setresuid, uid, uid, uid);
  if (error < 0) return fail(error, "setresuid");
  return keep_tracers_out();
}

int run(const SetCapabilitiesOp& op) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  for (int half = 0; half < 2; half++) {
    data[half].effective = static_cast<uint32_t>(op.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>((op.permitted | op.kept) >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(op.inheritable >> (32 * half));
  }
  long error = sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (error < 0) return fail(error, "ambient");
  error = sys(__NR_capset, &header, data);
  if (error < 0) return fail(error, "capset");
  for (int capability = 0; capability <= kLastCapability; capability++) {
    if (!in_set(op.ambient, capability)) continue;
    error = sys(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
    if (error < 0) return fail(error, "ambient");
  }
  return static_cast<int>(sys(__NR_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0));
}

int run(const NoNewPrivilegesOp&) { return static_cast<int>(sys(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

}  // namespace tsrun
