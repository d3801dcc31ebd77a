#include "path.h"

#include <linux/openat2.h>

#include "held_mounts.h"

namespace tsrun {

long open_at(int dir_fd, const char* path, uint64_t flags, uint64_t resolve, uint64_t mode) {
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  long fd = -EAGAIN;
  // EAGAIN: a rename somewhere on the host raced with a ".." of this lookup; the kernel cannot vouch for the result.
  for (int tries = 0; tries < 128 && (fd == -EAGAIN || fd == -EINTR); tries++) {
    fd = sys(__NR_openat2, dir_fd, path, &how, sizeof(how));
  }
  return fd;
}

long open_in_root(const char* path, uint64_t flags, uint64_t resolve) {
  HeldPlace place;
  long fd = -EXDEV;
  resolve |= RESOLVE_NO_MAGICLINKS;
  if (find_held(path, &place)) fd = open_at(place.fd, place.rest, flags, RESOLVE_BENEATH | resolve);
  // Not held, or a link in the mount leads out of it.
  if (fd == -EXDEV) fd = open_at(ctx.root_fd, path, flags, RESOLVE_IN_ROOT | resolve);
  if (fd < 0) fail(fd, path);
  return fd;
}

namespace {

constexpr long kProcMagic = 0x9fa0;
constexpr int kMaxLinks = 40;  // the kernel's own limit

long make_directories_behind(const char* path, uint32_t mode, int links);

// The target of a dangling symlink; a relative one is joined to the directory that the link is in.
int target_of(int parent_fd, const char* parent, const char* name, char* target) {
  char link[kPathMax];
  long size = sys(__NR_readlinkat, parent_fd, name, link, sizeof(link) - 1);
  if (size < 0) return static_cast<int>(size);
  link[size] = 0;
  if (link[0] == '/') return copy(target, kPathMax, link) ? 0 : -ENAMETOOLONG;
  bool whole = copy(target, kPathMax, parent) && append(target, kPathMax, "/") && append(target, kPathMax, link);
  return whole ? 0 : -ENAMETOOLONG;
}

// Copies the path without its last component.
bool copy_parent(char* to, const char* path) {
  if (!copy(to, kPathMax, path)) return false;
  size_t end = length(to);
  while (end > 0 && to[end - 1] != '/') end--;
  to[end] = 0;
  return true;
}

// Opens the directory `name` below parent_fd, whose whole path is `prefix`, and makes it if it is missing.
long step(const char* prefix, int parent_fd, const char* name, uint32_t mode, int links) {
  long fd = open_in_root(prefix, O_PATH | O_DIRECTORY);
  if (fd != -ENOENT || equal(name, "..")) return fd;
  long made = sys(__NR_mkdirat, parent_fd, name, mode);
  if (made < 0 && made != -EEXIST) return fail(made, prefix);
  fd = open_in_root(prefix, O_PATH | O_DIRECTORY);
  if (fd != -ENOENT) return fd;
  // It is a dangling symlink. Images have such links: /var/run to a /run that does not exist yet.
  char parent[kPathMax], target[kPathMax];
  if (links >= kMaxLinks) return fail(-ELOOP, prefix);
  if (!copy_parent(parent, prefix) || target_of(parent_fd, parent, name, target) < 0) return fail(-ENOENT, prefix);
  return make_directories_behind(target, mode, links + 1);
}

long make_directories_behind(const char* path, uint32_t mode, int links) {
  long existing = open_in_root(path, O_PATH | O_DIRECTORY);
  if (existing != -ENOENT) return existing;
  char prefix[kPathMax] = "";
  char name[256];
  Fd parent(open_in_root("/", O_PATH | O_DIRECTORY));
  if (!parent.ok()) return parent.error();
  while (*path != 0) {
    while (*path == '/') path++;
    size_t size = 0;
    while (path[size] != 0 && path[size] != '/') size++;
    if (size == 0) break;
    if (size >= sizeof(name)) return fail(-ENAMETOOLONG, path);
    memcpy(name, path, size);
    name[size] = 0;
    path += size;
    if (!append(prefix, sizeof(prefix), "/") || !append(prefix, sizeof(prefix), name)) return -ENAMETOOLONG;
    long next = step(prefix, parent.get(), name, mode, links);
    if (next < 0) return next;
    parent.reset(next);
  }
  return parent.release();
}

long make_file_behind(const char* path, int links) {
  long existing = open_in_root(path, O_PATH);
  if (existing != -ENOENT) return existing;
  const char* name;
  Fd parent(open_parent(path, &name));
  if (!parent.ok()) return parent.error();
  Fd made(open_at(parent.get(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY, 0, 0644));
  if (!made.ok() && made.error() != -EEXIST) return fail(made.error(), path);
  long fd = open_in_root(path, O_PATH);
  if (fd != -ENOENT) return fd;
  // /etc/resolv.conf of many images is a symlink to a file that only a running system has.
  char directory[kPathMax], target[kPathMax];
  if (links >= kMaxLinks) return fail(-ELOOP, path);
  if (!copy_parent(directory, path) || target_of(parent.get(), directory, name, target) < 0) return fail(-ENOENT, path);
  return make_file_behind(target, links + 1);
}

}  // namespace

long make_directories(const char* path, uint32_t mode) {
  long existing = open_in_root(path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  ctx.through_link = existing == -ELOOP;
  if (existing != -ELOOP && existing != -ENOENT) return existing;
  return make_directories_behind(path, mode, 0);
}

long make_file(const char* path) { return make_file_behind(path, 0); }

long open_parent(const char* path, const char** name) {
  size_t end = length(path);
  while (end > 0 && path[end - 1] != '/') end--;
  *name = path + end;
  if (**name == 0 || equal(*name, ".") || equal(*name, "..")) return fail(-EINVAL, path);
  char parent[kPathMax];
  if (!copy_parent(parent, path)) return fail(-ENAMETOOLONG, path);
  return make_directories(parent[0] == 0 ? "/" : parent);
}

long real_directory(const char* path) {
  long existing = open_in_root(path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (existing != -ENOENT) return existing;
  Fd made(make_directories(path));
  if (!made.ok()) return made.error();
  return open_in_root(path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
}

int status_of(int fd, struct statx* status) {
  constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_MNT_ID;
  return static_cast<int>(sys(__NR_statx, fd, "", AT_EMPTY_PATH, kWanted, status));
}

bool is_directory(int fd) {
  struct statx status = {};
  return status_of(fd, &status) == 0 && (status.stx_mode & S_IFMT) == S_IFDIR;
}

long filesystem_of(int fd) {
  struct {  // struct statfs of 64-bit kernels
    long type;
    long rest[14];
  } kind = {};
  long error = sys(__NR_fstatfs, fd, &kind);
  return error < 0 ? error : kind.type;
}

bool is_procfs(int fd) { return filesystem_of(fd) == kProcMagic; }

bool on_container_proc(int fd) {
  if (!is_procfs(fd)) return false;
  Fd proc(open_in_root("/proc", O_PATH | O_DIRECTORY));
  struct statx here = {}, there = {};
  if (!proc.ok() || status_of(fd, &here) < 0 || status_of(proc.get(), &there) < 0) return true;
  return here.stx_mnt_id == there.stx_mnt_id;
}

}  // namespace tsrun
