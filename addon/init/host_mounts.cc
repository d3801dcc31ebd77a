#include "host_mounts.h"

#include <linux/mman.h>
#include <linux/openat2.h>
#include <linux/sched.h>

#include "mount_api.h"
#include "path.h"
#include "procfs.h"

namespace tsrun {

namespace {

constexpr int kMntDetach = 2;
constexpr uint64_t kMsSlave = 1 << 19;

// One line of proc_pid_mountinfo(5).
struct MountLine {
  uint64_t id;
  uint64_t parent;
  const char* root;
  char* mount_point;
  const char* type;
};

// The file's text, NUL-terminated, in pages of its own; nullptr, with ctx.detail set, if it cannot be read.
char* read_mountinfo(size_t* size) {
  Fd file(open_process_file(ctx.proc_fd, "mountinfo", O_RDONLY));
  if (!file.ok()) return nullptr;
  *size = 1 << 16;
  char* buffer = static_cast<char*>(map_pages(*size));
  size_t used = 0;
  while (buffer != nullptr) {
    if (used + 4096 > *size) {
      long moved = sys(__NR_mremap, buffer, *size, *size * 2, MREMAP_MAYMOVE);
      if (moved < 0 && moved > -4096) break;
      buffer = reinterpret_cast<char*>(moved);
      *size *= 2;
    }
    long got = sys(__NR_read, file.get(), buffer + used, *size - used - 1);
    if (got == -EINTR) continue;
    if (got < 0) break;
    used += static_cast<size_t>(got);
    if (got == 0) return buffer;
  }
  if (buffer != nullptr) sys(__NR_munmap, buffer, *size);
  fail(-EIO, "mountinfo");
  return nullptr;
}

// Ends the field at `at` and goes to the next one of the line.
char* next_field(char* at) {
  while (*at != ' ' && *at != 0) at++;
  if (*at != 0) *at++ = 0;
  return at;
}

uint64_t number(const char* digits) {
  uint64_t value = 0;
  for (; *digits >= '0' && *digits <= '9'; digits++) value = value * 10 + static_cast<uint64_t>(*digits - '0');
  return value;
}

// Undoes the kernel's \ooo for blanks and backslashes, in place.
void unescape(char* path) {
  char* to = path;
  for (const char* from = path; *from != 0; to++) {
    bool escaped = from[0] == '\\' && from[1] != 0 && from[2] != 0 && from[3] != 0;
    *to = escaped ? static_cast<char>((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0')) : *from;
    from += escaped ? 4 : 1;
  }
  *to = 0;
}

// Takes the next line apart; `at` goes on to the one after it. False at the end.
bool next_line(char** at, MountLine* line) {
  char* field = *at;
  if (*field == 0) return false;
  char* end = field;
  while (*end != '\n' && *end != 0) end++;
  *at = *end == 0 ? end : end + 1;
  *end = 0;
  line->id = number(field);
  field = next_field(field);
  line->parent = number(field);
  field = next_field(next_field(field));
  line->root = field;
  line->mount_point = field = next_field(field);
  // The optional fields end with a lone dash.
  do {
    field = next_field(field);
  } while (*field != 0 && !starts_with(field, "- "));
  line->type = field = next_field(field);
  next_field(field);
  unescape(line->mount_point);
  return true;
}

// False, which is no error, if the mount is locked and so stays.
bool detach(const char* mount_point) {
  Fd mount(open_at(AT_FDCWD, mount_point, O_PATH, RESOLVE_NO_SYMLINKS));
  // As a slave: otherwise it would be detached on the host as well.
  if (!mount.ok() || set_attributes(mount.get(), true, 0, 0, kMsSlave) < 0) return false;
  return sys(__NR_umount2, mount_point, kMntDetach) == 0;
}

// Of mounts stacked on one another, one pass detaches only the topmost.
long detach_once(uint64_t old_root, uint64_t new_root) {
  size_t size;
  char* text = read_mountinfo(&size);
  if (text == nullptr) return -EIO;
  long detached = 0;
  MountLine line;
  for (char* at = text; next_line(&at, &line);) {
    if (line.parent == old_root && line.id != new_root && line.id != old_root && detach(line.mount_point)) detached++;
  }
  sys(__NR_munmap, text, size);
  return detached;
}

// Mounts an empty directory over that mount. Its number shows whether the path leads to it, and not to a mount on top
// of it or to one of the container's, which may have the same path from its own root.
int cover(const MountLine& line, int empty_fd) {
  Fd target(open_at(AT_FDCWD, line.mount_point, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS));
  if (!target.ok() || mount_id(target.get()) != line.id) return 0;
  Fd tree(clone_tree(empty_fd, false));
  int error = tree.ok() ? attach(tree.get(), target.get()) : tree.error();
  return error < 0 ? fail(error, line.mount_point) : 0;
}

int cover_kernel_filesystems() {
  Filesystem tmpfs = {};
  tmpfs.type = tmpfs.source = "tmpfs";
  tmpfs.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  Fd empty(new_filesystem(tmpfs));
  if (!empty.ok()) return empty.error();
  size_t size;
  char* text = read_mountinfo(&size);
  if (text == nullptr) return -EIO;
  int error = 0;
  MountLine line;
  for (char* at = text; error == 0 && next_line(&at, &line);) {
    bool whole = equal(line.root, "/") && (equal(line.type, "proc") || equal(line.type, "sysfs"));
    if (whole) error = cover(line, empty.get());
  }
  sys(__NR_munmap, text, size);
  return error;
}

}  // namespace

uint64_t mount_id(int fd) {
  struct statx status = {};
  return status_of(fd, &status) < 0 ? 0 : status.stx_mnt_id;
}

void leave_chroot() {
  // Joining its own mount namespace changes only the root and the working directory. Without CAP_SYS_CHROOT it fails,
  // and the root stays as it is.
  Fd self(sys(__NR_pidfd_open, sys(__NR_getpid), 0));
  if (self.ok()) sys(__NR_setns, self.get(), CLONE_NEWNS);
}

int drop_host_mounts(int old_root_fd) {
  uint64_t old_root = mount_id(old_root_fd), new_root = mount_id(ctx.root_fd);
  if (old_root == 0 || new_root == 0) return fail(-EIO, "rootfs");
  long detached;
  do {
    detached = detach_once(old_root, new_root);
  } while (detached > 0);
  return detached < 0 ? static_cast<int>(detached) : cover_kernel_filesystems();
}

}  // namespace tsrun
