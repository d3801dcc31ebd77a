// Options of filesystems: whether one accepts them, without making one; and others for one that is mounted.
#include <fcntl.h>
#include <linux/mount.h>
#include <unistd.h>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// What the kernel says of the last fsconfig: `e tmpfs: Unknown parameter 'x'`, without its first two characters.
std::string words_of(int context) {
  char line[512];
  ssize_t got = read(context, line, sizeof(line));
  if (got <= 2) return "";
  std::string words(line + 2, static_cast<size_t>(got - 2));
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

long configure(int context, const std::string& parameter) {
  size_t equals = parameter.find('=');
  if (equals == std::string::npos) {
    return sys(__NR_fsconfig, context, FSCONFIG_SET_FLAG, parameter.c_str(), nullptr, 0);
  }
  std::string key = parameter.substr(0, equals), value = parameter.substr(equals + 1);
  return sys(__NR_fsconfig, context, FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
}

}  // namespace

// Nothing is created in the context, and it goes with its descriptor.
Napi::Value js_try_filesystem(const Napi::CallbackInfo& info) {
  TryFilesystemArguments arguments(info);
  Napi::Env env = info.Env();
  long opened = sys(__NR_fsopen, arguments.type.c_str(), FSOPEN_CLOEXEC);
  if (opened < 0) return throw_errno(env, static_cast<int>(-opened), "fsopen", arguments.type);
  UniqueFd context(static_cast<int>(opened));
  Napi::Array results = Napi::Array::New(env);
  for (const std::string& parameter : arguments.parameters) {
    Napi::HandleScope scope(env);
    long error = configure(context.get(), parameter);
    OptionVerdict verdict = {static_cast<double>(-error), error < 0 ? words_of(context.get()) : std::string()};
    results.Set(results.Length(), verdict.to_js(env));
  }
  return results;
}

Napi::Value js_reconfigure_filesystem(const Napi::CallbackInfo& info) {
  ReconfigureFilesystemArguments arguments(info);
  Napi::Env env = info.Env();
  long picked = sys(__NR_fspick, AT_FDCWD, arguments.path.c_str(), FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
  if (picked < 0) return throw_errno(env, static_cast<int>(-picked), "fspick", arguments.path);
  UniqueFd context(static_cast<int>(picked));
  for (const std::string& parameter : arguments.parameters) {
    long error = configure(context.get(), parameter);
    if (error < 0) return throw_errno(env, static_cast<int>(-error), "fsconfig", parameter);
  }
  long error = sys(__NR_fsconfig, context.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0);
  if (error < 0) return throw_errno(env, static_cast<int>(-error), "fsconfig", arguments.path);
  return env.Undefined();
}

}  // namespace tsrun
