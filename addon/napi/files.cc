// The few file operations of src/standalone/fs.ts.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "../generated/functions.h"

namespace tsrun {

namespace {

Napi::Value done(const Napi::CallbackInfo& info, int result, const char* syscall, const std::string& path) {
  if (result != 0) return throw_errno(info.Env(), errno, syscall, path);
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

std::string path_in(const Napi::Value& place) { return place.IsString() ? from_js<std::string>(place) : ""; }

int stat_of(const StatArguments& of, struct stat* status) {
  if (of.path.IsNumber()) return fstat(from_js<int>(of.path), status);
  std::string path = path_in(of.path);
  return of.follow ? stat(path.c_str(), status) : lstat(path.c_str(), status);
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

// Calls use(entry) for each entry but . and .. and returns 0 or an errno.
template <typename Use>
int each_entry(const std::string& path, Use use) {
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return errno;
  int error = 0;
  for (;;) {
    // At the end readdir(3) leaves errno as it is.
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

}  // namespace

Napi::Value js_read_file(const Napi::CallbackInfo& info) {
  ReadFileArguments arguments(info);
  bool given = arguments.path.IsNumber();
  std::string path = path_in(arguments.path);
  UniqueFd own(given ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int fd = given ? from_js<int>(arguments.path) : own.get();
  if (fd < 0) return throw_errno(info.Env(), errno, "open", path);
  std::string bytes;
  if (!read_all(fd, &bytes)) return throw_errno(info.Env(), errno, "read", path);
  return Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
}

// One write(2), as the kernel's interface files want it; more only if the first was short.
Napi::Value js_write_file(const Napi::CallbackInfo& info) {
  WriteFileArguments arguments(info);
  const std::string& path = arguments.path;
  const Napi::Uint8Array& bytes = arguments.bytes;
  UniqueFd fd(open(path.c_str(), arguments.flags | O_CLOEXEC, arguments.mode));
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

Napi::Value js_open(const Napi::CallbackInfo& info) {
  OpenArguments arguments(info);
  const std::string& path = arguments.path;
  int fd = open(path.c_str(), arguments.flags | O_CLOEXEC, arguments.mode);
  if (fd < 0) return throw_errno(info.Env(), errno, "open", path);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value js_close(const Napi::CallbackInfo& info) {
  CloseArguments arguments(info);
  if (close(arguments.fd) != 0) return throw_errno(info.Env(), errno, "close");
  return info.Env().Undefined();
}

Napi::Value js_read_at(const Napi::CallbackInfo& info) {
  ReadAtArguments arguments(info);
  Napi::Uint8Array& bytes = arguments.bytes;
  int64_t position = arguments.position;
  ssize_t got = position < 0 ? read(arguments.fd, bytes.Data(), bytes.ByteLength())
                             : pread(arguments.fd, bytes.Data(), bytes.ByteLength(), position);
  if (got < 0) return throw_errno(info.Env(), errno, "read");
  return Napi::Number::New(info.Env(), static_cast<double>(got));
}

Napi::Value js_write_at(const Napi::CallbackInfo& info) {
  WriteAtArguments arguments(info);
  const Napi::Uint8Array& bytes = arguments.bytes;
  int64_t position = arguments.position;
  ssize_t put = position < 0 ? write(arguments.fd, bytes.Data(), bytes.ByteLength())
                             : pwrite(arguments.fd, bytes.Data(), bytes.ByteLength(), position);
  if (put < 0) return throw_errno(info.Env(), errno, "write");
  return Napi::Number::New(info.Env(), static_cast<double>(put));
}

Napi::Value js_truncate(const Napi::CallbackInfo& info) {
  TruncateArguments arguments(info);
  if (ftruncate(arguments.fd, arguments.size) != 0) {
    return throw_errno(info.Env(), errno, "ftruncate");
  }
  return info.Env().Undefined();
}

Napi::Value js_make_directory(const Napi::CallbackInfo& info) {
  MakeDirectoryArguments arguments(info);
  return done(info, mkdir(arguments.path.c_str(), static_cast<mode_t>(arguments.mode)), "mkdir", arguments.path);
}

Napi::Value js_remove_directory(const Napi::CallbackInfo& info) {
  RemoveDirectoryArguments arguments(info);
  return done(info, rmdir(arguments.path.c_str()), "rmdir", arguments.path);
}

Napi::Value js_unlink(const Napi::CallbackInfo& info) {
  UnlinkArguments arguments(info);
  return done(info, unlink(arguments.path.c_str()), "unlink", arguments.path);
}

Napi::Value js_rename(const Napi::CallbackInfo& info) {
  RenameArguments arguments(info);
  return done(info, rename(arguments.from.c_str(), arguments.to.c_str()), "rename", arguments.from);
}

Napi::Value js_symlink(const Napi::CallbackInfo& info) {
  SymlinkArguments arguments(info);
  const std::string& path = arguments.path;
  if (symlink(arguments.target.c_str(), path.c_str()) != 0) return throw_errno(info.Env(), errno, "symlink", path);
  return info.Env().Undefined();
}

Napi::Value js_sync(const Napi::CallbackInfo& info) {
  SyncArguments arguments(info);
  if (fsync(arguments.fd) != 0) return throw_errno(info.Env(), errno, "fsync");
  return info.Env().Undefined();
}

Napi::Value js_chown(const Napi::CallbackInfo& info) {
  ChownArguments arguments(info);
  return done(info, chown(arguments.path.c_str(), static_cast<uid_t>(arguments.uid), static_cast<gid_t>(arguments.gid)),
              "chown", arguments.path);
}

Napi::Value js_read_link(const Napi::CallbackInfo& info) {
  ReadLinkArguments arguments(info);
  char target[4096];
  const std::string& path = arguments.path;
  ssize_t size = readlink(path.c_str(), target, sizeof(target));
  if (size < 0) return throw_errno(info.Env(), errno, "readlink", path);
  return Napi::String::New(info.Env(), target, static_cast<size_t>(size));
}

Napi::Value js_stat(const Napi::CallbackInfo& info) {
  StatArguments arguments(info);
  struct stat status = {};
  if (stat_of(arguments, &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return info.Env().Null();
    return throw_errno(info.Env(), errno, "stat", path_in(arguments.path));
  }
  FileStatus result;
  result.mode = status.st_mode;
  result.size = static_cast<double>(status.st_size);
  result.uid = status.st_uid;
  result.ino = static_cast<double>(status.st_ino);
  result.dev = static_cast<double>(status.st_dev);
  result.rdev = static_cast<double>(status.st_rdev);
  result.nlink = static_cast<double>(status.st_nlink);
  result.mtime_ms =
      static_cast<double>(status.st_mtim.tv_sec) * 1e3 + static_cast<double>(status.st_mtim.tv_nsec) / 1e6;
  return result.to_js(info.Env());
}

Napi::Value js_directories_with(const Napi::CallbackInfo& info) {
  DirectoriesWithArguments arguments(info);
  const std::string& path = arguments.path;
  const std::string file = "/" + arguments.file;
  SortedDirectories result;
  int error = each_entry(path, [&](const dirent& entry) {
    // Some filesystems do not give the type; then lstat(2) does.
    if (entry.d_type != DT_DIR && entry.d_type != DT_UNKNOWN) return;
    std::string directory = path + "/" + entry.d_name;
    struct stat status = {}, inner = {};
    if (lstat(directory.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) return;
    bool has = S_ISDIR(status.st_mode) && status.st_uid == geteuid() && stat((directory + file).c_str(), &inner) == 0;
    (has ? result.having : result.others).push_back(entry.d_name);
  });
  if (error != 0) return throw_errno(info.Env(), error, "getdents", path);
  std::sort(result.having.begin(), result.having.end());
  std::sort(result.others.begin(), result.others.end());
  return result.to_js(info.Env());
}

Napi::Value js_read_directory(const Napi::CallbackInfo& info) {
  ReadDirectoryArguments arguments(info);
  const std::string& path = arguments.path;
  Napi::Array result = Napi::Array::New(info.Env());
  uint32_t at = 0;
  int error = each_entry(path, [&](const dirent& entry) {
    // A directory may be long, and each value takes a handle until its scope ends.
    Napi::HandleScope scope(info.Env());
    result.Set(at++, entry.d_name);
    result.Set(at++, type_name(entry.d_type));
  });
  if (error != 0) return throw_errno(info.Env(), error, "getdents", path);
  return result;
}

}  // namespace tsrun
