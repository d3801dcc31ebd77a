#include "host.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "arena.h"

extern "C" napi_value napi_register_module_v1(napi_env env, napi_value exports);
// A function that scripts/lib/quickjs-immortal.mjs adds to the engine.
extern "C" void JS_KeepShapes(bool keep);

namespace {

JSValue string_of(JSContext* context, const char* text) { return JS_NewStringLen(context, text, strlen(text)); }

// encode(string) -> Buffer of its UTF-8
JSValue encode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string text;
  if (!utf8_of(context, values[0], &text)) return JS_EXCEPTION;
  return new_buffer(&engine().env, text.data(), text.size(), nullptr);
}

// decode(bytes) -> string; bytes that are not UTF-8 become U+FFFD
JSValue decode(JSContext* context, JSValueConst, int, JSValueConst* values) {
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!bytes_of(context, values[0], &bytes, &size)) return JS_EXCEPTION;
  return JS_NewStringLen(context, reinterpret_cast<char*>(bytes), size);
}

// decodeLatin1(bytes) -> string of one character for each byte
JSValue decode_latin1(JSContext* context, JSValueConst, int, JSValueConst* values) {
  uint8_t* bytes = nullptr;
  size_t size = 0;
  if (!bytes_of(context, values[0], &bytes, &size)) return JS_EXCEPTION;
  std::string text;
  text.reserve(size);
  for (size_t at = 0; at < size; at++) {
    if (bytes[at] >= 0x80) text += static_cast<char>(0xc0 | (bytes[at] >> 6));
    text += static_cast<char>(bytes[at] >= 0x80 ? 0x80 | (bytes[at] & 0x3f) : bytes[at]);
  }
  return JS_NewStringLen(context, text.data(), text.size());
}

// allocate(size) -> Buffer whose bytes are not initialised
JSValue allocate(JSContext* context, JSValueConst, int, JSValueConst* values) {
  uint32_t size = 0;
  if (JS_ToUint32(context, &size, values[0]) < 0) return JS_EXCEPTION;
  return new_buffer(&engine().env, nullptr, size, nullptr);
}

// useBuffer(Uint8Array, the subclass for new buffers)
JSValue use_buffer(JSContext* context, JSValueConst, int, JSValueConst* values) {
  engine().env.byte_array = JS_DupValue(context, values[0]);
  engine().env.buffer = JS_DupValue(context, values[1]);
  return JS_UNDEFINED;
}

// byteLength(string) -> the length of its UTF-8
JSValue byte_length(JSContext* context, JSValueConst, int, JSValueConst* values) {
  std::string text;
  if (!utf8_of(context, values[0], &text)) return JS_EXCEPTION;
  return JS_NewInt64(context, static_cast<int64_t>(text.size()));
}

// write(bytes, string, at) -> number of bytes written: as much of the string's UTF-8 as there is room for
JSValue write_text(JSContext* context, JSValueConst, int, JSValueConst* values) {
  uint8_t* bytes = nullptr;
  size_t size = 0;
  uint32_t at = 0;
  std::string text;
  if (!bytes_of(context, values[0], &bytes, &size) || !utf8_of(context, values[1], &text)) return JS_EXCEPTION;
  if (JS_ToUint32(context, &at, values[2]) < 0) return JS_EXCEPTION;
  size_t room = at < size ? size - at : 0;
  size_t count = text.size() < room ? text.size() : room;
  memcpy(bytes + at, text.data(), count);
  return JS_NewInt64(context, static_cast<int64_t>(count));
}

JSValue effective_uid(JSContext* context, JSValueConst, int, JSValueConst*) {
  return JS_NewInt64(context, static_cast<int64_t>(geteuid()));
}

JSValue effective_gid(JSContext* context, JSValueConst, int, JSValueConst*) {
  return JS_NewInt64(context, static_cast<int64_t>(getegid()));
}

// umask(2) can only be read by setting it; nothing else runs in between.
JSValue file_mode_mask(JSContext* context, JSValueConst, int, JSValueConst*) {
  mode_t mask = umask(0);
  umask(mask);
  return JS_NewInt32(context, static_cast<int32_t>(mask));
}

JSValue is_terminal(JSContext* context, JSValueConst, int, JSValueConst* values) {
  int fd = -1;
  if (JS_ToInt32(context, &fd, values[0]) < 0) return JS_EXCEPTION;
  return JS_NewBool(context, isatty(fd) == 1);
}

