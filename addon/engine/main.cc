// tsrun as one executable: QuickJS, the addon and the command's bytecode. It reads nothing but its arguments, and no
// variable of the environment makes it run other code.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "../common/caller.h"
#include "host.h"
#include "modules.h"

namespace {

// Only a defect ends here: the command's own failures are words of its own.
int report(JSContext* context) {
  JSValue error = JS_GetException(context);
  const char* text = JS_ToCString(context, error);
  JSValue stack = JS_GetPropertyStr(context, error, "stack");
  const char* where = JS_ToCString(context, stack);
  fprintf(stderr, "tsrun: internal error: %s\n%s", text == nullptr ? "?" : text, where == nullptr ? "" : where);
  return 1;
}

// Of a promise that nobody looks at; QuickJS tells of it, and takes it back when somebody does.
JSValue unhandled = JS_UNINITIALIZED;

void note_rejection(JSContext* context, JSValueConst, JSValueConst reason, JS_BOOL handled, void*) {
  JS_FreeValue(context, unhandled);
  unhandled = handled ? JS_UNINITIALIZED : JS_DupValue(context, reason);
}

// Promises go on as long as there is something to do; nothing here waits for anything else.
bool run_jobs(JSRuntime* runtime) {
  JSContext* context = nullptr;
  int outcome;
  do outcome = JS_ExecutePendingJob(runtime, &context);
  while (outcome > 0);
  return outcome == 0;
}

int exit_code(JSContext* context) {
  JSValue global = JS_GetGlobalObject(context);
  JSValue process = JS_GetPropertyStr(context, global, "process");
  JSValue value = JS_GetPropertyStr(context, process, "exitCode");
  int32_t code = 0;
  JS_ToInt32(context, &code, value);
  return code;
}

int run(int count, char** values) {
  JSRuntime* runtime = JS_NewRuntime();
  JSContext* context = runtime == nullptr ? nullptr : JS_NewContext(runtime);
  if (context == nullptr) {
    fputs("tsrun: no memory\n", stderr);
    return 1;
  }
  // A command ends before a collection could pay for itself.
  JS_SetGCThreshold(runtime, 64 << 20);
  JS_SetHostPromiseRejectionTracker(runtime, note_rejection, nullptr);
  use_image(runtime);
  napi_env__ env;
  env.context = context;
  define_host(&env, count, values);
  // What the command's modules find when they are evaluated must be there before any of them.
  for (const char* name : {"globals.js", "main.js"}) {
    JSValue evaluated = run_module(context, name);
    if (JS_IsException(evaluated) || !run_jobs(runtime)) return report(context);
    if (JS_IsUninitialized(unhandled)) continue;
    JS_Throw(context, unhandled);
    return report(context);
  }
  return exit_code(context);
}

}  // namespace

int main(int count, char** values) {
  remember_caller();
  // A reader or a file that takes no more is an error of write(2), which has words. init gives children the defaults.
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  int code = run(count, values);
  fflush(stderr);
  // The kernel takes the memory back faster than anybody could free it.
  _exit(code);
}
