#include "convert.h"

#include <unistd.h>

#include <cstring>

namespace tsrun {

Napi::Value throw_errno(Napi::Env env, int error, const char* syscall, const std::string& path) {
  const char* name = strerrorname_np(error);
  std::string message = std::string(name == nullptr ? "EUNKNOWN" : name) + ": " + strerror(error) + ", " + syscall;
  if (!path.empty()) message += " '" + path + "'";
  Napi::Error failure = Napi::Error::New(env, message);
  failure.Set("code", Napi::String::New(env, name == nullptr ? "EUNKNOWN" : name));
  failure.Set("errno", Napi::Number::New(env, error));
  failure.Set("syscall", Napi::String::New(env, syscall));
  if (!path.empty()) failure.Set("path", Napi::String::New(env, path));
  failure.ThrowAsJavaScriptException();
  return env.Undefined();
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

}  // namespace tsrun
