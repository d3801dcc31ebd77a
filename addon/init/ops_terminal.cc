// The container's terminal.
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/openat2.h>

#include "mount_api.h"
#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

constexpr long kDevptsMagic = 0x1cd1;

struct WindowSize {
  unsigned short rows, columns, x_pixels, y_pixels;
};

// Opens the multiplexer of the container's devpts. The filesystem is checked first: merely opening a device that the
// container has put there could have an effect.
long open_multiplexer() {
  constexpr const char* path = "/dev/pts/ptmx";
  Fd directory(open_in_root("/dev/pts", O_PATH | O_DIRECTORY));
  if (!directory.ok()) return directory.error();
  if (filesystem_of(directory.get()) != kDevptsMagic) return fail(-ENODEV, "/dev/pts is no devpts");
  // No link or mount may lead to a file of another filesystem either.
  Fd master(open_at(directory.get(), "ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS));
  if (!master.ok()) return fail(master.error(), path);
  int unlocked = 0;
  long error = sys(__NR_ioctl, master.get(), TIOCSPTLCK, &unlocked);
  return error < 0 ? fail(error, path) : master.release();
}

int name_slave(int master) {
  unsigned number = 0;
  char digits[24];
  long error = sys(__NR_ioctl, master, TIOCGPTN, &number);
  if (error < 0) return fail(error, "TIOCGPTN");
  copy(ctx.detail, sizeof(ctx.detail), "/dev/pts/");
  append(ctx.detail, sizeof(ctx.detail), decimal(digits, number));
  return 0;
}

int bind_console(int slave) {
  Fd target(make_file("/dev/console"));
  if (!target.ok()) return target.error();
  Fd tree(clone_tree(slave, false));
  if (!tree.ok()) return fail(tree.error(), "/dev/console");
  int error = attach(tree.get(), target.get());
  return error < 0 ? fail(error, "/dev/console") : 0;
}

int become_stdio(int slave) {
  long error = sys(__NR_ioctl, slave, TIOCSCTTY, 0);
  if (error < 0) return fail(error, "controlling terminal");
  for (int fd = 0; fd < 3; fd++) {
    error = sys(__NR_dup3, slave, fd, 0);
    if (error < 0) return static_cast<int>(error);
  }
  return 0;
}

}  // namespace

int run(const MakeConsoleOp& op) {
  Fd master(open_multiplexer());
  if (!master.ok()) return master.error();
  // Through the master, never by the slave's name: the container could have put a symlink there.
  Fd slave(sys(__NR_ioctl, master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave.ok()) return fail(slave.error(), "TIOCGPTPEER");
  WindowSize size = {static_cast<unsigned short>(op.height), static_cast<unsigned short>(op.width), 0, 0};
  // The program may ask for the size before the runtime copies it from the caller's terminal.
  if (op.width == 0 || op.height == 0) sys(__NR_ioctl, 0, TIOCGWINSZ, &size);
  if (size.rows != 0 && size.columns != 0) sys(__NR_ioctl, slave.get(), TIOCSWINSZ, &size);
  long error = sys(__NR_fchown, slave.get(), op.uid, op.gid);
  if (error < 0) return fail(error, "terminal");
  if (op.bind_console) {
    error = bind_console(slave.get());
    if (error < 0) return static_cast<int>(error);
  }
  error = name_slave(master.get());
  if (error < 0) return static_cast<int>(error);
  error = send(kDescriptor, 0, 0, master.get());
  if (error < 0) return static_cast<int>(error);
  return become_stdio(slave.get());
}

}  // namespace tsrun
