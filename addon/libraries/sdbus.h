// The few functions of libsystemd's sd-bus that tsrun calls. They are loaded at first use: without the systemd driver
// no libsystemd is needed. The prototypes are those of sd-bus(3).
#pragma once
#include <cstdint>

namespace tsrun {

struct sd_bus;
struct sd_bus_message;
struct sd_bus_slot;
struct sd_bus_error {
  const char* name;
  const char* message;
  int need_free;
};
using sd_bus_message_handler = int (*)(sd_bus_message*, void* userdata, sd_bus_error*);

// One line a function: name, result, parameters.
#define TSRUN_SD_BUS(X)                                                                                          \
  X(sd_bus_open_system, int, (sd_bus**))                                                                         \
  X(sd_bus_open_user, int, (sd_bus**))                                                                           \
  X(sd_bus_flush_close_unref, sd_bus*, (sd_bus*))                                                                \
  X(sd_bus_message_new_method_call, int,                                                                         \
    (sd_bus*, sd_bus_message**, const char*, const char*, const char*, const char*))                             \
  X(sd_bus_message_append_basic, int, (sd_bus_message*, char, const void*))                                      \
  X(sd_bus_message_open_container, int, (sd_bus_message*, char, const char*))                                    \
  X(sd_bus_message_close_container, int, (sd_bus_message*))                                                      \
  X(sd_bus_message_read_basic, int, (sd_bus_message*, char, void*))                                              \
  X(sd_bus_message_unref, sd_bus_message*, (sd_bus_message*))                                                    \
  X(sd_bus_call, int, (sd_bus*, sd_bus_message*, uint64_t, sd_bus_error*, sd_bus_message**))                     \
  X(sd_bus_get_property_string, int,                                                                             \
    (sd_bus*, const char*, const char*, const char*, const char*, sd_bus_error*, char**))                        \
  X(sd_bus_error_free, void, (sd_bus_error*))                                                                    \
  X(sd_bus_match_signal, int,                                                                                    \
    (sd_bus*, sd_bus_slot**, const char*, const char*, const char*, const char*, sd_bus_message_handler, void*)) \
  X(sd_bus_process, int, (sd_bus*, sd_bus_message**))                                                            \
  X(sd_bus_wait, int, (sd_bus*, uint64_t))

struct SdBus {
#define TSRUN_SD_BUS_MEMBER(name, result, parameters) result(*name) parameters;
  TSRUN_SD_BUS(TSRUN_SD_BUS_MEMBER)
#undef TSRUN_SD_BUS_MEMBER
};

// The library's functions; null, with dlerror's words, if it is missing or lacks a function.
const SdBus* load_sd_bus(const char** error);

}  // namespace tsrun
