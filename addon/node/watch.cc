// Waiting beside Node's event loop: one thread for all descriptors that the library has its promises from.
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "../common/interrupts.h"
#include "../napi/convert.h"

namespace tsrun {

namespace {

// Of the event the thread is ended by; those of JS are never 0.
constexpr uint64_t kStop = 0;
constexpr int kEvents = 64;

// Of one environment of Node: the main thread's, or a worker's.
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

  // Before Node takes the function away that the thread calls.
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

  void tell(uint64_t token) {
    told_.NonBlockingCall([token](Napi::Env env, Napi::Function callback) {
      callback.Call({Napi::Number::New(env, static_cast<double>(token))});
    });
  }

  UniqueFd epoll_, stop_;
  Napi::ThreadSafeFunction told_;
  pthread_t thread_ = {};
  bool runs_ = false;
};

// watchWith(callback): begins the thread, which calls back with the token of each descriptor that is ready
Napi::Value watch_with(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto watcher = std::make_unique<Watcher>();
  int error = watcher->start(env, info[0].As<Napi::Function>());
  if (error != 0) return throw_errno(env, error, "epoll_create1");
  Watcher* started = watcher.release();
  env.SetInstanceData(started);
  env.AddCleanupHook([](Watcher* each) { each->stop(); }, started);
  return env.Undefined();
}

// watch(fd, token, priority): once; a token is a whole number from 1 on
Napi::Value watch_descriptor(const Napi::CallbackInfo& info) {
  uint32_t events = info[2].As<Napi::Boolean>().Value() ? EPOLLPRI : EPOLLIN;
  auto token = static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value());
  if (info.Env().GetInstanceData<Watcher>()->add(int_at(info, 0), token, events) == 0) return info.Env().Undefined();
  return throw_errno(info.Env(), errno, "epoll_ctl");
}

// unwatch(fd), before it is closed
Napi::Value unwatch_descriptor(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<Watcher>()->remove(int_at(info, 0));
  return info.Env().Undefined();
}

// holdLoop(whether): whether what is watched keeps the process alive
Napi::Value hold_loop(const Napi::CallbackInfo& info) {
  info.Env().GetInstanceData<Watcher>()->hold(info.Env(), info[0].As<Napi::Boolean>().Value());
  return info.Env().Undefined();
}

// makePipe(nonblocking) -> [read end, write end]
Napi::Value make_pipe(const Napi::CallbackInfo& info) {
  int ends[2];
  int flags = O_CLOEXEC | (info[0].As<Napi::Boolean>().Value() ? O_NONBLOCK : 0);
  if (pipe2(ends, flags) != 0) return throw_errno(info.Env(), errno, "pipe2");
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, ends[0]);
  result.Set(1u, ends[1]);
  return result;
}

// interruptFrom(fd): of this thread
Napi::Value interrupt_thread_from(const Napi::CallbackInfo& info) {
  interrupt_from(int_at(info, 0));
  return info.Env().Undefined();
}

}  // namespace

void export_for_node(Napi::Env env, Napi::Object exports) {
  exports.Set("watchWith", Napi::Function::New<watch_with>(env, "watchWith"));
  exports.Set("watch", Napi::Function::New<watch_descriptor>(env, "watch"));
  exports.Set("unwatch", Napi::Function::New<unwatch_descriptor>(env, "unwatch"));
  exports.Set("holdLoop", Napi::Function::New<hold_loop>(env, "holdLoop"));
  exports.Set("makePipe", Napi::Function::New<make_pipe>(env, "makePipe"));
  exports.Set("interruptFrom", Napi::Function::New<interrupt_thread_from>(env, "interruptFrom"));
}

}  // namespace tsrun
