#include "environment.h"

#include <cstring>

JSValue* HandleList::push(JSContext* context, JSValue value) {
  if (size_ == kBlock * kBlocks) return nullptr;
  JSValue*& block = blocks_[size_ / kBlock];
  if (block == nullptr) block = static_cast<JSValue*>(js_malloc(context, kBlock * sizeof(JSValue)));
  if (block == nullptr) return nullptr;
  at(size_) = value;
  return &at(size_++);
}

void HandleList::shrink(JSContext* context, size_t size) {
  while (size_ > size) JS_FreeValue(context, at(--size_));
}

napi_value napi_env__::handle(JSValue value) {
  JSValue* place = handles.push(context, value);
  if (place != nullptr) return reinterpret_cast<napi_value>(place);
  JS_FreeValue(context, overflow);
  overflow = value;
  if (JS_IsUninitialized(exception)) {
    JS_ThrowRangeError(context, "the addon holds more values than there is room for");
    failed();
  }
  return reinterpret_cast<napi_value>(&overflow);
}

napi_status napi_env__::failed() {
  JSValue thrown = JS_GetException(context);
  JS_FreeValue(context, exception);
  exception = thrown;
  return napi_pending_exception;
}

napi_status napi_env__::give(JSValue value, napi_value* result) {
  if (JS_IsException(value)) return failed();
  *result = handle(value);
  return napi_ok;
}

namespace {

// QuickJS encodes a lone surrogate as if it were a character: ED A0..BF xx, which is not UTF-8.
void replace_surrogates(std::string* text) {
  size_t at = 0;
  while ((at = text->find('\xed', at)) != std::string::npos) {
    if (at + 2 < text->size() && static_cast<uint8_t>((*text)[at + 1]) >= 0xa0) text->replace(at, 3, "\xef\xbf\xbd");
    at++;
  }
}

}  // namespace

bool utf8_of(JSContext* context, JSValueConst value, std::string* text) {
  size_t size = 0;
  const char* chars = JS_ToCStringLen(context, &size, value);
  if (chars == nullptr) return false;
  text->assign(chars, size);
  JS_FreeCString(context, chars);
  replace_surrogates(text);
  return true;
}

bool bytes_of(JSContext* context, JSValueConst array, uint8_t** bytes, size_t* size) {
  size_t offset = 0, whole = 0;
  JSValue buffer = JS_GetTypedArrayBuffer(context, array, &offset, size, nullptr);
  if (JS_IsException(buffer)) return false;
  uint8_t* start = JS_GetArrayBuffer(context, &whole, buffer);
  // The array keeps the buffer alive.
  JS_FreeValue(context, buffer);
  *bytes = start + offset;
  return start != nullptr || *size == 0;
}

JSValue new_buffer(napi_env env, const void* data, size_t size, uint8_t** bytes) {
  JSContext* context = env->context;
  uint8_t* memory = static_cast<uint8_t*>(js_malloc(context, size == 0 ? 1 : size));
  if (memory == nullptr) return JS_EXCEPTION;
  if (data != nullptr) memcpy(memory, data, size);
  auto release = [](JSRuntime* runtime, void*, void* pointer, size_t) -> void* {
    js_free_rt(runtime, pointer);
    return nullptr;
  };
  JSValue buffer = JS_NewArrayBuffer(context, memory, size, 0, release, nullptr, false);
  if (JS_IsException(buffer)) return buffer;
  JSValue array = JS_CallConstructor2(context, env->byte_array, env->buffer, 1, &buffer);
  JS_FreeValue(context, buffer);
  if (bytes != nullptr) *bytes = memory;
  return array;
}
