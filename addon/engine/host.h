// What the JavaScript of src/standalone/ gets from its host.
#pragma once
#include "environment.h"

// Defines the global object `tsrunHost`: functions, and values that are the same on every start.
void define_host(napi_env env);

// Calls the global function `tsrunStart` (src/standalone/entry.ts) with the values that differ from start to start.
JSValue start_command(JSContext* context, int count, char** values);

// process.exitCode
int exit_code(JSContext* context);
