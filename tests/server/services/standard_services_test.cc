// Health, reflection and metrics of a real server, each through its own protocol.
#include <arpa/inet.h>
#include <grpcpp/generic/generic_stub.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "tests/server/fake_fit.h"
#include "tests/server/services/server_fixture.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

int PortOf(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

std::string HttpGet(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  EXPECT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string response;
  char buffer[4096];
  for (ssize_t got; (got = ::read(fd, buffer, sizeof(buffer))) > 0;) response.append(buffer, got);
  ::close(fd);
  return response;
}

class StandardServicesTest : public ServerFixture {
 protected:
  void SetUp() override {
    metrics_listen_ = "127.0.0.1:0";
    StartServer(fake_.Function());
  }
  ~StandardServicesTest() override { server_.reset(); }

  // Sends one message to a streaming or unary method by its bytes, and returns the first reply's.
  grpc::Status Call(const std::string& method, const std::string& request, std::string* reply) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(&context, method, &queue);
    void* tag;
    bool ok;
    call->StartCall(nullptr);
    queue.Next(&tag, &ok);
    const grpc::Slice slice(request);
    call->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    queue.Next(&tag, &ok);
    call->WritesDone(nullptr);
    queue.Next(&tag, &ok);
    grpc::ByteBuffer buffer;
    call->Read(&buffer, nullptr);
    if (queue.Next(&tag, &ok) && ok) {
      grpc::Slice joined;
      EXPECT_TRUE(buffer.DumpToSingleSlice(&joined).ok());
      reply->assign(reinterpret_cast<const char*>(joined.begin()), joined.size());
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    queue.Next(&tag, &ok);
    return status;
  }

  FakeFit fake_;
};

TEST_F(StandardServicesTest, HealthSaysServing) {
  std::string reply;
  const grpc::Status status = Call("/grpc.health.v1.Health/Check", "", &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply, std::string("\x08\x01")) << "HealthCheckResponse{status: SERVING}";
}

TEST_F(StandardServicesTest, ReflectionListsTheServices) {
  std::string reply;
  // ServerReflectionRequest{list_services: "*"}
  const grpc::Status status = Call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                   std::string("\x3a\x01*"), &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  for (const char* service : {"aisivi.v1.FitService", "aisivi.v1.PosteriorService",
                              "aisivi.v1.TargetService", "grpc.health.v1.Health"}) {
    EXPECT_THAT(reply, HasSubstr(service));
  }
}

TEST_F(StandardServicesTest, MetricsFollowTheFits) {
  const int port = PortOf(server_->metrics_address());
  EXPECT_THAT(HttpGet(port, "/metrics"), HasSubstr("aisivi_build_info{"));
  const std::string name = MustCreate("target { banana {} }");
  fake_.AwaitStarted(1);
  std::string text = HttpGet(port, "/metrics");
  EXPECT_THAT(text, HasSubstr("aisivi_jobs{state=\"RUNNING\"} 1"));
  EXPECT_THAT(text, HasSubstr("aisivi_fit_iteration{fit=\"" + name + "\"} 1"));
  EXPECT_THAT(text, HasSubstr("aisivi_fit_loss{fit=\"" + name + "\"} -0.5"));
  EXPECT_THAT(
      text,
      HasSubstr("aisivi_rpcs_total{code=\"OK\",method=\"aisivi.v1.FitService/CreateFit\"} 1"));
  fake_.Release();
  AwaitEnd(name);
  text = HttpGet(port, "/metrics");
  EXPECT_THAT(text, HasSubstr("aisivi_jobs{state=\"SUCCEEDED\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr(name)));
  EXPECT_THAT(text, HasSubstr("aisivi_queue_wait_seconds_count 1"));
  EXPECT_THAT(text, HasSubstr("aisivi_sent_bytes_total"));
  EXPECT_THAT(text, Not(HasSubstr("aisivi_sent_bytes_total 0\n")));
}

TEST_F(StandardServicesTest, ErrorsAreCountedByCode) {
  grpc::ClientContext context;
  v1::GetFitRequest request;
  request.set_name("fits/nonesuch");
  v1::Fit fit;
  EXPECT_FALSE(fits_->GetFit(&context, request, &fit).ok());
  EXPECT_THAT(
      HttpGet(PortOf(server_->metrics_address()), "/metrics"),
      HasSubstr("aisivi_rpcs_total{code=\"NOT_FOUND\",method=\"aisivi.v1.FitService/GetFit\"} 1"));
}

TEST_F(StandardServicesTest, PortFileTellsWhereTheServerListens) {
  server_.reset();
  ServerOptions options;
  options.port_file = directory_.path() + "/ports";
  StartServer(fake_.Function(), options);
  std::ifstream file(options.port_file);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, "listen=" + server_->listen_address() +
                      "\nmetrics_listen=" + server_->metrics_address() + "\n");
}

TEST_F(StandardServicesTest, TakenPortsAndDirectoriesNameTheFlag) {
  const TemporaryDirectory other;
  ServerOptions options;
  options.listen = server_->listen_address();
  options.metrics_listen = "none";
  options.data_dir = other.path();
  EXPECT_THAT(std::string(Server::Start(options, fake_.Function()).status().message()),
              HasSubstr("--listen: cannot listen on"));
  options.listen = "127.0.0.1:0";
  options.metrics_listen = server_->metrics_address();
  EXPECT_THAT(std::string(Server::Start(options, fake_.Function()).status().message()),
              HasSubstr("--metrics_listen: cannot listen on"));
  options.metrics_listen = "none";
  options.data_dir = directory_.path();
  EXPECT_THAT(std::string(Server::Start(options, fake_.Function()).status().message()),
              HasSubstr("--data_dir: "));
}

}  // namespace
}  // namespace aisivi::server
