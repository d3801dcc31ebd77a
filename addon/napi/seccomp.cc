// A seccomp profile as BPF, by libseccomp. The library is linked statically in every form of tsrun: no host needs it,
// and a profile makes the same filter everywhere.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "functions.h"

namespace tsrun {

namespace {

constexpr int kBadArchitecture = -EDOM;  // the other byte order
constexpr uint32_t kBinaryTree = 2;

std::string version_text() {
  const scmp_version* now = seccomp_version();
  return std::to_string(now->major) + "." + std::to_string(now->minor) + "." + std::to_string(now->micro);
}

// The profile in libseccomp's numbers.
struct Rule {
  uint32_t action;
  std::vector<std::string> names;
  std::vector<scmp_arg_cmp> conditions;
};

struct Profile {
  uint32_t default_action;
  std::vector<uint32_t> architectures;
  std::vector<Rule> rules;
  bool optimize;
};

// What went wrong: at which step, at which element of its list, and what libseccomp returned.
struct Failure {
  const char* step = nullptr;
  uint32_t index = 0;
  std::string name;
  int error = 0;
};

uint32_t u32_of(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Number>().Uint32Value();
}

uint64_t u64_of(const Napi::Object& object, const char* name) {
  bool lossless;
  return object.Get(name).As<Napi::BigInt>().Uint64Value(&lossless);
}

Rule rule_of(const Napi::Object& object) {
  Rule rule = {u32_of(object, "action"), strings_of(object, "names"), {}};
  each_of(object.Get("conditions").As<Napi::Array>(), [&](const Napi::Value& item) {
    Napi::Object condition = item.As<Napi::Object>();
    rule.conditions.push_back({u32_of(condition, "index"), static_cast<scmp_compare>(u32_of(condition, "op")),
                               u64_of(condition, "value"), u64_of(condition, "valueTwo")});
  });
  return rule;
}

Profile profile_of(const Napi::Object& object) {
  Profile profile = {u32_of(object, "defaultAction"), {}, {}, object.Get("optimize").As<Napi::Boolean>().Value()};
  each_of(object.Get("architectures").As<Napi::Array>(),
          [&](const Napi::Value& item) { profile.architectures.push_back(item.As<Napi::Number>().Uint32Value()); });
  each_of(object.Get("rules").As<Napi::Array>(),
          [&](const Napi::Value& item) { profile.rules.push_back(rule_of(item.As<Napi::Object>())); });
  return profile;
}

class Compiler {
 public:
  explicit Compiler(const Profile& profile) : profile_(profile) {}
  ~Compiler() {
    if (filter_ != nullptr) seccomp_release(filter_);
  }
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  bool compile() {
    filter_ = seccomp_init(profile_.default_action);
    if (filter_ == nullptr) return fail("action", 0, "", -EINVAL);
    if (!add_architectures()) return false;
    if (profile_.optimize) seccomp_attr_set(filter_, SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree);
    return add_rules() && export_program();
  }

  const Failure& failure() const { return failure_; }
  const std::vector<char>& program() const { return program_; }
  const std::vector<std::string>& unknown() const { return unknown_; }

  // The highest number that any of the profile's names has there; -1 when it has none.
  int newest(uint32_t architecture) const {
    int highest = -1;
    for (const Rule& rule : profile_.rules) {
      for (const std::string& name : rule.names) {
        int number = seccomp_syscall_resolve_name_arch(architecture, name.c_str());
        if (number > highest) highest = number;
      }
    }
    return highest;
  }

 private:
  bool fail(const char* step, uint32_t index, const std::string& name, int result) {
    failure_ = {step, index, name, -result};
    return false;
  }

  bool add_architectures() {
    for (uint32_t i = 0; i < profile_.architectures.size(); i++) {
      int result = seccomp_arch_add(filter_, profile_.architectures[i]);
      if (result == kBadArchitecture) return fail("byte-order", i, "", result);
      if (result < 0 && result != -EEXIST) return fail("architecture", i, "", result);
    }
    return true;
  }

