#include "path.h"

#include <linux/openat2.h>
#include <sys/stat.h>

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

long open_in_root(const char* path, uint64_t flags) {
  long fd = open_at(ctx.root_fd, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
  if (fd < 0) fail(fd, path);
  return fd;
}

namespace {

// Opens one component below a directory that lookup of the prefix already reached; makes it when it is missing.
long step(const char* prefix, int parent_fd, const char* name, uint32_t mode) {
  long fd = open_in_root(prefix, O_PATH | O_DIRECTORY);
  if (fd != -ENOENT || equal(name, "..")) return fd;
  long made = sys(__NR_mkdirat, parent_fd, name, mode);
  // EEXIST: somebody else made it, or a dangling symlink stands there, which the second lookup tells.
  if (made < 0 && made != -EEXIST) return fail(made, prefix);
  return open_in_root(prefix, O_PATH | O_DIRECTORY);
}

}  // namespace

long make_directories(const char* path, uint32_t mode) {
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
    long next = step(prefix, parent.get(), name, mode);
    if (next < 0) return next;
    parent.reset(next);
  }
  return parent.release();
}

long open_parent(const char* path, const char** name) {
  size_t end = length(path);
  while (end > 0 && path[end - 1] != '/') end--;
  *name = path + end;
  if (**name == 0 || equal(*name, ".") || equal(*name, "..")) return fail(-EINVAL, path);
  char parent[kPathMax];
  if (!copy(parent, sizeof(parent), path)) return fail(-ENAMETOOLONG, path);
  parent[end] = 0;
  return make_directories(end == 0 ? "/" : parent);
}

long make_file(const char* path) {
  long existing = open_in_root(path, O_PATH);
  if (existing != -ENOENT) return existing;
  const char* name;
  Fd parent(open_parent(path, &name));
  if (!parent.ok()) return parent.error();
  Fd made(open_at(parent.get(), name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY, 0, 0644));
  if (!made.ok() && made.error() != -EEXIST) return fail(made.error(), path);
  return open_in_root(path, O_PATH);
}

}  // namespace tsrun