JSValue working_directory(JSContext* context, JSValueConst, int, JSValueConst*) {
  char path[PATH_MAX];
  if (getcwd(path, sizeof(path)) == nullptr) return JS_ThrowReferenceError(context, "getcwd: %s", strerror(errno));
  return string_of(context, path);
}

// An object of the names and numbers of errno(3).
JSValue errno_numbers(JSContext* context, JSValueConst, int, JSValueConst*) {
  JSValue numbers = JS_NewObject(context);
  for (int error = 1; error < 134; error++) {
    const char* name = strerrorname_np(error);
    if (name != nullptr) JS_SetPropertyStr(context, numbers, name, JS_NewInt32(context, error));
  }
  return numbers;
}

// keepShapes(keep): whether the shapes of objects that are made from now on stay when the objects are gone
JSValue keep_shapes(JSContext* context, JSValueConst, int, JSValueConst* values) {
  JS_KeepShapes(JS_ToBool(context, values[0]) > 0);
  return JS_UNDEFINED;
}

JSValue strings_of(JSContext* context, int count, char** values) {
  JSValue array = JS_NewArray(context);
  for (int i = 0; i < count; i++) JS_SetPropertyUint32(context, array, i, string_of(context, values[i]));
  return array;
}

// Of two variables with the same name the first counts, as for getenv(3).
JSValue variables(JSContext* context) {
  JSValue object = JS_NewObjectProto(context, JS_NULL);
  int count = 0;
  while (environ[count] != nullptr) count++;
  for (int i = count - 1; i >= 0; i--) {
    const char* equals = strchr(environ[i], '=');
    if (equals == nullptr || equals == environ[i]) continue;
    std::string name(environ[i], equals - environ[i]);
    JS_SetPropertyStr(context, object, name.c_str(), string_of(context, equals + 1));
  }
  return object;
}

JSValue addon_exports(JSContext* context) {
  napi_env env = &engine().env;
  size_t scope = env->handles.size();
  napi_value exports = env->handle(JS_NewObject(context));
  JSValue result = JS_DupValue(context, value_of(napi_register_module_v1(env, exports)));
  env->handles.shrink(context, scope);
  return result;
}

constexpr JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("encode", 1, encode),
    JS_CFUNC_DEF("decode", 1, decode),
    JS_CFUNC_DEF("decodeLatin1", 1, decode_latin1),
    JS_CFUNC_DEF("allocate", 1, allocate),
    JS_CFUNC_DEF("useBuffer", 2, use_buffer),
    JS_CFUNC_DEF("byteLength", 1, byte_length),
    JS_CFUNC_DEF("write", 3, write_text),
    JS_CFUNC_DEF("effectiveUid", 0, effective_uid),
    JS_CFUNC_DEF("effectiveGid", 0, effective_gid),
    JS_CFUNC_DEF("fileModeMask", 0, file_mode_mask),
    JS_CFUNC_DEF("isTerminal", 1, is_terminal),
    JS_CFUNC_DEF("workingDirectory", 0, working_directory),
    JS_CFUNC_DEF("errnoNumbers", 0, errno_numbers),
    JS_CFUNC_DEF("keepShapes", 1, keep_shapes),
};

}  // namespace

void define_host(napi_env env) {
  JSContext* context = env->context;
  JSValue host = JS_NewObject(context);
  JS_SetPropertyFunctionList(context, host, functions, static_cast<int>(std::size(functions)));
#if defined(__aarch64__)
  JS_SetPropertyStr(context, host, "architecture", string_of(context, "arm64"));
#else
  JS_SetPropertyStr(context, host, "architecture", string_of(context, "x64"));
#endif
  JS_SetPropertyStr(context, host, "addon", addon_exports(context));
  JSValue global = JS_GetGlobalObject(context);
  JS_SetPropertyStr(context, global, "tsrunHost", host);
  JS_FreeValue(context, global);
}

JSValue start_command(JSContext* context, int count, char** values) {
  JSValue global = JS_GetGlobalObject(context);
  JSValue start = JS_GetPropertyStr(context, global, "tsrunStart");
  JSValue arguments[] = {strings_of(context, count, values), variables(context), JS_NewInt32(context, getpid())};
  return JS_Call(context, start, JS_UNDEFINED, 3, arguments);
}

int exit_code(JSContext* context) {
  JSValue process = JS_GetPropertyStr(context, JS_GetGlobalObject(context), "process");
  JSValue value = JS_GetPropertyStr(context, process, "exitCode");
  int32_t code = 1;
  JS_ToInt32(context, &code, value);
  return code;
}