  bool add_rules() {
    for (uint32_t i = 0; i < profile_.rules.size(); i++) {
      const Rule& rule = profile_.rules[i];
      for (const std::string& name : rule.names) {
        int number = seccomp_syscall_resolve_name(name.c_str());
        if (number == __NR_SCMP_ERROR) {
          unknown_.push_back(name);
        } else if (!repeats_earlier(rule, number)) {
          unsigned count = static_cast<unsigned>(rule.conditions.size());
          int result = seccomp_rule_add_array(filter_, rule.action, number, count, rule.conditions.data());
          if (result < 0) return fail("rule", i, name, result);
        }
      }
    }
    return true;
  }

  // libseccomp takes a rule twice, but each time in as long as it has rules.
  bool repeats_earlier(const Rule& rule, int number) {
    return rule.conditions.empty() && !unconditional_.insert({number, rule.action}).second;
  }

  bool export_program() {
    UniqueFd file(memfd_create("tsrun-seccomp", MFD_CLOEXEC));
    if (file.get() < 0) return fail("export", 0, "", -errno);
    int result = seccomp_export_bpf(filter_, file.get());
    if (result < 0) return fail("export", 0, "", result);
    struct stat status = {};
    if (fstat(file.get(), &status) != 0) return fail("export", 0, "", -errno);
    program_.resize(static_cast<size_t>(status.st_size));
    bool all = pread(file.get(), program_.data(), program_.size(), 0) == status.st_size;
    return all || fail("export", 0, "", -EIO);
  }

  const Profile& profile_;
  scmp_filter_ctx filter_ = nullptr;
  Failure failure_;
  std::vector<char> program_;
  std::vector<std::string> unknown_;
  std::set<std::pair<int, uint32_t>> unconditional_;  // calls and actions
};

Napi::Object failure_value(Napi::Env env, const Failure& failure) {
  Napi::Object value = Napi::Object::New(env);
  value.Set("step", failure.step);
  value.Set("index", failure.index);
  value.Set("name", failure.name);
  value.Set("error", failure.error);
  return value;
}

Napi::Object outcome_value(Napi::Env env, const Profile& profile, const Compiler& compiler) {
  Napi::Object value = Napi::Object::New(env);
  const std::vector<char>& program = compiler.program();
  value.Set("program", Napi::Buffer<char>::Copy(env, program.data(), program.size()));
  Napi::Array unknown = Napi::Array::New(env);
  for (const std::string& name : compiler.unknown()) unknown.Set(unknown.Length(), name);
  value.Set("unknown", unknown);
  Napi::Array newest = Napi::Array::New(env);
  for (uint32_t architecture : profile.architectures) newest.Set(newest.Length(), compiler.newest(architecture));
  value.Set("newest", newest);
  return value;
}

}  // namespace

// compileSeccomp(profile) -> { version, failure | program, unknown, newest }
Napi::Value compile_seccomp(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Profile profile = profile_of(info[0].As<Napi::Object>());
  Compiler compiler(profile);
  bool compiled = compiler.compile();
  Napi::Object value = compiled ? outcome_value(env, profile, compiler) : Napi::Object::New(env);
  if (!compiled) value.Set("failure", failure_value(env, compiler.failure()));
  value.Set("version", version_text());
  return value;
}

// libseccompVersion() -> "2.5.4"
Napi::Value libseccomp_version(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), version_text()); }

// syscallNames() -> those of this machine's calls that libseccomp knows. No Linux has numbered one above 600 yet.
Napi::Value syscall_names(const Napi::CallbackInfo& info) {
  constexpr int kEnd = 1024;
  Napi::Array names = Napi::Array::New(info.Env());
  for (int number = 0; number < kEnd; number++) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name == nullptr) continue;
    names.Set(names.Length(), name);
    free(name);
  }
  return names;
}

}  // namespace tsrun
