// Encodes the init ops of a Plan in the layout of addon/common/plan.h. Where runtime ops follow init ops, a sync op has
// the index of the first runtime op.
#include "../common/plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "../generated/functions.h"
#include "../generated/layout.h"
#include "sealed_image.h"

namespace tsrun {

namespace {

constexpr size_t kFieldSize = 8;

struct Step {
  const OpLayout* layout;  // null for a sync
  uint32_t index;

  size_t size() const { return sizeof(OpHeader) + (layout == nullptr ? 0 : kFieldSize * layout->field_count); }
};

// Null for the runtime's ops, which have no layout.
class Layouts {
 public:
  const OpLayout* find(const std::string& name) {
    // A config with many mounts or devices has the same few ops again and again.
    for (const OpLayout* layout : recent_) {
      if (layout != nullptr && name == layout->op) return layout;
    }
    for (const OpLayout& layout : kInitOps) {
      if (name == layout.op) return recent_[next_++ % kRecent] = &layout;
    }
    return nullptr;
  }

 private:
  static constexpr size_t kRecent = 4;
  const OpLayout* recent_[kRecent] = {};
  size_t next_ = 0;
};

std::vector<Step> steps_of(Napi::Env env, const Napi::Array& ops) {
  std::vector<Step> steps;
  Layouts layouts;
  for (uint32_t i = 0, length = ops.Length(); i < length; i++) {
    Napi::HandleScope scope(env);
    const OpLayout* layout = layouts.find(from_js<std::string>(ops.Get(i).As<Napi::Object>().Get("op")));
    if (layout != nullptr) {
      steps.push_back({layout, i});
    } else if (!steps.empty() && steps.back().layout != nullptr && steps.back().index + 1 == i) {
      steps.push_back({nullptr, i});
    }
  }
  return steps;
}

// Writes the fixed part, header and ops, and after it the pool of strings and lists.
class Writer {
 public:
  Writer(size_t fixed_size, const Napi::Object& slots, const Napi::Object& blobs)
      : bytes_(fixed_size), slots_(slots), blobs_(blobs) {}

  void put(const void* data, size_t size) {
    memcpy(&bytes_[at_], data, size);
    at_ += size;
  }

  void field(FieldType type, const Napi::Value& value) {
    bool absent = value.IsNull() || value.IsUndefined();
    switch (type) {
      case FieldType::kString:
      case FieldType::kOptionalString:
        return reference(absent ? Str{kAbsent, 0} : string(value));
      case FieldType::kStrings:
        return reference(list(value.As<Napi::Array>(), [this](const Napi::Value& each) { return string(each); }));
      case FieldType::kNumbers:
        return reference(list(value.As<Napi::Array>(), [this](const Napi::Value& each) { return number(each); }));
      case FieldType::kBytes:
        return reference(data(value));
      case FieldType::kBlob:
        return reference(data(named(blobs_, value)));
      case FieldType::kDescriptor:
      case FieldType::kOptionalDescriptor:
        return reference(absent ? ~uint64_t{0} : number(named(slots_, value)));
      case FieldType::kBoolean:
        return reference(uint64_t{value.ToBoolean()});
      case FieldType::kNumber:
        return reference(number(value));
    }
  }

  std::vector<char>& bytes() { return bytes_; }
  // What is wrong with the plan; empty if nothing is.
  const std::string& wrong() const { return wrong_; }

 private:
  template <typename Word>
  void reference(Word word) {
    static_assert(sizeof(word) == kFieldSize);
    put(&word, sizeof(word));
  }

  // The offset of a new place of this size in the pool. The next call may move the pool.
  uint32_t place(size_t size) {
    size_t at = (bytes_.size() + kFieldSize - 1) / kFieldSize * kFieldSize;
    bytes_.resize(at + size);
    return static_cast<uint32_t>(at);
  }

  // Ends with a NUL, which the length does not count.
  Str string(const Napi::Value& value) {
    std::string text = value.As<Napi::String>().Utf8Value();
    // C would cut the string there; CVE-2021-43784 was of that kind.
    if (text.find('\0') != std::string::npos) wrong_ = "a string of the plan holds a NUL byte";
    uint32_t at = place(text.size() + 1);
    memcpy(&bytes_[at], text.data(), text.size());
    return {at, static_cast<uint32_t>(text.size())};
  }

