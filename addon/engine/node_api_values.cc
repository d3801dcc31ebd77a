// Node-API: making values, and reading them.
#include <cmath>
#include <cstring>

#include "environment.h"

namespace {

// C++ asks for a string's length, and at once for its text: both are made together. In between, the handle keeps it.
const void* measured_string;
std::string measured_text;

}  // namespace

extern "C" {

napi_status napi_get_undefined(napi_env env, napi_value* result) { return env->give(JS_UNDEFINED, result); }
napi_status napi_get_null(napi_env env, napi_value* result) { return env->give(JS_NULL, result); }

napi_status napi_get_boolean(napi_env env, bool value, napi_value* result) {
  return env->give(JS_NewBool(env->context, value), result);
}

napi_status napi_create_double(napi_env env, double value, napi_value* result) {
  return env->give(JS_NewFloat64(env->context, value), result);
}

napi_status napi_create_bigint_int64(napi_env env, int64_t value, napi_value* result) {
  return env->give(JS_NewBigInt64(env->context, value), result);
}

napi_status napi_create_string_utf8(napi_env env, const char* text, size_t length, napi_value* result) {
  return env->give(JS_NewStringLen(env->context, text, length == NAPI_AUTO_LENGTH ? strlen(text) : length), result);
}

napi_status napi_create_object(napi_env env, napi_value* result) {
  return env->give(JS_NewObject(env->context), result);
}

napi_status napi_create_array(napi_env env, napi_value* result) { return env->give(JS_NewArray(env->context), result); }

napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value* result) {
  JSValue array = JS_NewArray(env->context);
  if (JS_IsException(array)) return env->failed();
  JS_SetPropertyStr(env->context, array, "length", JS_NewFloat64(env->context, static_cast<double>(length)));
  return env->give(array, result);
}

napi_status napi_create_buffer(napi_env env, size_t length, void** data, napi_value* result) {
  return env->give(new_buffer(env, nullptr, length, reinterpret_cast<uint8_t**>(data)), result);
}

napi_status napi_create_buffer_copy(napi_env env, size_t length, const void* data, void** copy, napi_value* result) {
  return env->give(new_buffer(env, data, length, reinterpret_cast<uint8_t**>(copy)), result);
}

napi_status napi_typeof(napi_env env, napi_value handle, napi_valuetype* result) {
  JSValue value = value_of(handle);
  if (JS_IsUndefined(value))
    *result = napi_undefined;
  else if (JS_IsNull(value))
    *result = napi_null;
  else if (JS_IsBool(value))
    *result = napi_boolean;
  else if (JS_IsNumber(value))
    *result = napi_number;
  else if (JS_IsString(value))
    *result = napi_string;
  else if (JS_IsSymbol(value))
    *result = napi_symbol;
  else if (JS_IsBigInt(value))
    *result = napi_bigint;
  else if (JS_IsFunction(env->context, value))
    *result = napi_function;
  else
    *result = napi_object;
  return napi_ok;
}

napi_status napi_get_value_bool(napi_env, napi_value handle, bool* result) {
  if (!JS_IsBool(value_of(handle))) return napi_boolean_expected;
  *result = JS_VALUE_GET_BOOL(value_of(handle)) != 0;
  return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value handle, double* result) {
  if (!JS_IsNumber(value_of(handle))) return napi_number_expected;
  return JS_ToFloat64(env->context, result, value_of(handle)) < 0 ? env->failed() : napi_ok;
}

napi_status napi_get_value_int32(napi_env env, napi_value handle, int32_t* result) {
  if (!JS_IsNumber(value_of(handle))) return napi_number_expected;
  return JS_ToInt32(env->context, result, value_of(handle)) < 0 ? env->failed() : napi_ok;
}

napi_status napi_get_value_uint32(napi_env env, napi_value handle, uint32_t* result) {
  if (!JS_IsNumber(value_of(handle))) return napi_number_expected;
  return JS_ToUint32(env->context, result, value_of(handle)) < 0 ? env->failed() : napi_ok;
}

// Not finite: 0; out of range: the nearest value that fits, as the Node-API says.
napi_status napi_get_value_int64(napi_env env, napi_value handle, int64_t* result) {
  double number = 0;
  napi_status status = napi_get_value_double(env, handle, &number);
  if (status != napi_ok) return status;
  if (!std::isfinite(number))
    *result = 0;
  else if (number >= 9223372036854775808.0)
    *result = INT64_MAX;
  else if (number <= -9223372036854775808.0)
    *result = INT64_MIN;
  else
    *result = static_cast<int64_t>(number);
  return napi_ok;
}

napi_status napi_get_value_bigint_uint64(napi_env env, napi_value handle, uint64_t* result, bool* lossless) {
  if (!JS_IsBigInt(value_of(handle))) return napi_bigint_expected;
  int64_t number = 0;
  if (JS_ToBigInt64(env->context, &number, value_of(handle)) < 0) return env->failed();
  *result = static_cast<uint64_t>(number);
  // Nobody asks: the addon's values are checked before.
  *lossless = true;
  return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value handle, char* buffer, size_t size, size_t* result) {
  if (!JS_IsString(value_of(handle))) return napi_string_expected;
  const void* string = JS_VALUE_GET_PTR(value_of(handle));
  bool known = buffer != nullptr && string == measured_string;
  measured_string = nullptr;
  if (!known && !utf8_of(env->context, value_of(handle), &measured_text)) return env->failed();
  size_t length = measured_text.size();
  if (buffer == nullptr) {
    measured_string = string;
  } else {
    if (size == 0) return napi_invalid_arg;
    if (length > size - 1) length = size - 1;
    memcpy(buffer, measured_text.data(), length);
    buffer[length] = 0;
  }
  if (result != nullptr) *result = length;
  return napi_ok;
}

napi_status napi_coerce_to_bool(napi_env env, napi_value handle, napi_value* result) {
  int truth = JS_ToBool(env->context, value_of(handle));
  return truth < 0 ? env->failed() : env->give(JS_NewBool(env->context, truth), result);
}

napi_status napi_coerce_to_number(napi_env env, napi_value handle, napi_value* result) {
  double number = 0;
  if (JS_ToFloat64(env->context, &number, value_of(handle)) < 0) return env->failed();
  return env->give(JS_NewFloat64(env->context, number), result);
}

napi_status napi_coerce_to_string(napi_env env, napi_value handle, napi_value* result) {
  return env->give(JS_ToString(env->context, value_of(handle)), result);
}

// QuickJS does not give the type, and nobody asks for it: unsigned integers of that size will do.
napi_status napi_get_typedarray_info(napi_env env, napi_value handle, napi_typedarray_type* type, size_t* length,
                                     void** data, napi_value* array_buffer, size_t* byte_offset) {
  size_t offset = 0, size = 0, element = 1, whole = 0;
  JSValue buffer = JS_GetTypedArrayBuffer(env->context, value_of(handle), &offset, &size, &element);
  if (JS_IsException(buffer)) return env->failed();
  uint8_t* start = JS_GetArrayBuffer(env->context, &whole, buffer);
  if (type != nullptr) {
    *type = element == 1   ? napi_uint8_array
            : element == 2 ? napi_uint16_array
            : element == 4 ? napi_uint32_array
                           : napi_biguint64_array;
  }
  if (length != nullptr) *length = size / element;
  if (data != nullptr) *data = start + offset;
  if (byte_offset != nullptr) *byte_offset = offset;
  if (array_buffer != nullptr) return env->give(buffer, array_buffer);
  // The array keeps the buffer alive.
  JS_FreeValue(env->context, buffer);
  return napi_ok;
}

}  // extern "C"
