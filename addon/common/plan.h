// The encoded Plan as tsrun-init maps it: a header, then ops of 8-byte slots, then the strings they point to. The
// encoder is addon/napi/plan.cc. Both follow schemas/ops.json, by way of addon/generated.
#pragma once
#include <cstdint>

namespace tsrun {

constexpr uint32_t kPlanMagic = 0x6e727374;  // "tsrn"
constexpr uint32_t kAbsent = 0xffffffff;

// A NUL-terminated string (or bytes) at an offset from the start of the plan; offset kAbsent: none.
struct Str {
  uint32_t offset;
  uint32_t length;
};

// An array of Str or of uint64_t at an 8-aligned offset.
struct List {
  uint32_t offset;
  uint32_t count;
};

struct PlanHeader {
  uint32_t magic;
  uint32_t layout_hash;
  uint32_t op_count;
  uint32_t size;
  int32_t trace_fd;  // shared memory for two timestamps per op, or -1
  uint32_t plan_length;
};

struct OpHeader {
  uint32_t opcode;  // Opcode, or kSyncOpcode
  uint32_t index;   // position in the whole Plan, which also holds the runtime's ops
  uint32_t size;    // of header and fields, in bytes
  uint32_t reserved;
};

// Not in the op table: the encoder puts one wherever the runtime's ops come next in the Plan.
constexpr uint32_t kSyncOpcode = 0;

}  // namespace tsrun
