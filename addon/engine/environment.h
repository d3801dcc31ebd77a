// What a napi_env is here: the handles, references and pending exception of the Node-API (nodejs.org/api/n-api.html)
// over one QuickJS context. Only what the addon uses is there; what it uses new fails when it is linked.
#pragma once
#include <node_api.h>

#include <string>

#include "quickjs.h"

// Values that C++ holds live here until their scope closes, as JS objects live only as long as somebody counts them.
// Their addresses are the napi_value and must stay, so the list grows by blocks.
class HandleList {
 public:
  // Takes the value over. nullptr, and the value is still the caller's, when there is no room: a million of them.
  JSValue* push(JSContext* context, JSValue value);
  size_t size() const { return size_; }
  void shrink(JSContext* context, size_t size);

 private:
  static constexpr size_t kBlock = 256, kBlocks = 4096;
  JSValue& at(size_t index) { return blocks_[index / kBlock][index % kBlock]; }
  JSValue* blocks_[kBlocks] = {};
  size_t size_ = 0;
};

// Lies in the arena, and so does what it points to.
struct napi_env__ {
  JSContext* context = nullptr;
  HandleList handles;
  // JS_UNINITIALIZED: none.
  JSValue exception = JS_UNINITIALIZED;
  // Uint8Array, and what Buffer makes (src/standalone/buffer.ts); new ones are made by the first as instances of the
  // second. To give them another prototype afterwards would cost a shape for each.
  JSValue byte_array = JS_UNDEFINED, buffer = JS_UNDEFINED;
  napi_extended_error_info last_error = {};

  // The last value that had no room among the handles. C++ gets this one in the place of all that follow, and what it
  // makes of it does not matter: the call ends with an exception.
  JSValue overflow = JS_UNDEFINED;

  napi_value handle(JSValue value);
  // Takes over what a call of QuickJS has thrown.
  napi_status failed();
  // napi_ok with the value as a handle, or the exception that it stands for.
  napi_status give(JSValue value, napi_value* result);
};

inline JSValue value_of(napi_value handle) { return *reinterpret_cast<JSValue*>(handle); }

// A string's UTF-8; half of a surrogate pair becomes U+FFFD, as with Node. False, with an exception, for what has none.
bool utf8_of(JSContext* context, JSValueConst value, std::string* text);

// The bytes of a typed array; they stay as long as the array does. False when it is not one.
bool bytes_of(JSContext* context, JSValueConst array, uint8_t** bytes, size_t* size);

// A Buffer over bytes of its own; with `data` nullptr they are not initialised.
JSValue new_buffer(napi_env env, const void* data, size_t size, uint8_t** bytes);