  template <typename Item>
  List list(const Napi::Array& values, Item item) {
    uint32_t count = values.Length();
    uint32_t at = place(kFieldSize * count);
    for (uint32_t i = 0; i < count; i++) {
      Napi::HandleScope scope(values.Env());
      auto word = item(values.Get(i));
      static_assert(sizeof(word) == kFieldSize);
      memcpy(&bytes_[at + kFieldSize * i], &word, sizeof(word));
    }
    return {at, count};
  }

  Str data(const Napi::Value& value) {
    Napi::Uint8Array source = value.As<Napi::Uint8Array>();
    uint32_t at = place(source.ByteLength());
    if (source.ByteLength() > 0) memcpy(&bytes_[at], source.Data(), source.ByteLength());
    return {at, static_cast<uint32_t>(source.ByteLength())};
  }

  // Negative numbers in two's complement.
  static uint64_t number(const Napi::Value& value) {
    bool lossless;
    if (value.IsBigInt()) return value.As<Napi::BigInt>().Uint64Value(&lossless);
    double real = value.As<Napi::Number>().DoubleValue();
    return real < 0 ? static_cast<uint64_t>(static_cast<int64_t>(real)) : static_cast<uint64_t>(real);
  }

  // The value with this name in slots or blobs.
  Napi::Value named(const Napi::Object& things, const Napi::Value& name) {
    Napi::Value thing = things.Get(name);
    if (thing.IsUndefined()) wrong_ = "the plan names " + name.As<Napi::String>().Utf8Value() + ", which no op made";
    return thing;
  }

  std::vector<char> bytes_;
  size_t at_ = 0;
  Napi::Object slots_;
  Napi::Object blobs_;
  std::string wrong_;
};

void write_op(Writer& writer, const Step& step, const Napi::Array& ops) {
  OpHeader header = {kSyncOpcode, step.index, static_cast<uint32_t>(step.size()), 0};
  if (step.layout != nullptr) header.opcode = step.layout->code;
  writer.put(&header, sizeof(header));
  if (step.layout == nullptr) return;
  Napi::HandleScope scope(ops.Env());
  Napi::Object op = ops.Get(step.index).As<Napi::Object>();
  for (size_t i = 0; i < step.layout->field_count && writer.wrong().empty(); i++) {
    const FieldLayout& field = kFields[step.layout->first_field + i];
    writer.field(field.type, op.Get(field.name));
  }
}

}  // namespace

Napi::Value js_write_plan(const Napi::CallbackInfo& info) {
  WritePlanArguments arguments(info);
  Napi::Env env = info.Env();
  int fd = arguments.memfd;
  const Napi::Array& ops = arguments.ops;
  std::vector<Step> steps = steps_of(env, ops);
  size_t fixed_size = sizeof(PlanHeader);
  for (const Step& step : steps) fixed_size += step.size();
  Writer writer(fixed_size, arguments.slots, arguments.blobs);
  PlanHeader header = {kPlanMagic, kLayoutHash,        static_cast<uint32_t>(steps.size()),
                       0,          arguments.trace_fd, ops.Length()};
  writer.put(&header, sizeof(header));
  for (const Step& step : steps) write_op(writer, step, ops);
  if (!writer.wrong().empty()) {
    Napi::Error::New(env, writer.wrong()).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  std::vector<char>& bytes = writer.bytes();
  // Offsets have 32 bits.
  if (bytes.size() >= kAbsent) return throw_errno(env, E2BIG, "the plan");
  header.size = static_cast<uint32_t>(bytes.size());
  memcpy(bytes.data(), &header, sizeof(header));
  int error = write_all_at(fd, bytes.data(), bytes.size(), 0);
  if (error != 0) return throw_errno(env, error, "pwrite");
  int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(fd, F_ADD_SEALS, seals) != 0) return throw_errno(env, errno, "fcntl");
  return env.Undefined();
}

}  // namespace tsrun
