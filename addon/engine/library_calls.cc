#include "library_calls.h"

#include <fcntl.h>
#include <napi.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "../generated/functions.h"
#include "../napi/sealed_image.h"
#include "arena.h"

extern "C" const char tsrun_libraries_image[];
extern "C" const char tsrun_libraries_image_end[];

namespace tsrun {

namespace {

JSValue request_of(JSContext* context, const char* name, const Napi::CallbackInfo& info) {
  JSValue arguments = JS_NewArray(context);
  for (size_t i = 0; i < info.Length(); i++) {
    JSValue argument = JS_DupValue(context, value_of(info[i]));
    JS_SetPropertyUint32(context, arguments, static_cast<uint32_t>(i), argument);
  }
  JSValue request = JS_NewArray(context);
  JS_SetPropertyUint32(context, request, 0, JS_NewString(context, name));
  JS_SetPropertyUint32(context, request, 1, arguments);
  return request;
}

// The environment without the variables that make the dynamic linker load other code.
std::vector<char*> safe_environment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; variable++) {
    if (strncmp(*variable, "LD_", 3) != 0) variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

// The server's memory file becomes descriptor 3, so /proc/self/fd/3 names it; no other descriptor of ours stays open
// there.
int spawn_server(int image, int in, int out, int words, pid_t* pid) {
  constexpr int kImage = 3;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, image, kImage);
  posix_spawn_file_actions_addclosefrom_np(&actions, kImage + 1);
  // Signals are for the command to handle: when it ends, the server ends too.
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  char name[] = "tsrun-libraries";
  char* arguments[] = {name, nullptr};
  std::vector<char*> environment = safe_environment();
  int failure = posix_spawn(pid, "/proc/self/fd/3", &actions, &attributes, arguments, environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return failure;
}

// A host without the GNU dynamic linker, because it has another libc, has no such libraries either.
int spawn_failure(int error) {
  bool exhausted = error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
  return exhausted ? error : ELIBACC;
}

// What the dynamic linker wrote when it refused the server: it does so if the libc is older than the builder's.
std::string words_in(int fd) {
  char text[512];
  ssize_t size = pread(fd, text, sizeof(text), 0);
  std::string words(text, size > 0 ? static_cast<size_t>(size) : 0);
  return words.substr(0, words.find('\n'));
}

// Gets the server's answer. Returns 0 or an errno: ELIBACC if the server cannot be started here, with the reason as the
// answer.
int ask(const uint8_t* request, size_t size, std::string* answer) {
  size_t image_size = static_cast<size_t>(tsrun_libraries_image_end - tsrun_libraries_image);
  UniqueFd image(sealed_image("tsrun-libraries", tsrun_libraries_image, image_size));
  if (image.get() < 0) return errno;
  UniqueFd words(memfd_create("tsrun-libraries-words", MFD_CLOEXEC));
  if (words.get() < 0) return errno;
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return errno;
  UniqueFd in_read(in[0]), in_write(in[1]);
  if (pipe2(out, O_CLOEXEC) != 0) return errno;
  UniqueFd out_read(out[0]), out_write(out[1]);
  pid_t pid = -1;
  int failure = spawn_server(image.get(), in[0], out[1], words.get(), &pid);
  if (failure != 0) {
    *answer = "there is no dynamic linker of the GNU C library";
    return spawn_failure(failure);
  }
  in_read.reset(-1);
  out_write.reset(-1);
  // The server reads everything before it writes. If it ends early, the answer is missing, which is seen below.
  write_whole(in[1], request, size);
  in_write.reset(-1);
  bool read = read_to_end(out[0], answer);
  int error = errno, status = 0;
  // The server must not wait for a reader that waits for the server's end.
  out_read.reset(-1);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!read) return error;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  *answer = words_in(words.get());
  return answer->empty() ? EPIPE : ELIBACC;
}

Napi::Value rethrow(Napi::Env env, JSContext* context, JSValue properties) {
  JSValue error = JS_NewError(context);
  for (const char* name : kErrorProperties) {
    JSValue value = JS_GetPropertyStr(context, properties, name);
    if (!JS_IsUndefined(value)) JS_SetPropertyStr(context, error, name, value);
  }
  JS_FreeValue(context, properties);
  napi_env raw = env;
  napi_throw(raw, raw->handle(error));
  return env.Undefined();
}

Napi::Value call(const Napi::CallbackInfo& info, const char* name) {
  napi_env env = info.Env();
  JSContext* context = env->context;
  JSValue request = request_of(context, name, info);
  size_t size = 0;
  uint8_t* bytes = JS_WriteObject(context, &size, request, 0);
  JS_FreeValue(context, request);
  if (bytes == nullptr) return throw_errno(env, EINVAL, name);
  std::string text;
  int error = ask(bytes, size, &text);
  js_free(context, bytes);
  if (error != 0)
    return throw_errno(env, error, error == ELIBACC ? "dlopen" : "tsrun-libraries", error == ELIBACC ? text : name);
  JSValue answer = JS_ReadObject(context, reinterpret_cast<const uint8_t*>(text.data()), text.size(), 0);
  if (JS_IsException(answer)) {
    // Where SIGCHLD is ignored, this is the only sign that the server was killed before it answered.
    JS_FreeValue(context, JS_GetException(context));
    return throw_errno(env, EPIPE, "tsrun-libraries", name);
  }
  JSValue value = JS_GetPropertyUint32(context, answer, 1);
  bool done = JS_ToBool(context, JS_GetPropertyUint32(context, answer, 0)) == 1;
  JS_FreeValue(context, answer);
  return done ? Napi::Value(env, env->handle(value)) : rethrow(env, context, value);
}

}  // namespace

#define TSRUN_CALL(name, function) \
  Napi::Value function(const Napi::CallbackInfo& info) { return call(info, #name); }
TSRUN_LIBRARY_FUNCTIONS(TSRUN_CALL)
#undef TSRUN_CALL

}  // namespace tsrun
