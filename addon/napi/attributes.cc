// Attributes of processes that the runtime sets from outside: scheduling, I/O priority, CPU affinity.
#include <linux/ioprio.h>

#include "../common/syscall.h"
#include "functions.h"

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
  uint32_t util_min;  // Linux 5.3; older kernels take them as long as they are 0
  uint32_t util_max;
};
static_assert(sizeof(SchedAttr) == 56, "SCHED_ATTR_SIZE_VER1");

uint64_t u64_of(const Napi::Object& object, const char* name) {
  bool lossless;
  return object.Get(name).As<Napi::BigInt>().Uint64Value(&lossless);
}

}  // namespace

// setScheduler(pid, { policy, flags, nice, priority, runtime, deadline, period }); the last three are bigints
Napi::Value set_scheduler(const Napi::CallbackInfo& info) {
  Napi::Object options = info[1].As<Napi::Object>();
  SchedAttr attributes = {};
  attributes.size = sizeof(attributes);
  attributes.policy = static_cast<uint32_t>(number_of(options, "policy"));
  attributes.flags = static_cast<uint64_t>(number_of(options, "flags"));
  attributes.nice = static_cast<int32_t>(number_of(options, "nice"));
  attributes.priority = static_cast<uint32_t>(number_of(options, "priority"));
  attributes.runtime = u64_of(options, "runtime");
  attributes.deadline = u64_of(options, "deadline");
  attributes.period = u64_of(options, "period");
  long error = sys(__NR_sched_setattr, int_at(info, 0), &attributes, 0);
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "sched_setattr");
  return info.Env().Undefined();
}

// setIoPriority(pid, value)
Napi::Value set_io_priority(const Napi::CallbackInfo& info) {
  long error = sys(__NR_ioprio_set, IOPRIO_WHO_PROCESS, int_at(info, 0), int_at(info, 1));
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "ioprio_set");
  return info.Env().Undefined();
}

// setOwnCpuAffinity(mask): of the calling thread, which is the one that clones; words of 64 bits as a BigUint64Array
Napi::Value set_own_cpu_affinity(const Napi::CallbackInfo& info) {
  Napi::BigUint64Array mask = info[0].As<Napi::BigUint64Array>();
  long error = sys(__NR_sched_setaffinity, 0, mask.ByteLength(), mask.Data());
  if (error < 0) return throw_errno(info.Env(), static_cast<int>(-error), "sched_setaffinity");
  return info.Env().Undefined();
}

}  // namespace tsrun
