// Node-API: properties, functions, errors, and how long values live.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "environment.h"

struct napi_callback_info__ {
  JSValueConst self;
  int count;
  JSValueConst* values;
  void* data;
};

// node-addon-api keeps errors in references while they travel; a reference here is always a strong one.
struct napi_ref__ {
  JSValue value;
};

namespace {

// What a JS function of the addon calls. There is one for each function, and it lives as long as the process.
struct Function {
  napi_env env;
  napi_callback callback;
  void* data;
};

JSValue call(JSContext* context, JSValueConst self, int count, JSValueConst* values, int, JSValue* data) {
  int64_t pointer = 0;
  if (JS_ToBigInt64(context, &pointer, data[0]) < 0) return JS_EXCEPTION;
  auto* function = reinterpret_cast<Function*>(pointer);
  napi_env env = function->env;
  napi_callback_info__ info = {self, count, values, function->data};
  size_t scope = env->handles.size();
  napi_value returned = function->callback(env, &info);
  JSValue result = returned == nullptr ? JS_UNDEFINED : JS_DupValue(context, value_of(returned));
  env->handles.shrink(context, scope);
  if (JS_IsUninitialized(env->exception)) return result;
  JS_FreeValue(context, result);
  JSValue thrown = env->exception;
  env->exception = JS_UNINITIALIZED;
  return JS_Throw(context, thrown);
}

napi_status new_error(napi_env env, const char* type, napi_value code, napi_value message, napi_value* result) {
  JSContext* context = env->context;
  JSValue global = JS_GetGlobalObject(context);
  JSValue constructor = JS_GetPropertyStr(context, global, type);
  JSValue text = value_of(message);
  JSValue error = JS_CallConstructor(context, constructor, 1, &text);
  JS_FreeValue(context, constructor);
  JS_FreeValue(context, global);
  if (JS_IsException(error)) return env->failed();
  if (code != nullptr) JS_SetPropertyStr(context, error, "code", JS_DupValue(context, value_of(code)));
  return env->give(error, result);
}

napi_status set(napi_env env, int outcome) { return outcome < 0 ? env->failed() : napi_ok; }

}  // namespace

extern "C" {

napi_status napi_get_named_property(napi_env env, napi_value object, const char* name, napi_value* result) {
  return env->give(JS_GetPropertyStr(env->context, value_of(object), name), result);
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char* name, napi_value value) {
  JSValue kept = JS_DupValue(env->context, value_of(value));
  return set(env, JS_SetPropertyStr(env->context, value_of(object), name, kept));
}

napi_status napi_get_property(napi_env env, napi_value object, napi_value key, napi_value* result) {
  JSAtom atom = JS_ValueToAtom(env->context, value_of(key));
  if (atom == JS_ATOM_NULL) return env->failed();
  JSValue value = JS_GetProperty(env->context, value_of(object), atom);
  JS_FreeAtom(env->context, atom);
  return env->give(value, result);
}

napi_status napi_has_property(napi_env env, napi_value object, napi_value key, bool* result) {
  JSAtom atom = JS_ValueToAtom(env->context, value_of(key));
  if (atom == JS_ATOM_NULL) return env->failed();
  int has = JS_HasProperty(env->context, value_of(object), atom);
  JS_FreeAtom(env->context, atom);
  *result = has > 0;
  return set(env, has);
}

// Only plain values, which is what Napi::Error needs when it wraps a value that is not an object.
napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor* properties) {
  for (size_t i = 0; i < count; i++) {
    if (properties[i].utf8name == nullptr || properties[i].value == nullptr) return napi_invalid_arg;
    napi_status status = napi_set_named_property(env, object, properties[i].utf8name, properties[i].value);
    if (status != napi_ok) return status;
  }
  return napi_ok;
}

napi_status napi_get_element(napi_env env, napi_value array, uint32_t index, napi_value* result) {
  return env->give(JS_GetPropertyUint32(env->context, value_of(array), index), result);
}

