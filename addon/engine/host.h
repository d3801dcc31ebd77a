// What the JavaScript of src/standalone/ gets of its host.
#pragma once
#include "environment.h"

// The global object `tsrunHost`: functions, and what is the same on every start.
void define_host(napi_env env);

// Calls the global function `tsrunStart` (src/standalone/entry.ts) with what differs from start to start.
JSValue start_command(JSContext* context, int count, char** values);

// process.exitCode
int exit_code(JSContext* context);
