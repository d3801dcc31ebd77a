// Namespaces by descriptor.
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "../generated/functions.h"

namespace tsrun {

Napi::Value js_namespace_type(const Napi::CallbackInfo& info) {
  NamespaceTypeArguments arguments(info);
  int type = ioctl(arguments.fd, NS_GET_NSTYPE);
  if (type < 0) return throw_errno(info.Env(), errno, "ioctl NS_GET_NSTYPE");
  return Napi::Number::New(info.Env(), type);
}

}  // namespace tsrun
