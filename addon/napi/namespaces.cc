// Namespaces by descriptor.
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "functions.h"

namespace tsrun {

// namespaceType(fd) -> CLONE_NEW* flag
Napi::Value namespace_type(const Napi::CallbackInfo& info) {
  int type = ioctl(int_at(info, 0), NS_GET_NSTYPE);
  if (type < 0) return throw_errno(info.Env(), errno, "ioctl NS_GET_NSTYPE");
  return Napi::Number::New(info.Env(), type);
}

}  // namespace tsrun
