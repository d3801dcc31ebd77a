// Only in the build of scripts/sanitize.mjs: what the sanitizers do, whatever environment a command is given. Memory
// that a command has not freed when it ends is no fault, as it ends.
extern "C" __attribute__((visibility("default"), no_sanitize("address", "undefined"))) const char*
__asan_default_options() {
  return "detect_leaks=0:disable_coredump=0:exitcode=86:detect_stack_use_after_return=1:log_"
         "path=" TSRUN_SANITIZE_REPORTS "/report";
}

extern "C" __attribute__((visibility("default"), no_sanitize("address", "undefined"))) const char*
__ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1:exitcode=86:log_path=" TSRUN_SANITIZE_REPORTS "/report";
}
