// Between JS and plain values: arguments in, numbers and buffers out, errno as a JS error.
#pragma once
#include <napi.h>

#include <cerrno>
#include <string>
#include <vector>

namespace tsrun {

// Throws a JS Error { code: 'EPERM', errno: 1, syscall, path? } and returns undefined.
Napi::Value throw_errno(Napi::Env env, int error, const char* syscall, const std::string& path = "");

// Calls `use` with each item of an array. A list of config.json may be long, and each value that C++ looks at takes a
// handle until its scope ends.
template <typename Use>
void each_of(const Napi::Array& array, Use use) {
  for (uint32_t i = 0, length = array.Length(); i < length; i++) {
    Napi::HandleScope scope(array.Env());
    use(array.Get(i));
  }
}

// argv or envp: pointers into the strings, NULL at the end.
std::vector<char*> pointers(std::vector<std::string>& strings);

// Closes on scope exit.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(-1); }
  int get() const { return fd_; }
  int release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd);

 private:
  int fd_;
};

}  // namespace tsrun
