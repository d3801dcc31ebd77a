// Entering a mount namespace of the kernel's own with a single mount, and copying that one (small_mounts.h).
#include <linux/sched.h>

#include "host_mounts.h"
#include "mount_api.h"
#include "ops.h"
#include "path.h"
#include "small_mounts.h"

namespace tsrun {

namespace {

constexpr uint64_t kMsPrivate = 1 << 18, kMsSlave = 1 << 19;

// By the op's index in the plan: a descriptor, a negative errno, or kNotOpened.
int* trees;

template <typename Visit>
void each_clone_tree(Visit visit) {
  const PlanHeader* plan = reinterpret_cast<const PlanHeader*>(ctx.plan);
  const char* at = reinterpret_cast<const char*>(plan + 1);
  for (uint32_t i = 0; i < plan->op_count; i++) {
    const OpHeader* op = reinterpret_cast<const OpHeader*>(at);
    at += op->size;
    if (op->opcode == static_cast<uint32_t>(Opcode::kCloneTree) && !visit(*op)) return;
  }
}

// What is mounted in it must not appear on the host, and what the host mounts there may appear in it, as in a copy of
// the whole namespace.
long open_slave(const char* path, bool no_follow, bool recursive) {
  Fd tree(clone_path(path, recursive, no_follow));
  int error = tree.ok() ? set_attributes(tree.get(), true, 0, 0, kMsSlave) : tree.error();
  return error < 0 ? error : tree.release();
}

// False if there cannot be as many descriptors, or no memory. Other errors are for the op itself.
bool open_trees() {
  bool whole = true;
  each_clone_tree([&whole](const OpHeader& op) {
    const CloneTreeOp& wanted = *reinterpret_cast<const CloneTreeOp*>(&op + 1);
    if (wanted.tree >= 0) return true;
    if (trees == nullptr) {
      trees = static_cast<int*>(map_pages(reinterpret_cast<const PlanHeader*>(ctx.plan)->plan_length * sizeof(int)));
    }
    whole = trees != nullptr;
    if (!whole) return false;
    int tree = static_cast<int>(open_slave(text(wanted.source), wanted.no_follow, wanted.recursive));
    whole = tree != -EMFILE && tree != -ENFILE;
    if (whole) trees[op.index] = tree;
    return whole;
  });
  return whole;
}

void close_trees() {
  if (trees == nullptr) return;
  each_clone_tree([](const OpHeader& op) {
    if (trees[op.index] > 0) close_fd(trees[op.index]);
    return true;
  });
  trees = nullptr;
}

// The usual way: all of the host's mounts.
int copy_host_mounts(const EnterSmallMountsOp& op) {
  close_trees();
  long error = sys(__NR_unshare, CLONE_NEWNS);
  if (error == 0) error = set_propagation(true, kMsSlave);
  if (error < 0) return static_cast<int>(error);
  BindRootfsOp bind = {};
  bind.path = op.path;
  bind.propagation = op.propagation;
  bind.tree = -1;
  return run(bind);
}

}  // namespace

long opened_tree() {
  if (trees == nullptr) return kNotOpened;
  int tree = trees[ctx.op_index];
  trees[ctx.op_index] = kNotOpened;
  return tree;
}

int run(const EnterSmallMountsOp& op) {
  Fd space(op.namespace_fd);
  if (!space.ok() || !open_trees()) return copy_host_mounts(op);
  Fd tree(open_slave(text(op.path), false, true));
  if (!tree.ok()) return fail(tree.error(), text(op.path));
  long error = op.propagation == 0 ? 0 : set_attributes(tree.get(), false, 0, 0, op.propagation);
  if (error < 0) return fail(error, text(op.path));
  if (sys(__NR_setns, space.get(), CLONE_NEWNS) < 0) return copy_host_mounts(op);
  error = sys(__NR_unshare, CLONE_NEWNS);
  // Nobody else is in this namespace; but what is mounted here must stay here, whatever it is a copy of.
  if (error == 0) error = set_propagation(true, kMsPrivate);
  if (error < 0) return static_cast<int>(error);
  Fd root(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0));
  error = root.ok() ? attach(tree.get(), root.get()) : root.error();
  if (error < 0) return fail(error, "/");
  ctx.old_root_fd = root.release();
  ctx.root_fd = tree.release();
  return 0;
}

}  // namespace tsrun
