// napi_env in this engine: the handles, references and pending exception of the Node-API (nodejs.org/api/n-api.html)
// over one QuickJS context. Only the functions that the addon uses exist; if it uses another, linking fails.
#pragma once
#include <node_api.h>

#include <string>

#include "quickjs.h"

// Values that C++ holds live here until their scope closes, because JS objects live only as long as somebody counts
// them. A napi_value is the address of such an entry and must stay the same, so the list grows by blocks.
class HandleList {
 public:
  // Takes the value over. nullptr if there is no room, which is for a million; then the caller still owns the value.
  JSValue* push(JSContext* context, JSValue value);
  size_t size() const { return size_; }
  void shrink(JSContext* context, size_t size);

 private:
  static constexpr size_t kBlock = 256, kBlocks = 4096;
  JSValue& at(size_t index) { return blocks_[index / kBlock][index % kBlock]; }
  JSValue* blocks_[kBlocks] = {};
  size_t size_ = 0;
};

// Lies in the arena, and points only into it.
struct napi_env__ {
  JSContext* context = nullptr;
  HandleList handles;
  // JS_UNINITIALIZED if none is pending.
  JSValue exception = JS_UNINITIALIZED;
  // Uint8Array, and the class of Buffers (src/standalone/buffer.ts). The first constructs new ones as instances of the
  // second: changing the prototype afterwards would cost a shape for each.
  JSValue byte_array = JS_UNDEFINED, buffer = JS_UNDEFINED;
  napi_extended_error_info last_error = {};

  // The last value that had no room among the handles. C++ gets this one in place of all that follow. What it does with
  // it does not matter: the call ends with an exception.
  JSValue overflow = JS_UNDEFINED;

  napi_value handle(JSValue value);
  // Takes over the exception that a call of QuickJS has thrown.
  napi_status failed();
  // napi_ok with a handle of the value; for JS_EXCEPTION, takes the exception over and returns its status.
  napi_status give(JSValue value, napi_value* result);
};

inline JSValue value_of(napi_value handle) { return *reinterpret_cast<JSValue*>(handle); }

// A value's text as UTF-8; half of a surrogate pair becomes U+FFFD, as with Node. False, with an exception, if it has
// none.
bool utf8_of(JSContext* context, JSValueConst value, std::string* text);

// The bytes of a typed array; they stay as long as the array does. False when it is not one.
bool bytes_of(JSContext* context, JSValueConst array, uint8_t** bytes, size_t* size);

// A Buffer that owns a copy of the bytes; with `data` nullptr they are not initialised.
JSValue new_buffer(napi_env env, const void* data, size_t size, uint8_t** bytes);
