// For ThreadSanitizer builds: accesses by the system's libraries, which are not instrumented, are
// left out, and what remains of gRPC's own headers is suppressed, with nothing of ours on the
// stack. tests/server/tsan sees to it that a race in a handler is reported.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_suppressions();

extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }

extern "C" const char* __tsan_default_suppressions() {
  // The end of a call: its last use is counted down by atomics in the library, out of sight.
  return "race:ServerCallbackUnaryImpl::~ServerCallbackUnaryImpl\n"
         "race:ServerCallbackWriterImpl::~ServerCallbackWriterImpl\n";
}
