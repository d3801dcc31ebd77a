// The few file operations of src/standalone/fs.ts.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "functions.h"

namespace tsrun {

namespace {

Napi::Value done(const Napi::CallbackInfo& info, int result, const char* syscall) {
  if (result != 0) return throw_errno(info.Env(), errno, syscall, string_at(info, 0));
  return info.Env().Undefined();
}

bool read_all(int fd, std::string* bytes) {
  char buffer[65536];
  for (;;) {
    ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    bytes->append(buffer, static_cast<size_t>(got));
  }
}

int stat_of(const Napi::CallbackInfo& info, struct stat* status) {
  if (info[0].IsNumber()) return fstat(int_at(info, 0), status);
  bool follow = info[1].As<Napi::Boolean>().Value();
  return follow ? stat(string_at(info, 0).c_str(), status) : lstat(string_at(info, 0).c_str(), status);
}

const char* type_name(unsigned char type) {
  switch (type) {
    case DT_DIR:
      return "directory";
    case DT_REG:
      return "file";
    default:
      return "other";
  }
}

// Calls use(entry) for each but . and .. and returns 0 or an errno.
template <typename Use>
int each_entry(const std::string& path, Use use) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return errno;
  int error = 0;
  for (;;) {
    // The end sets no errno.
    errno = 0;
    dirent* entry = readdir(directory);
    error = errno;
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") use(*entry);
  }
  closedir(directory);
  return error;
}

Napi::Array sorted(Napi::Env env, std::vector<std::string>* names) {
  std::sort(names->begin(), names->end());
  Napi::Array result = Napi::Array::New(env, names->size());
  for (size_t i = 0; i < names->size(); i++) {
    Napi::HandleScope scope(env);
    result.Set(static_cast<uint32_t>(i), (*names)[i]);
  }
  return result;
}

}  // namespace

