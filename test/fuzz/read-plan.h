// Reads everything that init would read of a plan that PlanCheck accepts; a sanitizer ends it at the first byte
// outside.
#pragma once
#include <cstring>

#include "../../addon/common/plan_check.h"

namespace tsrun {

// Reads only the first and last byte: with overlapping strings, reading all would take for ever.
inline uint64_t read_bytes(const char* plan, uint64_t offset, uint64_t size) {
  return size == 0 ? 0 : uint64_t{static_cast<unsigned char>(plan[offset])} + plan[offset + size - 1];
}

// Includes the NUL at its end.
inline uint64_t read_string(const char* plan, const Str& value) {
  return value.offset == kAbsent ? 0 : read_bytes(plan, value.offset, uint64_t{value.length} + 1);
}

// Reads the fields as the ops do.
inline uint64_t read_all(const char* plan) {
  uint64_t sum = 0;
  const PlanHeader& header = *reinterpret_cast<const PlanHeader*>(plan);
  const char* at = plan + sizeof(PlanHeader);
  for (uint32_t i = 0; i < header.op_count; i++) {
    const OpHeader& op = *reinterpret_cast<const OpHeader*>(at);
    const char* field = at + sizeof(OpHeader);
    for (const char* kind = op.opcode == kSyncOpcode ? "" : kShapes[op.opcode]; *kind != 0; kind++, field += 8) {
      const Str& value = *reinterpret_cast<const Str*>(field);
      if (*kind == 's' || *kind == 'o') sum += read_string(plan, value);
      if (*kind == 'b') sum += read_bytes(plan, value.offset, value.length);
      if (*kind == 'n') sum += read_bytes(plan, value.offset, uint64_t{value.length} * 8);
      for (uint32_t item = 0; *kind == 'l' && item < value.length; item++) {
        sum += read_string(plan, reinterpret_cast<const Str*>(plan + value.offset)[item]);
      }
      sum += *reinterpret_cast<const uint64_t*>(field);
    }
    at += op.size;
  }
  return sum;
}

}  // namespace tsrun
