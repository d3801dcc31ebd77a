// Limits of the process, its NUMA policy, CPU affinity and personality.
#include "base.h"
#include "ops.h"

namespace tsrun {

namespace {

struct Rlimit64 {
  uint64_t soft;
  uint64_t hard;
};

constexpr uint64_t kWordBits = 64;

}  // namespace

int run(const RaiseHardLimitOp& op) {
  Rlimit64 limit = {};
  long error = sys(__NR_prlimit64, 0, op.resource, nullptr, &limit);
  if (error < 0) return static_cast<int>(error);
  if (limit.hard >= op.hard) return 0;
  limit.hard = op.hard;
  return static_cast<int>(sys(__NR_prlimit64, 0, op.resource, &limit, nullptr));
}

int run(const SetRlimitOp& op) {
  Rlimit64 limit = {op.soft, op.hard};
  return static_cast<int>(sys(__NR_prlimit64, 0, op.resource, &limit, nullptr));
}

int run(const SetMemoryPolicyOp& op) {
  // The kernel uses one bit less than this number.
  uint64_t bits = op.nodes.count == 0 ? 0 : op.nodes.count * kWordBits + 1;
  const uint64_t* nodes = op.nodes.count == 0 ? nullptr : numbers(op.nodes);
  return static_cast<int>(sys(__NR_set_mempolicy, op.mode, nodes, bits));
}

int run(const SetCpuAffinityOp& op) {
  long error = sys(__NR_sched_setaffinity, 0, op.mask.count * sizeof(uint64_t), numbers(op.mask));
  return error < 0 ? fail(error, text(op.cpus)) : 0;
}

int run(const SetPersonalityOp& op) {
  long before = sys(__NR_personality, op.persona);
  return before < 0 ? static_cast<int>(before) : 0;
}

}  // namespace tsrun
