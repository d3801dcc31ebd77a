// Checks that a plan can be read without leaving its memory. The runtime makes only such plans, but init, which runs as
// the host's root, should not rely on that.
#pragma once
#include "../generated/ops.h"

namespace tsrun {

class PlanCheck {
 public:
  PlanCheck(const char* plan, uint64_t size) : plan_(plan), size_(size) {}

  bool ok() const {
    if (size_ < sizeof(PlanHeader) || size_ > kAbsent) return false;
    const PlanHeader& header = *reinterpret_cast<const PlanHeader*>(plan_);
    if (header.magic != kPlanMagic || header.layout_hash != kLayoutHash || header.size != size_) return false;
    uint64_t at = sizeof(PlanHeader);
    uint64_t next_index = 0;
    for (uint32_t i = 0; i < header.op_count; i++) {
      if (!fits(at, sizeof(OpHeader))) return false;
      const OpHeader& op = *reinterpret_cast<const OpHeader*>(plan_ + at);
      // In order and without repeats: traces and the runtime's answers refer to ops by index.
      if (op.index < next_index || op.index >= header.plan_length) return false;
      next_index = uint64_t{op.index} + 1;
      if (!fits(at, op.size) || !op_ok(op, at)) return false;
      at += op.size;
    }
    return true;
  }

 private:
  static constexpr uint32_t kField = 8;

  bool fits(uint64_t at, uint64_t bytes) const { return at <= size_ && bytes <= size_ - at; }

  bool op_ok(const OpHeader& op, uint64_t at) const {
    if (op.opcode == kSyncOpcode) return op.size == sizeof(OpHeader);
    if (op.opcode >= sizeof(kShapes) / sizeof(kShapes[0])) return false;
    const char* shape = kShapes[op.opcode];
    const char* field = plan_ + at + sizeof(OpHeader);
    uint32_t size = sizeof(OpHeader);
    for (; *shape != 0; shape++, field += kField, size += kField) {
      if (size + kField > op.size || !field_ok(*shape, field)) return false;
    }
    return size == op.size;
  }

  // The letters are those of scripts/generate-ops.mjs; a dot is a number, which may have any value.
  bool field_ok(char kind, const char* field) const {
    const Str& value = *reinterpret_cast<const Str*>(field);
    const List& list = *reinterpret_cast<const List*>(field);
    switch (kind) {
      case 's':  // a string
        return string_ok(value);
      case 'o':  // a string, or none
        return value.offset == kAbsent || string_ok(value);
      case 'l':  // a list of strings
        return strings_ok(list);
      case 'n':  // a list of numbers
        return list_ok(list);
      case 'b':  // bytes
        return fits(value.offset, value.length);
      default:
        return true;
    }
  }

  bool string_ok(const Str& value) const {
    return fits(value.offset, uint64_t{value.length} + 1) && plan_[uint64_t{value.offset} + value.length] == 0;
  }

  bool list_ok(const List& list) const {
    return list.offset % kField == 0 && fits(list.offset, uint64_t{list.count} * kField);
  }

  bool strings_ok(const List& list) const {
    if (!list_ok(list)) return false;
    const Str* items = reinterpret_cast<const Str*>(plan_ + list.offset);
    for (uint32_t i = 0; i < list.count; i++) {
      if (!string_ok(items[i])) return false;
    }
    return true;
  }

  const char* plan_;
  uint64_t size_;
};

}  // namespace tsrun
