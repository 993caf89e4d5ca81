// For ThreadSanitizer builds: what the system's gRPC and its libraries do is not its business.
//
// They are not instrumented, so it does not see how they hand memory from thread to thread, and
// reports every message as a race. Linked into whatever links aisivi_proto.
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc\n"
         "race:libgpr.so\n"
         "race:libprotobuf.so\n"
         "race:libabsl_\n"
         "race:libprometheus-cpp\n"
         "race:libcivetweb\n"
         "mutex:libgrpc\n"
         "deadlock:libgrpc\n"
         "thread:libgrpc\n";
}
