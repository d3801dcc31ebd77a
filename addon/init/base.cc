#include "base.h"

#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/socket.h>

// The compiler emits calls to these even in freestanding code.
extern "C" {
void* memcpy(void* to, const void* from, size_t size) {
  char* t = static_cast<char*>(to);
  const char* f = static_cast<const char*>(from);
  for (size_t i = 0; i < size; i++) t[i] = f[i];
  return to;
}
void* memmove(void* to, const void* from, size_t size) {
  char* t = static_cast<char*>(to);
  const char* f = static_cast<const char*>(from);
  if (t < f) return memcpy(to, from, size);
  for (size_t i = size; i > 0; i--) t[i - 1] = f[i - 1];
  return to;
}
void* memset(void* to, int value, size_t size) {
  char* t = static_cast<char*>(to);
  for (size_t i = 0; i < size; i++) t[i] = static_cast<char>(value);
  return to;
}
int memcmp(const void* a, const void* b, size_t size) {
  const unsigned char* x = static_cast<const unsigned char*>(a);
  const unsigned char* y = static_cast<const unsigned char*>(b);
  for (size_t i = 0; i < size; i++) {
    if (x[i] != y[i]) return x[i] - y[i];
  }
  return 0;
}
}

namespace tsrun {

Context ctx;

size_t length(const char* s) {
  size_t n = 0;
  while (s[n] != 0) n++;
  return n;
}

bool equal(const char* a, const char* b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

bool starts_with(const char* s, const char* prefix) {
  while (*prefix != 0) {
    if (*s++ != *prefix++) return false;
  }
  return true;
}

bool copy(char* to, size_t size, const char* from) {
  to[0] = 0;
  return append(to, size, from);
}

bool append(char* to, size_t size, const char* from) {
  size_t at = length(to);
  while (*from != 0 && at + 1 < size) to[at++] = *from++;
  to[at] = 0;
  return *from == 0;
}

char* decimal(char* buffer, int64_t value) {
  char* at = buffer + 23;
  *at = 0;
  bool negative = value < 0;
  uint64_t rest = negative ? -static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (negative) *--at = '-';
  return at;
}

int keep_tracers_out() { return static_cast<int>(sys(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)); }

void* map_pages(size_t size) {
  long address = sys(__NR_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return address < 0 && address > -4096 ? nullptr : reinterpret_cast<void*>(address);
}

int fail(long error, const char* detail) {
  copy(ctx.detail, sizeof(ctx.detail), detail);
  return static_cast<int>(error);
}

namespace {
struct Iovec {
  const void* base;
  size_t size;
};
struct MessageHeader {  // struct msghdr, which only libc's headers declare
  void* name;
  int name_size;
  Iovec* parts;
  size_t part_count;
  void* control;
  size_t control_size;
  int flags;
};
struct ControlFd {  // one cmsghdr with one descriptor
  size_t size;
  int level;
  int type;
  int fd;
  int padding;
};
constexpr int kSolSocket = 1;
constexpr int kScmRights = 1;
constexpr int kMsgNoSignal = 0x4000;
constexpr int kMsgCloseOnExec = 0x40000000;
}  // namespace

int send(uint32_t type, int32_t error, uint32_t value, int fd) {
  Message message = {};
  message.type = type;
  message.op_index = ctx.op_index;
  message.error = error;
  message.value = value;
  copy(message.detail, sizeof(message.detail), ctx.detail);
  Iovec part = {&message, sizeof(message)};
  ControlFd control = {sizeof(size_t) + 3 * sizeof(int), kSolSocket, kScmRights, fd, 0};
  MessageHeader header = {};
  header.parts = &part;
  header.part_count = 1;
  if (fd >= 0) {
    header.control = &control;
    header.control_size = sizeof(control);
  }
  return static_cast<int>(sys(__NR_sendmsg, ctx.report_fd, &header, kMsgNoSignal));
}

void notice(int error, const char* what) {
  copy(ctx.detail, sizeof(ctx.detail), what);
  send(kNotice, -error, 0);
  ctx.detail[0] = 0;
}

void quit(int status) {
  sys(__NR_exit_group, status);
  // If a seccomp filter forbids even that: an illegal instruction needs no call.
  __builtin_trap();
}

void die(int error) {
  int positive = error < 0 ? -error : error;
  int sent = send(kError, positive, ctx.value);
  quit(ctx.filtered && sent < 0 ? positive : 1);
}

void tell_runtime() {
  ctx.detail[0] = 0;
  if (send(kSync, 0, 0) < 0) quit(1);
}

namespace {
// At end of file the runtime is gone, and a container that nobody knows of must not stay.
void demand_continue(const Message& reply, long got) {
  if (got < static_cast<long>(sizeof(uint32_t)) || reply.type != kContinue) quit(1);
}
}  // namespace

void await_continue() {
  Message reply;
  long got;
  do {
    got = sys(__NR_read, ctx.sync_fd, &reply, sizeof(reply));
  } while (got == -EINTR);
  demand_continue(reply, got);
}

Word await_start(int* fd) {
  Message reply;
  Iovec part = {&reply, sizeof(reply)};
  ControlFd control = {};
  MessageHeader header = {};
  header.parts = &part;
  header.part_count = 1;
  header.control = &control;
  header.control_size = sizeof(control);
  long got;
  do {
    got = sys(__NR_recvmsg, ctx.sync_fd, &header, kMsgCloseOnExec);
  } while (got == -EINTR);
  if (got < static_cast<long>(sizeof(uint32_t))) return Word::kGone;
  if (reply.type == kWaitOn) return Word::kWaitOn;
  if (reply.type != kContinue) return Word::kGone;
  bool has_fd = header.control_size >= sizeof(size_t) + 3 * sizeof(int) && control.type == kScmRights;
  *fd = has_fd ? control.fd : -1;
  return Word::kGo;
}

}  // namespace tsrun
