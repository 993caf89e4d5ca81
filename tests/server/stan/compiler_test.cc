// What CompileStan() has done, in which order and how often, by a compiler that only writes down
// how it was called.
#include "server/stan/compiler.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CompilerTest : public ::testing::Test {
 protected:
  CompilerTest() {
    toolchain_.is_cmdstan = true;
    toolchain_.slim_headers = true;
    toolchain_.stanc = Script("stanc", "for a; do case $a in --o=*) : >${a#--o=};; esac; done");
    toolchain_.identity = "1";
    Compiler("");
  }

  // A compiler that does `first` ("$*": its arguments) and then writes what -o names.
  void Compiler(const std::string& first) {
    toolchain_.compiler =
        Script("compiler", absl::StrCat("echo \"$*\" >>", Path("log"), "\n", first, "\n",
                                        "while [ \"$1\" != -o ]; do shift; done\n: >\"$2\"\n"));
  }
  std::string Path(const std::string& name) { return absl::StrCat(directory_.path(), "/", name); }
  std::string Script(const std::string& name, const std::string& text) {
    std::ofstream(Path(name)) << "#!/bin/sh\n" << text << "\n";
    chmod(Path(name).c_str(), 0700);
    return Path(name);
  }

  absl::Status Compile(const std::string& program = "model {}") {
    return CompileStan(
        toolchain_, SandboxKind::kNone, program,
        [&](const std::atomic<bool>*) -> absl::StatusOr<std::string> {
          if (!host_.ok()) return host_;
          return std::string("/host/object");
        },
        work_.path(), nullptr);
  }
  // What the compiler was called with, a line each.
  std::string Log() {
    std::ifstream file(Path("log"));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  TemporaryDirectory directory_, work_;
  StanToolchain toolchain_;
  absl::Status host_;
};

TEST_F(CompilerTest, CompilesAProgramWithThePreludeAndLinksIt) {
  EXPECT_TRUE(Compile("model { matrix_exp(inverse(x)); }").ok());
  const std::string log = Log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2);
  EXPECT_THAT(log, HasSubstr("/prelude.h -DAISIVI_USES_inverse -DAISIVI_USES_matrix_exp\n"));
  EXPECT_THAT(log, HasSubstr("\n/host/object "));
  EXPECT_THAT(log, Not(HasSubstr("integrate_ode")));
}

TEST_F(CompilerTest, ATryWithoutThePreludeWhereItDoesNotCompileWithIt) {
  Compiler("case $* in *prelude.h*) echo 'x.cc:1: error: not declared'; exit 1;; esac");
  EXPECT_TRUE(Compile().ok());
  const std::string log = Log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3);
  Compiler("case $* in *program.cc*) echo 'x.cc:1: error: wrong'; exit 1;; esac");
  EXPECT_THAT(std::string(Compile().message()),
              HasSubstr("does not compile: x.cc:1: error: wrong"));
}

TEST_F(CompilerTest, ATryWithoutThePreludeWhereItDoesNotLinkWithIt) {
  Compiler(absl::StrCat("case $* in */host/object*) if [ ! -e ", Path("tried"), " ]; then : >",
                        Path("tried"), "; echo 'ld: error: undefined'; exit 1; fi;; esac"));
  EXPECT_TRUE(Compile().ok());
  const std::string log = Log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 4);
}

TEST_F(CompilerTest, OtherErrorsAreNotTriedAgain) {
  Compiler("kill -XCPU $$");
  EXPECT_THAT(std::string(Compile().message()), HasSubstr("more than 120 s to compile"));
  const std::string log = Log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
}

TEST_F(CompilerTest, WithoutAHostThereIsNoProgram) {
  host_ = absl::InternalError("no host");
  EXPECT_EQ(Compile(), host_);
}

TEST_F(CompilerTest, TheHostIsOneObject) {
  EXPECT_TRUE(CompileStanHost(toolchain_, SandboxKind::kNone, work_.path(), nullptr).ok());
  EXPECT_THAT(Log(), HasSubstr("-r -nostdlib -o "));
  EXPECT_TRUE(std::ifstream(work_.path() + "/model"));
  Compiler("echo 'host.cc:1: error: no seccomp.h'; exit 1");
  const absl::Status error = CompileStanHost(toolchain_, SandboxKind::kNone, work_.path(), nullptr);
  EXPECT_TRUE(absl::IsInternal(error));
  EXPECT_THAT(std::string(error.message()), HasSubstr("no seccomp.h"));
  const std::atomic<bool> cancel = true;
  EXPECT_TRUE(
      absl::IsCancelled(CompileStanHost(toolchain_, SandboxKind::kNone, work_.path(), &cancel)));
}

TEST_F(CompilerTest, AnotherToolchainIsAnotherKey) {
  StanToolchain other = toolchain_;
  other.identity = "2";
  EXPECT_NE(HostIdentity(toolchain_), HostIdentity(other));
  EXPECT_NE(CompilerIdentity(toolchain_), CompilerIdentity(other));
  EXPECT_EQ(HostIdentity(toolchain_), HostIdentity(StanToolchain(toolchain_)));
}

}  // namespace
}  // namespace aisivi::server
