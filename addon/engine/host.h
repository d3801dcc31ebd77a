// What the JavaScript of src/standalone/ gets of its host, as the global object `tsrunHost`.
#pragma once
#include "environment.h"

void define_host(napi_env env, int count, char** values);
