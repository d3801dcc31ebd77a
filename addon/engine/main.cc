// tsrun as one executable: QuickJS, the addon and the command, already loaded. It loads no other files, and no
// environment variable makes it run other code.
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

// Half of the process's stack: deeper recursion becomes a JavaScript error and not a crash.
size_t max_stack() {
  constexpr size_t kMost = 4 << 20;
  rlimit limit = {};
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur / 2 > kMost) return kMost;
  return limit.rlim_cur / 2;
}

// The reason of a rejected promise without a handler. QuickJS reports it, and again if it gets a handler later.
JSValue unhandled = JS_UNINITIALIZED;

void note_rejection(JSContext* context, JSValueConst, JSValueConst reason, bool handled, void*) {
  JS_FreeValue(context, unhandled);
  unhandled = handled ? JS_UNINITIALIZED : JS_DupValue(context, reason);
}

// Only a defect leads here: the command reports its own failures itself.
int report(JSContext* context) {
  JSValue error = JS_GetException(context);
  const char* text = JS_ToCString(context, error);
  JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char* where = JS_ToCString(context, stack);
  fprintf(stderr, "tsrun: internal error: %s\n%s", text == nullptr ? "?" : text, where == nullptr ? "" : where);
  return 1;
}

// Runs jobs of promises until there are none: nothing here waits for anything else.
bool run_jobs(JSRuntime* runtime) {
  JSContext* context = nullptr;
  int outcome;
  do outcome = JS_ExecutePendingJob(runtime, &context);
  while (outcome > 0);
  return outcome == 0;
}

// If the caller closed a standard stream, the next descriptor opened here would get its number, and the container would
// inherit it: a way into the host (the class of CVE-2024-21626). Node opens /dev/null, too.
bool open_standard_streams() {
  for (int fd = 0; fd < 3; fd++) {
    // open(2) takes the lowest free number, which is this one.
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

// Calls the global function that src/standalone/entry.ts defined.
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
    // Nobody sees this if stderr is the closed one.
    fprintf(stderr, "tsrun: a standard stream is closed, and /dev/null cannot be opened in its place: %m\n");
    return 1;
  }
  remember_caller();
  // A closed pipe or a file at its size limit then is an error of write(2), which can be reported. Init resets both for
  // the container.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // If the caller ignored it, the kernel would reap children before anybody could ask how they ended.
  signal(SIGCHLD, SIG_DFL);
  int code = run(count, values);
  fflush(stderr);
  // No memory is freed: the kernel does that faster.
  _exit(code);
}
