// A server whose handlers count their calls, guarded or not, and threads that call them at once.
// race_in_handler sync|callback [guarded]
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "aisivi/v1/fit_service.grpc.pb.h"

namespace {

constexpr int kThreads = 4, kCalls = 200;

// What the handlers share.
class Calls {
 public:
  explicit Calls(bool guarded) : guarded_(guarded) {}
  void Add() {
    std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
    if (guarded_) lock.lock();
    ++count_;
  }
  // A guarded count; an unguarded one is touched by handlers only, so that the race is theirs.
  int count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return guarded_ ? count_ : 0;
  }

 private:
  const bool guarded_;
  std::mutex mutex_;
  int count_ = 0;
};

class SyncService final : public aisivi::v1::FitService::Service {
 public:
  explicit SyncService(Calls* calls) : calls_(calls) {}
  grpc::Status GetFit(grpc::ServerContext*, const aisivi::v1::GetFitRequest*,
                      aisivi::v1::Fit*) override {
    calls_->Add();
    return grpc::Status::OK;
  }

 private:
  Calls* const calls_;
};

class CallbackService final : public aisivi::v1::FitService::CallbackService {
 public:
  explicit CallbackService(Calls* calls) : calls_(calls) {}
  grpc::ServerUnaryReactor* GetFit(grpc::CallbackServerContext* context,
                                   const aisivi::v1::GetFitRequest*, aisivi::v1::Fit*) override {
    calls_->Add();
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  Calls* const calls_;
};

void CallOften(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A connection for each thread, so that several calls are served at once.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto stub = aisivi::v1::FitService::NewStub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  for (int i = 0; i < kCalls; ++i) {
    grpc::ClientContext context;
    aisivi::v1::Fit fit;
    stub->GetFit(&context, aisivi::v1::GetFitRequest(), &fit);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  Calls calls(argc > 2);
  SyncService sync(&calls);
  CallbackService callback(&calls);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  if (std::string(argv[1]) == "sync") {
    builder.RegisterService(&sync);
  } else {
    builder.RegisterService(&callback);
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(CallOften, "127.0.0.1:" + std::to_string(port));
  }
  for (std::thread& thread : threads) thread.join();
  server->Shutdown();
  std::printf("%d calls\n", calls.count());
  return 0;
}
