// Converts values of JS to C++ and back, for the structs of ../generated/functions.h.
#pragma once
#include <optional>
#include <type_traits>

#include "convert.h"

namespace tsrun {

template <typename T>
struct FromJs {
  static T from(const Napi::Value& value) {
    if constexpr (std::is_base_of_v<Napi::Value, T>)
      return value.As<T>();
    else
      return T(value.As<Napi::Object>());
  }
};

template <>
struct FromJs<Napi::Value> {
  static Napi::Value from(const Napi::Value& value) { return value; }
};

template <>
struct FromJs<bool> {
  static bool from(const Napi::Value& value) { return value.ToBoolean(); }
};

template <>
struct FromJs<int> {
  static int from(const Napi::Value& value) { return value.As<Napi::Number>().Int32Value(); }
};

template <>
struct FromJs<int64_t> {
  static int64_t from(const Napi::Value& value) { return value.As<Napi::Number>().Int64Value(); }
};

template <>
struct FromJs<uint64_t> {
  static uint64_t from(const Napi::Value& value) {
    bool lossless;
    return value.As<Napi::BigInt>().Uint64Value(&lossless);
  }
};

template <>
struct FromJs<std::string> {
  static std::string from(const Napi::Value& value) { return value.As<Napi::String>().Utf8Value(); }
};

template <typename T>
struct FromJs<std::vector<T>> {
  static std::vector<T> from(const Napi::Value& value) {
    std::vector<T> items;
    each_of(value.As<Napi::Array>(), [&](const Napi::Value& item) { items.push_back(FromJs<T>::from(item)); });
    return items;
  }
};

template <typename T>
struct FromJs<std::optional<T>> {
  static std::optional<T> from(const Napi::Value& value) {
    if (value.IsUndefined()) return std::nullopt;
    return FromJs<T>::from(value);
  }
};

template <typename T>
T from_js(const Napi::Value& value) {
  return FromJs<T>::from(value);
}

template <typename T>
void set_field(Napi::Object& object, const char* name, const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_base_of_v<Napi::Value, T> || std::is_same_v<T, std::string>)
    object.Set(name, value);
  else
    object.Set(name, value.to_js(object.Env()));
}

template <typename T>
void set_field(Napi::Object& object, const char* name, const std::vector<T>& items) {
  Napi::Array array = Napi::Array::New(object.Env(), items.size());
  for (uint32_t i = 0; i < items.size(); i++) {
    Napi::HandleScope scope(object.Env());
    array.Set(i, items[i]);
  }
  object.Set(name, array);
}

template <typename T>
void set_field(Napi::Object& object, const char* name, const std::optional<T>& value) {
  if (value) set_field(object, name, *value);
}

}  // namespace tsrun
