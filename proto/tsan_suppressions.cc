// For ThreadSanitizer builds: what the system's gRPC and its libraries do is not its business.
//
// They are not instrumented, so it does not see how they hand memory from thread to thread, and
// reports every message as a race: in the libraries, and in gRPC's header-only batches of
// operations (CallOp…), which take over what a thread of the library has left. Nothing of ours runs
// within them. Linked into whatever links aisivi_proto.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc\n"
         "race:grpc::internal::CallOp\n"
         "race:libgpr.so\n"
         "race:libprotobuf.so\n"
         "race:libabsl_\n"
         "race:libprometheus-cpp\n"
         "race:libcivetweb\n"
         "mutex:libgrpc\n"
         "deadlock:libgrpc\n"
         "thread:libgrpc\n";
}
