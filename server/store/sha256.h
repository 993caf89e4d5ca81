// SHA-256 (FIPS 180-4).
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct evp_md_ctx_st;

namespace aisivi::server {

// Of bytes as they come. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  void Update(absl::string_view bytes);
  // 64 hexadecimal digits in lower case. Call once, last.
  std::string Finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace aisivi::server
