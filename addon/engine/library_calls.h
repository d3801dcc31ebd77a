// How the static executable calls the functions of addon/libraries: it starts the program that has them
// (library_server.cc), with pipes as its standard input and output, writes one request and reads one answer. Both are
// values as JS_WriteObject encodes them.
//
//   request: [name, arguments]    answer: [true, result] or [false, the properties of an Error]
#pragma once

#include <cstdint>
#include <string>

// The properties of the addon's Errors (throw_errno of addon/napi/convert.h).
constexpr const char* kErrorProperties[] = {"message", "code", "errno", "syscall", "path"};

// Reads until the other end is closed. False, with errno, if reading fails.
bool read_to_end(int fd, std::string* bytes);

// False, with errno, if not everything could be written.
bool write_whole(int fd, const uint8_t* bytes, size_t size);
