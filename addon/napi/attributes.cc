// Attributes of processes that the runtime sets from outside: scheduling, I/O priority, CPU affinity.
#include <linux/ioprio.h>

#include "../common/syscall.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// struct sched_attr of sched_setattr(2), which libc does not declare.
struct SchedAttr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;  // nanoseconds, like the two below
  uint64_t deadline;
  uint64_t period;
  uint32_t util_min;  // Linux 5.3; older kernels accept them as long as they are 0
  uint32_t util_max;
};
static_assert(sizeof(SchedAttr) == 56, "SCHED_ATTR_SIZE_VER1");

}  // namespace

Napi::Value js_set_scheduler(const Napi::CallbackInfo& info) {
  SetSchedulerArguments arguments(info);
  const SchedulerAttributes& wanted = arguments.attributes;
  SchedAttr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.policy = static_cast<uint32_t>(wanted.policy);
  attributes.flags = static_cast<uint64_t>(wanted.flags);
  attributes.nice = wanted.nice;
  attributes.priority = static_cast<uint32_t>(wanted.priority);
  attributes.runtime = wanted.runtime;
  attributes.deadline = wanted.deadline;
  attributes.period = wanted.period;
  long error = sys(__NR_sched_setattr, arguments.pid, &attributes, 0);
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "sched_setattr");
  return info.Env().Undefined();
}

Napi::Value js_set_io_priority(const Napi::CallbackInfo& info) {
  SetIoPriorityArguments arguments(info);
  long error = sys(__NR_ioprio_set, IOPRIO_WHO_PROCESS, arguments.pid, arguments.value);
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "ioprio_set");
  return info.Env().Undefined();
}

// For the calling thread, which is the one that clones.
Napi::Value js_set_own_cpu_affinity(const Napi::CallbackInfo& info) {
  SetOwnCpuAffinityArguments arguments(info);
  Napi::BigUint64Array mask = arguments.mask;
  long error = sys(__NR_sched_setaffinity, 0, mask.ByteLength(), mask.Data());
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "sched_setaffinity");
  return info.Env().Undefined();
}

}  // namespace tsrun
