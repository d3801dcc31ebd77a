// The last steps: where the program runs, which file it is, the wait for start, and execve.
#include <sys/stat.h>

#include "held_mounts.h"
#include "ops.h"
#include "passwd.h"
#include "path.h"

namespace tsrun {

namespace {

constexpr int kExecutable = 1;  // X_OK

int enter(const char* path) {
  Fd directory(open_in_root(path, O_PATH | O_DIRECTORY));
  if (!directory.ok()) return directory.error();
  long error = sys(__NR_fchdir, directory.get());
  if (error < 0) return fail(error, path);
  char where[kPathMax];
  long size = sys(__NR_getcwd, where, sizeof(where));
  // For a directory outside the root, getcwd(2) gives "(unreachable)/…" (CVE-2024-21626).
  if (size < 0 || where[0] != '/') return fail(size < 0 ? size : -EPERM, path);
  return 0;
}

int executable(const char* path) {
  struct statx status = {};
  long error = sys(__NR_statx, AT_FDCWD, path, 0, STATX_TYPE, &status);
  if (error < 0) return static_cast<int>(error);
  if ((status.stx_mode & S_IFMT) == S_IFDIR) return -EISDIR;
  if ((status.stx_mode & S_IFMT) != S_IFREG) return -EACCES;
  // Not access(2), which checks with the real IDs and without capabilities; execve checks with the effective ones.
  return static_cast<int>(sys(__NR_faccessat2, AT_FDCWD, path, kExecutable, AT_EACCESS));
}

int found(const char* path) {
  if (!copy(ctx.program, sizeof(ctx.program), path)) return fail(-ENAMETOOLONG, path);
  ctx.has_program = true;
  return 0;
}

// Joins the next directory of a PATH and the name; an empty entry is the working directory (exec(3)).
const char* next_candidate(const char* path, const char* name, char* candidate, bool* fits) {
  size_t size = 0;
  while (path[size] != 0 && path[size] != ':') size++;
  candidate[0] = 0;
  *fits = size + length(name) + 2 < kPathMax;
  if (*fits) {
    memcpy(candidate, path, size);
    candidate[size] = 0;
    append(candidate, kPathMax, size == 0 ? "./" : "/");
    append(candidate, kPathMax, name);
  }
  return path[size] == 0 ? nullptr : path + size + 1;
}

// Waits until a start takes the container over: 0 or a negative errno.
int accept_start(int socket, bool again, int* trace) {
  constexpr int kCloexec = 02000000;
  close_fd(ctx.sync_fd);
  for (Word word = Word::kWaitOn; word != Word::kGo;) {
    long connection;
    do {
      connection = sys(__NR_accept4, socket, nullptr, nullptr, kCloexec);
    } while (connection == -EINTR || connection == -ECONNABORTED);
    if (connection < 0) return static_cast<int>(connection);
    // From here on start is the runtime. It unlinks the socket before it lets us go on, so that nobody sees a running
    // container that seems to wait. A start that cannot do so tells us to wait for another.
    ctx.report_fd = ctx.sync_fd = static_cast<int>(connection);
    ctx.detail[0] = 0;
    // A start with --trace wants the times of the ops that are left.
    word = send(kSync, 0, 0) < 0 ? Word::kGone : await_start(trace);
    if (word == Word::kGone && !again) quit(1);
    if (word != Word::kGo) close_fd(static_cast<int>(connection));
  }
  close_fd(socket);
  return 0;
}

}  // namespace

void close_setup() {
  int* setup[] = {&ctx.root_fd, &ctx.proc_fd, &ctx.null_fd, &ctx.mask_fd, &ctx.mount_fd};
  for (int* fd : setup) {
    if (*fd >= 0) close_fd(*fd);
    *fd = -1;
  }
  for (uint64_t i = 0; i < ctx.kept_count; i++) {
    if (ctx.kept_mounts[i] != 0) close_fd(ctx.kept_mounts[i]);
  }
  ctx.kept_count = 0;
  close_held();
}

int run(const EnterCwdOp& op) {
  const char* path = text(op.path);
  Fd made(op.make ? make_directories(path) : open_in_root(path, O_PATH | O_DIRECTORY));
  // EACCES: a directory may be closed to root and open to the container's user (NFS with root squash).
  if (made.error() == -EACCES) {
    ctx.cwd_pending = true;
    copy(ctx.cwd, sizeof(ctx.cwd), path);
    return 0;
  }
  if (!made.ok()) return made.error();
  return enter(path);
}

int run(const FindProgramOp& op) {
  if (ctx.cwd_pending) {
    int error = enter(ctx.cwd);
    if (error < 0) return error;
  }
  const char* name = text(op.name);
  bool is_path = false;
  for (const char* at = name; *at != 0; at++) is_path = is_path || *at == '/';
  if (is_path) {
    int error = executable(name);
    return error < 0 ? fail(error, name) : found(name);
  }
  const char* path = text(op.path);
  int worst = -ENOENT;
  char candidate[kPathMax];
  while (path != nullptr && name[0] != 0) {
    bool fits;
    path = next_candidate(path, name, candidate, &fits);
    if (!fits) continue;
    int error = executable(candidate);
    if (error == 0) return found(candidate);
    if (error == -EACCES || error == -EISDIR) worst = -EACCES;
  }
  return fail(worst, name);
}

int run(const DefaultHomeOp& op) {
  copy(ctx.home, sizeof(ctx.home), "HOME=");
  int there = home_of(ctx.has_user ? ctx.user : op.uid, ctx.home + 5, sizeof(ctx.home) - 5);
  if (there < 0) return there;
  if (there == 0) copy(ctx.home + 5, sizeof(ctx.home) - 5, "/");
  ctx.has_home = true;
  ctx.detail[0] = 0;
  return 0;
}

int run(const WaitStartOp& op) {
  int socket = static_cast<int>(op.socket), trace = -1;
  close_setup();
  if (socket >= 0) {
    int error = accept_start(socket, op.again != 0, &trace);
    if (error < 0) return error;
  } else {
    // The command that has created the container also starts it. Nobody else can, so if it is gone, init ends.
    ctx.detail[0] = 0;
    if (await_start(&trace) != Word::kGo) quit(1);
  }
  if (trace >= 0) {
    map_trace(trace);
    close_fd(trace);
  }
  return 0;
}

int run(const PrepareExecOp& op) {
  uint32_t env_count = op.env.count + (ctx.has_home ? 1 : 0);
  size_t size = (op.args.count + env_count + 2) * sizeof(char*);
  const char** pointers = static_cast<const char**>(map_pages(size));
  if (pointers == nullptr) return -ENOMEM;
  ctx.arguments = pointers;
  for (uint32_t i = 0; i < op.args.count; i++) *pointers++ = text(strings(op.args)[i]);
  *pointers++ = nullptr;
  ctx.environment = pointers;
  for (uint32_t i = 0; i < op.env.count; i++) *pointers++ = text(strings(op.env)[i]);
  if (ctx.has_home) *pointers++ = ctx.home;
  *pointers = nullptr;
  // Only stdio and the preserved descriptors may reach the program.
  for (uint64_t fd = 3; fd < 3 + op.preserve_fds; fd++) sys(__NR_fcntl, fd, F_SETFD, 0);
  long error = sys(__NR_close_range, 3 + op.preserve_fds, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
  if (error < 0) return static_cast<int>(error);
  // From here on a closed socket means that the program runs. A container goes on without its start command; a process
  // of exec does not, because nobody would know of it.
  // With the private procfs, which only a process of exec has kept: closing the last descriptor waits for RCU, and
  // execve would wait for that.
  if (send(kStarted, 0, 0, ctx.proc_fd) < 0 && ctx.report_fd == ctx.sync_fd) quit(1);
  return 0;
}

int run(const ExecOp&) { return fail(sys(__NR_execve, ctx.program, ctx.arguments, ctx.environment), ctx.program); }

}  // namespace tsrun
