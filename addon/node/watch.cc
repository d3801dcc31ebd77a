// Waits beside Node's event loop: one thread for all descriptors that the library's promises depend on.
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "../common/interrupts.h"
#include "../generated/functions.h"

namespace tsrun {

namespace {

// The token of the event that ends the thread; those of JS are never 0.
constexpr uint64_t kStop = 0;
constexpr int kEvents = 64;

// One for each environment of Node: the main thread, or a worker.
class Watcher {
 public:
  // 0 or an errno.
  int start(Napi::Env env, const Napi::Function& callback) {
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    stop_.reset(eventfd(0, EFD_CLOEXEC));
    if (epoll_.get() < 0 || stop_.get() < 0) return errno;
    if (add(stop_.get(), kStop, EPOLLIN) != 0) return errno;
    told_ = Napi::ThreadSafeFunction::New(env, callback, "tsrun", 0, 1);
    told_.Unref(env);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread_, nullptr, run, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    runs_ = error == 0;
    return error;
  }

  // Called before Node removes the function that the thread calls.
  void stop() {
    if (!runs_) return;
    runs_ = false;
    uint64_t one = 1;
    ssize_t ignored = write(stop_.get(), &one, sizeof(one));
    static_cast<void>(ignored);
    pthread_join(thread_, nullptr);
  }

  int add(int fd, uint64_t token, uint32_t events) {
    epoll_event event = {events | EPOLLONESHOT, {}};
    event.data.u64 = token;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return 0;
    return errno == EEXIST ? epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) : -1;
  }

  void remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  void hold(Napi::Env env, bool holds) {
    if (holds) {
      told_.Ref(env);
    } else {
      told_.Unref(env);
    }
  }

 private:
  static void* run(void* data) {
    static_cast<Watcher*>(data)->watch();
    return nullptr;
  }

  void watch() {
    for (;;) {
      epoll_event events[kEvents];
      int count = epoll_wait(epoll_.get(), events, kEvents, -1);
      for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == kStop) return;
        tell(events[i].data.u64);
      }
      if (count < 0 && errno != EINTR) return;
    }
  }

  // An exception stays pending, and Node handles it. At the end of the process no JavaScript can be called any more,
  // which is no error; Napi::Function::Call would treat it as one and end the process.
  void tell(uint64_t token) {
    told_.NonBlockingCall([token](Napi::Env env, Napi::Function callback) {
      napi_value argument = Napi::Number::New(env, static_cast<double>(token));
      napi_call_function(env, env.Undefined(), callback, 1, &argument, nullptr);
    });
  }

  UniqueFd epoll_, stop_;
  Napi::ThreadSafeFunction told_;
  pthread_t thread_ = {};
  bool runs_ = false;
};

}  // namespace

Napi::Value js_watch_with(const Napi::CallbackInfo& info) {
  WatchWithArguments arguments(info);
  Napi::Env env = info.Env();
  auto watcher = std::make_unique<Watcher>();
  int error = watcher->start(env, arguments.callback.As<Napi::Function>());
  if (error != 0) return throw_errno(env, error, "epoll_create1");
  Watcher* started = watcher.release();
  env.SetInstanceData(started);
  env.AddCleanupHook([](Watcher* each) { each->stop(); }, started);
  return env.Undefined();
}

Napi::Value js_watch(const Napi::CallbackInfo& info) {
  WatchArguments arguments(info);
  Watcher* watcher = info.Env().GetInstanceData<Watcher>();
  uint32_t events = arguments.priority ? EPOLLPRI : EPOLLIN;
  if (watcher->add(arguments.fd, static_cast<uint64_t>(arguments.token), events) == 0) return info.Env().Undefined();
  return throw_errno(info.Env(), errno, "epoll_ctl");
}

Napi::Value js_unwatch(const Napi::CallbackInfo& info) {
  UnwatchArguments arguments(info);
  info.Env().GetInstanceData<Watcher>()->remove(arguments.fd);
  return info.Env().Undefined();
}

Napi::Value js_hold_loop(const Napi::CallbackInfo& info) {
  HoldLoopArguments arguments(info);
  info.Env().GetInstanceData<Watcher>()->hold(info.Env(), arguments.whether);
  return info.Env().Undefined();
}

Napi::Value js_make_pipe(const Napi::CallbackInfo& info) {
  MakePipeArguments arguments(info);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | (arguments.nonblocking ? O_NONBLOCK : 0)) != 0) {
    return throw_errno(info.Env(), errno, "pipe2");
  }
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, ends[0]);
  result.Set(1u, ends[1]);
  return result;
}

Napi::Value js_interrupt_from(const Napi::CallbackInfo& info) {
  InterruptFromArguments arguments(info);
  interrupt_from(arguments.fd);
  return info.Env().Undefined();
}

void export_for_node(Napi::Env env, Napi::Object exports) {
#define TSRUN_EXPORT(name, function) exports.Set(#name, Napi::Function::New<function>(env, #name));
  TSRUN_NODE_FUNCTIONS(TSRUN_EXPORT)
#undef TSRUN_EXPORT
}

}  // namespace tsrun
