// Compiles a seccomp profile to BPF with libseccomp. The library is linked statically into every form of tsrun: no host
// needs it, and a profile gives the same filter everywhere.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "../generated/functions.h"

namespace tsrun {

namespace {

constexpr int kBadArchitecture = -EDOM;  // the other byte order
constexpr uint32_t kBinaryTree = 2;

std::string version_text() {
  const scmp_version* now = seccomp_version();
  return std::to_string(now->major) + "." + std::to_string(now->minor) + "." + std::to_string(now->micro);
}

std::vector<scmp_arg_cmp> comparisons_of(const SeccompRule& rule) {
  std::vector<scmp_arg_cmp> all;
  for (const SeccompCondition& each : rule.conditions) {
    all.push_back({static_cast<unsigned>(each.index), static_cast<scmp_compare>(each.op), each.value, each.value_two});
  }
  return all;
}

class Compiler {
 public:
  explicit Compiler(const SeccompProfile& profile) : profile_(profile) {}
  ~Compiler() {
    if (filter_ != nullptr) seccomp_release(filter_);
  }
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  bool compile() {
    filter_ = seccomp_init(static_cast<uint32_t>(profile_.default_action));
    if (filter_ == nullptr) return fail("action", 0, "", -EINVAL);
    if (!add_architectures()) return false;
    if (profile_.optimize) seccomp_attr_set(filter_, SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree);
    return add_rules() && export_program();
  }

  const SeccompFailure& failure() const { return failure_; }
  const std::vector<char>& program() const { return program_; }
  const std::vector<std::string>& unknown() const { return unknown_; }

  // The highest number that any of the profile's names has on that architecture; -1 if none has one.
  int newest(int64_t architecture) const {
    int highest = -1;
    for (const SeccompRule& rule : profile_.rules) {
      for (const std::string& name : rule.names) {
        int number = seccomp_syscall_resolve_name_arch(static_cast<uint32_t>(architecture), name.c_str());
        if (number > highest) highest = number;
      }
    }
    return highest;
  }

 private:
  bool fail(const char* step, uint32_t index, const std::string& name, int result) {
    failure_ = {step, static_cast<double>(index), name, static_cast<double>(-result)};
    return false;
  }

  bool add_architectures() {
    for (uint32_t i = 0; i < profile_.architectures.size(); i++) {
      int result = seccomp_arch_add(filter_, static_cast<uint32_t>(profile_.architectures[i]));
      if (result == kBadArchitecture) return fail("byte-order", i, "", result);
      if (result < 0 && result != -EEXIST) return fail("architecture", i, "", result);
    }
    return true;
  }

  bool add_rules() {
    for (uint32_t i = 0; i < profile_.rules.size(); i++) {
      const SeccompRule& rule = profile_.rules[i];
      const std::vector<scmp_arg_cmp> comparisons = comparisons_of(rule);
      uint32_t action = static_cast<uint32_t>(rule.action);
      for (const std::string& name : rule.names) {
        int number = seccomp_syscall_resolve_name(name.c_str());
        if (number == __NR_SCMP_ERROR) {
          unknown_.push_back(name);
        } else if (!repeats_earlier(rule, number)) {
          unsigned count = static_cast<unsigned>(comparisons.size());
          int result = seccomp_rule_add_array(filter_, action, number, count, comparisons.data());
          if (result < 0) return fail("rule", i, name, result);
        }
      }
    }
    return true;
  }

  // libseccomp accepts the same rule twice, but adding one takes the longer the more it has.
  bool repeats_earlier(const SeccompRule& rule, int number) {
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

  const SeccompProfile& profile_;
  scmp_filter_ctx filter_ = nullptr;
  SeccompFailure failure_;
  std::vector<char> program_;
  std::vector<std::string> unknown_;
  std::set<std::pair<int, int64_t>> unconditional_;  // calls and actions
};

SeccompOutcome outcome_of(Napi::Env env, const SeccompProfile& profile, const Compiler& compiler) {
  SeccompOutcome outcome;
  const std::vector<char>& program = compiler.program();
  outcome.program = Napi::Buffer<char>::Copy(env, program.data(), program.size());
  outcome.unknown = compiler.unknown();
  outcome.newest.emplace();
  for (int64_t architecture : profile.architectures) outcome.newest->push_back(compiler.newest(architecture));
  return outcome;
}

}  // namespace

Napi::Value js_compile_seccomp(const Napi::CallbackInfo& info) {
  CompileSeccompArguments arguments(info);
  Napi::Env env = info.Env();
  Compiler compiler(arguments.profile);
  bool compiled = compiler.compile();
  SeccompOutcome outcome = compiled ? outcome_of(env, arguments.profile, compiler) : SeccompOutcome();
  if (!compiled) outcome.failure = compiler.failure();
  outcome.version = version_text();
  return outcome.to_js(env);
}

Napi::Value js_libseccomp_version(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), version_text());
}

// No Linux has a call with a number above 600 yet.
Napi::Value js_syscall_names(const Napi::CallbackInfo& info) {
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
