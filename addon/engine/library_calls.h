// How the static executable calls the functions of addon/libraries: it starts the program that has them
// (library_server.cc) with its standard input and output on pipes, writes one request and reads one answer. Both are
// values as QuickJS writes them (JS_WriteObject).
//
//   request: [name, arguments]    answer: [true, result] or [false, the properties of an Error]
#pragma once

#include <cstdint>
#include <string>

// What an Error of the addon has (throw_errno of addon/napi/convert.h).
constexpr const char* kErrorProperties[] = {"message", "code", "errno", "syscall", "path"};

// All that comes until the other end is closed. False and errno when reading fails.
bool read_to_end(int fd, std::string* bytes);

// False and errno when not all of it can be written.
bool write_whole(int fd, const uint8_t* bytes, size_t size);
