// tmpcopyup: copies a directory of the image into the new filesystem that will hide it.
#include <sys/stat.h>

#include "ops.h"
#include "path.h"

namespace tsrun {

namespace {

struct DirectoryEntry {  // struct linux_dirent64
  uint64_t inode;
  int64_t next;
  uint16_t size;
  uint8_t type;
  char name[1];
};

// No image has a deeper tree; each level holds two descriptors and a buffer on the stack.
constexpr int kMaxDepth = 256;

int copy_directory(int from, int to, int depth);

int copy_owner(int to, const struct statx& status) {
  return static_cast<int>(sys(__NR_fchownat, to, "", status.stx_uid, status.stx_gid, AT_EMPTY_PATH));
}

int copy_content(int from, int to) {
  constexpr size_t kChunk = 1 << 30;
  for (;;) {
    long copied = sys(__NR_sendfile, to, from, nullptr, kChunk);
    if (copied <= 0) return static_cast<int>(copied);
  }
}

int copy_file(int from_dir, int to_dir, const char* name) {
  // Another container with this rootfs can put a fifo where a file was: O_NONBLOCK does not wait for its writer, and
  // the descriptor shows what it is.
  Fd from(open_at(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0));
  if (!from.ok()) return from.error();
  struct statx status = {};
  int error = status_of(from.get(), &status);
  if (error < 0) return error;
  if ((status.stx_mode & S_IFMT) != S_IFREG) return -ESTALE;
  Fd to(open_at(to_dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0, 0600));
  if (!to.ok()) return to.error();
  error = copy_content(from.get(), to.get());
  if (error == 0) error = copy_owner(to.get(), status);
  // After the owner: chown(2) clears the set-user-ID bit.
  return error < 0 ? error : static_cast<int>(sys(__NR_fchmod, to.get(), status.stx_mode & 07777));
}

int copy_link(int from_dir, int to_dir, const char* name, const struct statx& status) {
  char target[kPathMax];
  long size = sys(__NR_readlinkat, from_dir, name, target, sizeof(target) - 1);
  if (size < 0) return static_cast<int>(size);
  target[size] = 0;
  long error = sys(__NR_symlinkat, target, to_dir, name);
  if (error == 0) error = sys(__NR_fchownat, to_dir, name, status.stx_uid, status.stx_gid, AT_SYMLINK_NOFOLLOW);
  return static_cast<int>(error);
}

int copy_subdirectory(int from_dir, int to_dir, const char* name, const struct statx& status, int depth) {
  long made = sys(__NR_mkdirat, to_dir, name, 0700);
  if (made < 0) return static_cast<int>(made);
  Fd from(open_at(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0));
  Fd to(open_at(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0));
  if (!from.ok() || !to.ok()) return from.ok() ? to.error() : from.error();
  int error = copy_directory(from.get(), to.get(), depth + 1);
  if (error == 0) error = copy_owner(to.get(), status);
  return error < 0 ? error : static_cast<int>(sys(__NR_fchmod, to.get(), status.stx_mode & 07777));
}

// Copies files, directories, symlinks and fifos. An image's device nodes and sockets are of no use elsewhere.
int copy_entry(int from_dir, int to_dir, const char* name, int depth) {
  struct statx status = {};
  constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID;
  long error = sys(__NR_statx, from_dir, name, AT_SYMLINK_NOFOLLOW, kWanted, &status);
  if (error < 0) return static_cast<int>(error);
  switch (status.stx_mode & S_IFMT) {
    case S_IFREG:
      return copy_file(from_dir, to_dir, name);
    case S_IFDIR:
      return copy_subdirectory(from_dir, to_dir, name, status, depth);
    case S_IFLNK:
      return copy_link(from_dir, to_dir, name, status);
    case S_IFIFO:
      return static_cast<int>(sys(__NR_mknodat, to_dir, name, status.stx_mode, 0));
    default:
      return 0;
  }
}

int copy_directory(int from, int to, int depth) {
  if (depth > kMaxDepth) return -ELOOP;
  alignas(DirectoryEntry) char buffer[2048];
  for (;;) {
    long size = sys(__NR_getdents64, from, buffer, sizeof(buffer));
    if (size <= 0) return static_cast<int>(size);
    for (long at = 0; at < size;) {
      const DirectoryEntry* entry = reinterpret_cast<const DirectoryEntry*>(buffer + at);
      at += entry->size;
      if (equal(entry->name, ".") || equal(entry->name, "..")) continue;
      int error = copy_entry(from, to, entry->name, depth);
      if (error < 0) return fail(error, entry->name);
    }
  }
}

}  // namespace

int run(const CopyUpOp& op) {
  Fd from(open_in_root(text(op.destination), O_RDONLY | O_DIRECTORY));
  if (!from.ok()) {
    // The image has nothing there.
    if (from.error() == -ENOENT) ctx.detail[0] = 0;
    return from.error() == -ENOENT ? 0 : from.error();
  }
  Fd to(open_at(ctx.mount_fd, ".", O_RDONLY | O_DIRECTORY, 0));
  if (!to.ok()) return to.error();
  int error = copy_directory(from.get(), to.get(), 0);
  if (error < 0 || !op.owner) return error;
  struct statx status = {};
  error = status_of(from.get(), &status);
  return error < 0 ? error : copy_owner(to.get(), status);
}

}  // namespace tsrun