// readFile(path | fd) -> Buffer
Napi::Value read_file(const Napi::CallbackInfo& info) {
  bool given = info[0].IsNumber();
  std::string path = given ? "" : string_at(info, 0);
  UniqueFd own(given ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int fd = given ? int_at(info, 0) : own.get();
  if (fd < 0) return throw_errno(info.Env(), errno, "open", path);
  std::string bytes;
  if (!read_all(fd, &bytes)) return throw_errno(info.Env(), errno, "read", path);
  return Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
}

// writeFile(path, bytes, flags, mode): one write(2), as interface files of the kernel want it, and more if need be
Napi::Value write_file(const Napi::CallbackInfo& info) {
  std::string path = string_at(info, 0);
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  UniqueFd fd(open(path.c_str(), int_at(info, 2) | O_CLOEXEC, int_at(info, 3)));
  if (fd.get() < 0) return throw_errno(info.Env(), errno, "open", path);
  size_t at = 0;
  do {
    ssize_t put = write(fd.get(), bytes.Data() + at, bytes.ByteLength() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return throw_errno(info.Env(), errno, "write", path);
    at += static_cast<size_t>(put);
  } while (at < bytes.ByteLength());
  return info.Env().Undefined();
}

// open(path, flags, mode) -> fd
Napi::Value open_file(const Napi::CallbackInfo& info) {
  std::string path = string_at(info, 0);
  int fd = open(path.c_str(), int_at(info, 1) | O_CLOEXEC, int_at(info, 2));
  if (fd < 0) return throw_errno(info.Env(), errno, "open", path);
  return Napi::Number::New(info.Env(), fd);
}

// close(fd)
Napi::Value close_file(const Napi::CallbackInfo& info) {
  if (close(int_at(info, 0)) != 0) return throw_errno(info.Env(), errno, "close");
  return info.Env().Undefined();
}

// readAt(fd, bytes, position | -1) -> count
Napi::Value read_at(const Napi::CallbackInfo& info) {
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  int64_t position = info[2].As<Napi::Number>().Int64Value();
  ssize_t got = position < 0 ? read(int_at(info, 0), bytes.Data(), bytes.ByteLength())
                             : pread(int_at(info, 0), bytes.Data(), bytes.ByteLength(), position);
  if (got < 0) return throw_errno(info.Env(), errno, "read");
  return Napi::Number::New(info.Env(), static_cast<double>(got));
}

// writeAt(fd, bytes, position | -1) -> count
Napi::Value write_at(const Napi::CallbackInfo& info) {
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  int64_t position = info[2].As<Napi::Number>().Int64Value();
  ssize_t put = position < 0 ? write(int_at(info, 0), bytes.Data(), bytes.ByteLength())
                             : pwrite(int_at(info, 0), bytes.Data(), bytes.ByteLength(), position);
  if (put < 0) return throw_errno(info.Env(), errno, "write");
  return Napi::Number::New(info.Env(), static_cast<double>(put));
}

// truncate(fd, size)
Napi::Value truncate_file(const Napi::CallbackInfo& info) {
  if (ftruncate(int_at(info, 0), info[1].As<Napi::Number>().Int64Value()) != 0) {
    return throw_errno(info.Env(), errno, "ftruncate");
  }
  return info.Env().Undefined();
}

// makeDirectory(path, mode)
Napi::Value make_directory(const Napi::CallbackInfo& info) {
  return done(info, mkdir(string_at(info, 0).c_str(), int_at(info, 1)), "mkdir");
}

// removeDirectory(path)
Napi::Value remove_directory(const Napi::CallbackInfo& info) {
  return done(info, rmdir(string_at(info, 0).c_str()), "rmdir");
}

// unlink(path)
Napi::Value unlink_file(const Napi::CallbackInfo& info) {
  return done(info, unlink(string_at(info, 0).c_str()), "unlink");
}

// rename(from, to)
Napi::Value rename_file(const Napi::CallbackInfo& info) {
  return done(info, rename(string_at(info, 0).c_str(), string_at(info, 1).c_str()), "rename");
}

// symlink(target, path)
Napi::Value symlink_file(const Napi::CallbackInfo& info) {
  std::string path = string_at(info, 1);
  if (symlink(string_at(info, 0).c_str(), path.c_str()) != 0) return throw_errno(info.Env(), errno, "symlink", path);
  return info.Env().Undefined();
}

// sync(fd)
Napi::Value sync_file(const Napi::CallbackInfo& info) {
  if (fsync(int_at(info, 0)) != 0) return throw_errno(info.Env(), errno, "fsync");
  return info.Env().Undefined();
}

// chown(path, uid, gid)
Napi::Value chown_file(const Napi::CallbackInfo& info) {
  return done(info,
              chown(string_at(info, 0).c_str(), info[1].As<Napi::Number>().Uint32Value(),
                    info[2].As<Napi::Number>().Uint32Value()),
              "chown");
}

// readLink(path) -> string
Napi::Value read_link(const Napi::CallbackInfo& info) {
  char target[4096];
  std::string path = string_at(info, 0);
  ssize_t size = readlink(path.c_str(), target, sizeof(target));
  if (size < 0) return throw_errno(info.Env(), errno, "readlink", path);
  return Napi::String::New(info.Env(), target, static_cast<size_t>(size));
}

// stat(path | fd, follow) -> { mode, size, uid, ino, dev, mtimeMs } | null when it is not there
Napi::Value stat_file(const Napi::CallbackInfo& info) {
  struct stat status = {};
  if (stat_of(info, &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return info.Env().Null();
    return throw_errno(info.Env(), errno, "stat", info[0].IsString() ? string_at(info, 0) : "");
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("mode", static_cast<double>(status.st_mode));
  result.Set("size", static_cast<double>(status.st_size));
  result.Set("uid", static_cast<double>(status.st_uid));
  result.Set("ino", static_cast<double>(status.st_ino));
  result.Set("dev", static_cast<double>(status.st_dev));
  result.Set("rdev", static_cast<double>(status.st_rdev));
  result.Set("nlink", static_cast<double>(status.st_nlink));
  result.Set("mtimeMs",
             static_cast<double>(status.st_mtim.tv_sec) * 1e3 + static_cast<double>(status.st_mtim.tv_nsec) / 1e6);
  return result;
}

// directoriesWith(path, file) -> { having, others }
Napi::Value directories_with(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string path = string_at(info, 0), file = "/" + string_at(info, 1);
  std::vector<std::string> having, others;
  int error = each_entry(path, [&](const dirent& entry) {
    if (entry.d_type != DT_DIR) return;
    std::string directory = path + "/" + entry.d_name;
    struct stat status = {}, inner = {};
    bool has = lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
               stat((directory + file).c_str(), &inner) == 0;
    (has ? having : others).push_back(entry.d_name);
  });
  if (error != 0) return throw_errno(env, error, "getdents", path);
  Napi::Object result = Napi::Object::New(env);
  result.Set("having", sorted(env, &having));
  result.Set("others", sorted(env, &others));
  return result;
}

// readDirectory(path) -> [name, 'directory' | 'file' | 'other', …]
Napi::Value read_directory(const Napi::CallbackInfo& info) {
  std::string path = string_at(info, 0);
  Napi::Array result = Napi::Array::New(info.Env());
  uint32_t at = 0;
  int error = each_entry(path, [&](const dirent& entry) {
    // A directory may be long, and each value takes a handle.
    Napi::HandleScope scope(info.Env());
    result.Set(at++, entry.d_name);
    result.Set(at++, type_name(entry.d_type));
  });
  if (error != 0) return throw_errno(info.Env(), error, "getdents", path);
  return result;
}

}  // namespace tsrun
