// tsrun as one executable: QuickJS, the addon and the command, loaded. It reads nothing but its arguments, and no
// variable of the environment makes it run other code.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "../common/caller.h"
#include "arena.h"
#include "host.h"
#include "snapshot.h"

namespace {

// Half of what there is: deeper recursion is an error of JavaScript's and no crash.
size_t max_stack() {
  constexpr size_t kMost = 4 << 20;
  rlimit limit = {};
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur / 2 > kMost) return kMost;
  return limit.rlim_cur / 2;
}

// Of a promise that nobody looks at; QuickJS tells of it, and takes it back when somebody does.
JSValue unhandled = JS_UNINITIALIZED;

void note_rejection(JSContext* context, JSValueConst, JSValueConst reason, bool handled, void*) {
  JS_FreeValue(context, unhandled);
  unhandled = handled ? JS_UNINITIALIZED : JS_DupValue(context, reason);
}

// Only a defect ends here: the command's own failures are words of its own.
int report(JSContext* context) {
  JSValue error = JS_GetException(context);
  const char* text = JS_ToCString(context, error);
  JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char* where = JS_ToCString(context, stack);
  fprintf(stderr, "tsrun: internal error: %s\n%s", text == nullptr ? "?" : text, where == nullptr ? "" : where);
  return 1;
}

// Promises go on as long as there is something to do; nothing here waits for anything else.
bool run_jobs(JSRuntime* runtime) {
  JSContext* context = nullptr;
  int outcome;
  do outcome = JS_ExecutePendingJob(runtime, &context);
  while (outcome > 0);
  return outcome == 0;
}

// A standard stream that the caller closed would be the number of the next descriptor opened here, and the container
// would get that with its streams: a way into the host (the class of CVE-2024-21626). Node does the same.
bool open_standard_streams() {
  for (int fd = 0; fd < 3; fd++) {
    // The lowest free number is this one.
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

// Starts what src/standalone/entry.ts has left as globals.
int run(int count, char** values) {
  JSRuntime* runtime = engine().runtime;
  JSContext* context = engine().env.context;
  JS_UpdateStackTop(runtime);
  JS_SetMaxStackSize(runtime, max_stack());
  JS_SetHostPromiseRejectionTracker(runtime, note_rejection, nullptr);
  JSValue started = start_command(context, count, values);
  if (JS_IsException(started) || !run_jobs(runtime)) return report(context);
  if (!JS_IsUninitialized(unhandled)) {
    JS_Throw(context, unhandled);
    return report(context);
  }
  if (JS_PromiseState(context, started) == JS_PROMISE_FULFILLED) return exit_code(context);
  fputs("tsrun: internal error: the command waits for something that will not happen\n", stderr);
  return 1;
}

}  // namespace

int main(int count, char** values) {
  if (is_privileged_file()) return refuse_privileged_file();
  if (!engine().complete) return make_snapshot(count, values);
  arena_open();
  if (!open_standard_streams()) {
    // Into the void, if it is stderr that is closed.
    fprintf(stderr, "tsrun: a standard stream is closed, and /dev/null cannot be opened in its place: %m\n");
    return 1;
  }
  remember_caller();
  // A reader or a file that takes no more is an error of write(2), which has words. init gives children the defaults.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // Ignored by the caller, it would have the kernel reap children before anybody could ask how they ended.
  signal(SIGCHLD, SIG_DFL);
  int code = run(count, values);
  fflush(stderr);
  // The kernel takes the memory back faster than anybody could free it.
  _exit(code);
}
