#include "../generated/functions.h"

namespace tsrun {

// Node's own crypto module takes 4 ms to load.
Napi::Value js_checksum(const Napi::CallbackInfo& info) {
  ChecksumArguments arguments(info);
  Napi::Uint8Array bytes = arguments.bytes;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < bytes.ByteLength(); i++) hash = (hash ^ bytes.Data()[i]) * 0x100000001b3u;
  char text[17];
  snprintf(text, sizeof(text), "%016lx", static_cast<unsigned long>(hash));
  return Napi::String::New(info.Env(), text);
}

}  // namespace tsrun
