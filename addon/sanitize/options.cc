// Only in the build of scripts/sanitize.mjs: the sanitizers' options, fixed here because a command's environment may be
// anything. Leaks are not reported: a command ends without freeing its memory.
extern "C" __attribute__((visibility("default"), no_sanitize("address", "undefined"))) const char*
__asan_default_options() {
  return "detect_leaks=0:disable_coredump=0:exitcode=86:detect_stack_use_after_return=1:log_"
         "path=" TSRUN_SANITIZE_REPORTS "/report";
}

extern "C" __attribute__((visibility("default"), no_sanitize("address", "undefined"))) const char*
__ubsan_default_options() {
  return "halt_on_error=1:print_stacktrace=1:exitcode=86:log_path=" TSRUN_SANITIZE_REPORTS "/report";
}
