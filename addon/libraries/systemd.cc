// Calls systemd's manager over D-Bus, and waits for the jobs that it starts (org.freedesktop.systemd1(5)).
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

#include "../generated/functions.h"
#include "sdbus.h"

namespace tsrun {

namespace {

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kObject[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";

// The length of the first complete type in a D-Bus signature: `as` of `asu`, `(sv)` of `(sv)s`.
size_t type_length(const std::string& signature, size_t at) {
  if (signature[at] == 'a') return 1 + type_length(signature, at + 1);
  if (signature[at] != '(') return 1;
  int depth = 0;
  for (size_t i = at; i < signature.size(); i++) {
    if (signature[i] == '(') depth++;
    if (signature[i] == ')' && --depth == 0) return i + 1 - at;
  }
  return signature.size() - at;
}

// 64-bit numbers come as decimal text: a JS number would not hold all their digits.
uint64_t wide_number(const Napi::Value& value) {
  if (!value.IsString()) return static_cast<uint64_t>(value.ToNumber().Int64Value());
  std::string text = value.As<Napi::String>().Utf8Value();
  return text[0] == '-' ? static_cast<uint64_t>(strtoll(text.c_str(), nullptr, 10))
                        : strtoull(text.c_str(), nullptr, 10);
}

int append_basic(const SdBus* bus, sd_bus_message* message, char type, const Napi::Value& value) {
  std::string text;
  int32_t number = 0;
  uint64_t wide = 0;
  double real = 0;
  switch (type) {
    case 's':
    case 'o':
    case 'g':
      text = value.ToString().Utf8Value();
      return bus->sd_bus_message_append_basic(message, type, text.c_str());
    case 'b':
      number = value.ToBoolean().Value();
      return bus->sd_bus_message_append_basic(message, type, &number);
    case 'd':
      real = value.ToNumber().DoubleValue();
      return bus->sd_bus_message_append_basic(message, type, &real);
    default:
      // y, n, q, i, u, x, t: little-endian, so the first bytes of the widest type are the narrower number.
      wide = wide_number(value);
      return bus->sd_bus_message_append_basic(message, type, &wide);
  }
}

// Appends a JS value as one complete type: arrays and structs are JS arrays, a variant is [signature, value].
int append(const SdBus* bus, sd_bus_message* message, const std::string& type, const Napi::Value& value) {
  if (strchr("a(v", type[0]) == nullptr) return append_basic(bus, message, type[0], value);
  Napi::Array items = value.As<Napi::Array>();
  bool is_struct = type[0] == '(';
  std::string contents = type.substr(1, type.size() - (is_struct ? 2 : 1));
  if (type[0] == 'v') contents = items.Get(0u).As<Napi::String>().Utf8Value();
  int result = bus->sd_bus_message_open_container(message, is_struct ? 'r' : type[0], contents.c_str());
  if (type[0] == 'v' && result >= 0) result = append(bus, message, contents, items.Get(1u));
  size_t at = 0;
  for (uint32_t i = 0; type[0] != 'v' && i < items.Length() && result >= 0; i++) {
    Napi::HandleScope scope(value.Env());
    size_t length = is_struct ? type_length(contents, at) : contents.size();
    result = append(bus, message, contents.substr(at, length), items.Get(i));
    if (is_struct) at += length;
  }
  return result < 0 ? result : bus->sd_bus_message_close_container(message);
}

// Jobs that have ended, as pairs of object path and result: JobRemoved may come before the reply that names the job.
struct Jobs {
  const SdBus* bus;
  std::vector<std::pair<std::string, std::string>> ended;

  const std::string* result_of(const std::string& job) const {
    for (const auto& [path, result] : ended) {
      if (path == job) return &result;
    }
    return nullptr;
  }
};

int note_job(sd_bus_message* message, void* data, sd_bus_error*) {
  Jobs* jobs = static_cast<Jobs*>(data);
  uint32_t id;
  const char *path, *unit, *result;
  if (jobs->bus->sd_bus_message_read_basic(message, 'u', &id) > 0 &&
      jobs->bus->sd_bus_message_read_basic(message, 'o', &path) > 0 &&
      jobs->bus->sd_bus_message_read_basic(message, 's', &unit) > 0 &&
      jobs->bus->sd_bus_message_read_basic(message, 's', &result) > 0) {
    jobs->ended.emplace_back(path, result);
  }
  return 0;
}

// A connection, and what must be released with it.
class Connection {
 public:
  explicit Connection(const SdBus* functions) : functions_(functions) {}
  ~Connection() {
    functions_->sd_bus_error_free(&error);
    functions_->sd_bus_message_unref(call);
    functions_->sd_bus_message_unref(reply);
    if (bus != nullptr) functions_->sd_bus_flush_close_unref(bus);
  }

  sd_bus* bus = nullptr;
  sd_bus_message* call = nullptr;
  sd_bus_message* reply = nullptr;
  sd_bus_error error = {};

 private:
  const SdBus* functions_;
};

Napi::Value throw_bus_error(Napi::Env env, const char* what, int error, const sd_bus_error& remote) {
  if (remote.name == nullptr) return throw_errno(env, -error, what);
  Napi::Error failure = Napi::Error::New(env, remote.message == nullptr ? remote.name : remote.message);
  failure.Set("code", Napi::String::New(env, remote.name));
  failure.Set("syscall", Napi::String::New(env, what));
  failure.ThrowAsJavaScriptException();
  return env.Undefined();
}

// Null, with an exception, if libsystemd is missing.
const SdBus* sd_bus_or_throw(Napi::Env env) {
  const char* missing = nullptr;
  const SdBus* functions = load_sd_bus(&missing);
  if (functions == nullptr) throw_errno(env, ELIBACC, "dlopen", missing == nullptr ? "" : missing);
  return functions;
}

int make_call(const SdBus* functions, Connection& connection, const SystemdCall& wanted) {
  const std::string& signature = wanted.signature;
  int result = functions->sd_bus_message_new_method_call(connection.bus, &connection.call, kService, kObject, kManager,
                                                         wanted.member.c_str());
  const Napi::Array& arguments = wanted.args;
  size_t at = 0;
  for (uint32_t i = 0; i < arguments.Length() && result >= 0; i++) {
    size_t length = type_length(signature, at);
    result = append(functions, connection.call, signature.substr(at, length), arguments.Get(i));
    at += length;
  }
  return result;
}

int open_bus(const SdBus* functions, Connection& connection, bool user) {
  return user ? functions->sd_bus_open_user(&connection.bus) : functions->sd_bus_open_system(&connection.bus);
}

// Tells systemd that this client wants its signals.
int subscribe(const SdBus* functions, Connection& connection, Jobs& jobs, uint64_t timeout_us) {
  int result = functions->sd_bus_match_signal(connection.bus, nullptr, kService, kObject, kManager, "JobRemoved",
                                              note_job, &jobs);
  sd_bus_message* message = nullptr;
  if (result >= 0) {
    result =
        functions->sd_bus_message_new_method_call(connection.bus, &message, kService, kObject, kManager, "Subscribe");
  }
  if (result >= 0) result = functions->sd_bus_call(connection.bus, message, timeout_us, &connection.error, nullptr);
  functions->sd_bus_message_unref(message);
  return result;
}

uint64_t now_us() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
}

// Handles messages until the job has ended; -ETIMEDOUT if that takes too long.
int wait_for_job(const SdBus* functions, Connection& connection, const Jobs& jobs, const std::string& job,
                 uint64_t timeout_us) {
  uint64_t deadline = now_us() + timeout_us;
  while (jobs.result_of(job) == nullptr) {
    int result = functions->sd_bus_process(connection.bus, nullptr);
    if (result < 0) return result;
    if (result > 0) continue;
    uint64_t now = now_us();
    if (now >= deadline) return -ETIMEDOUT;
    result = functions->sd_bus_wait(connection.bus, deadline - now);
    if (result < 0 && result != -EINTR) return result;
  }
  return 0;
}

}  // namespace

Napi::Value js_systemd_call(const Napi::CallbackInfo& info) {
  SystemdCallArguments arguments(info);
  Napi::Env env = info.Env();
  const SystemdCall& call = arguments.call;
  const SdBus* functions = sd_bus_or_throw(env);
  if (functions == nullptr) return env.Undefined();
  uint64_t timeout_us = static_cast<uint64_t>(call.timeout_ms) * 1000;

  Connection connection(functions);
  Jobs jobs = {functions, {}};
  int result = open_bus(functions, connection, call.user);
  if (result < 0) return throw_errno(env, -result, "connect");
  if (call.job) result = subscribe(functions, connection, jobs, timeout_us);
  if (result >= 0) result = make_call(functions, connection, call);
  if (result >= 0) {
    result = functions->sd_bus_call(connection.bus, connection.call, timeout_us, &connection.error, &connection.reply);
  }
  if (result < 0) return throw_bus_error(env, "D-Bus", result, connection.error);
  if (!call.job) return Napi::String::New(env, "");

  const char* job = nullptr;
  result = functions->sd_bus_message_read_basic(connection.reply, 'o', &job);
  if (result > 0) result = wait_for_job(functions, connection, jobs, job, timeout_us);
  if (result < 0) return throw_errno(env, -result, "D-Bus");
  return Napi::String::New(env, *jobs.result_of(job));
}

Napi::Value js_systemd_property(const Napi::CallbackInfo& info) {
  SystemdPropertyArguments arguments(info);
  Napi::Env env = info.Env();
  const SystemdProperty& of = arguments.of;
  const SdBus* functions = sd_bus_or_throw(env);
  if (functions == nullptr) return env.Undefined();
  Connection connection(functions);
  int result = open_bus(functions, connection, of.user);
  if (result < 0) return throw_errno(env, -result, "connect");
  char* text = nullptr;
  result = functions->sd_bus_get_property_string(connection.bus, kService, of.path.c_str(), of.interface.c_str(),
                                                 of.property.c_str(), &connection.error, &text);
  if (result < 0) return throw_bus_error(env, "D-Bus", result, connection.error);
  Napi::String value = Napi::String::New(env, text);
  free(text);
  return value;
}

}  // namespace tsrun