napi_status napi_set_element(napi_env env, napi_value array, uint32_t index, napi_value value) {
  JSValue kept = JS_DupValue(env->context, value_of(value));
  return set(env, JS_SetPropertyUint32(env->context, value_of(array), index, kept));
}

napi_status napi_get_array_length(napi_env env, napi_value array, uint32_t* result) {
  if (!JS_IsArray(value_of(array))) return napi_array_expected;
  int64_t length = 0;
  JSValue value = JS_GetPropertyStr(env->context, value_of(array), "length");
  int outcome = JS_ToInt64(env->context, &length, value);
  JS_FreeValue(env->context, value);
  *result = static_cast<uint32_t>(length);
  return set(env, outcome);
}

napi_status napi_create_function(napi_env env, const char*, size_t, napi_callback callback, void* data,
                                 napi_value* result) {
  auto* function = static_cast<Function*>(js_malloc(env->context, sizeof(Function)));
  if (function == nullptr) return env->failed();
  *function = {env, callback, data};
  JSValue pointer = JS_NewBigInt64(env->context, reinterpret_cast<int64_t>(function));
  JSValue made = JS_NewCFunctionData(env->context, call, 0, 0, 1, &pointer);
  JS_FreeValue(env->context, pointer);
  return env->give(made, result);
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t* count, napi_value* values, napi_value* self,
                             void** data) {
  if (values != nullptr && count != nullptr) {
    for (size_t i = 0; i < *count; i++) {
      bool given = i < static_cast<size_t>(info->count);
      values[i] = env->handle(given ? JS_DupValue(env->context, info->values[i]) : JS_UNDEFINED);
    }
  }
  if (count != nullptr) *count = static_cast<size_t>(info->count);
  if (self != nullptr) *self = env->handle(JS_DupValue(env->context, info->self));
  if (data != nullptr) *data = info->data;
  return napi_ok;
}

napi_status napi_create_error(napi_env env, napi_value code, napi_value message, napi_value* result) {
  return new_error(env, "Error", code, message, result);
}

napi_status napi_create_type_error(napi_env env, napi_value code, napi_value message, napi_value* result) {
  return new_error(env, "TypeError", code, message, result);
}

napi_status napi_throw(napi_env env, napi_value error) {
  JS_FreeValue(env->context, env->exception);
  env->exception = JS_DupValue(env->context, value_of(error));
  return napi_ok;
}

napi_status napi_is_exception_pending(napi_env env, bool* result) {
  *result = !JS_IsUninitialized(env->exception);
  return napi_ok;
}

napi_status napi_get_and_clear_last_exception(napi_env env, napi_value* result) {
  JSValue thrown = JS_IsUninitialized(env->exception) ? JS_UNDEFINED : env->exception;
  env->exception = JS_UNINITIALIZED;
  return env->give(thrown, result);
}

napi_status napi_get_last_error_info(napi_env env, const napi_extended_error_info** result) {
  env->last_error.error_message = "a call of the Node-API failed";
  *result = &env->last_error;
  return napi_ok;
}

void napi_fatal_error(const char* location, size_t, const char* message, size_t) {
  fprintf(stderr, "tsrun: internal error: %s: %s\n", location, message);
  abort();
}

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t, napi_ref* result) {
  *result = new napi_ref__{JS_DupValue(env->context, value_of(value))};
  return napi_ok;
}

napi_status napi_delete_reference(napi_env env, napi_ref reference) {
  JS_FreeValue(env->context, reference->value);
  delete reference;
  return napi_ok;
}

napi_status napi_get_reference_value(napi_env env, napi_ref reference, napi_value* result) {
  return env->give(JS_DupValue(env->context, reference->value), result);
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope* result) {
  *result = reinterpret_cast<napi_handle_scope>(env->handles.size());
  return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope) {
  env->handles.shrink(env->context, reinterpret_cast<size_t>(scope));
  return napi_ok;
}

}  // extern "C"
