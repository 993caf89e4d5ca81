#include "server/store/sha256.h"

#include <openssl/evp.h>

#include <new>
#include <stdexcept>

#include "absl/strings/escaping.h"

namespace aisivi::server {
namespace {

// They fail where the library has no memory or no such digest.
void Check(int result) {
  if (result != 1) throw std::runtime_error("SHA-256 cannot be computed");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
  Check(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::Update(absl::string_view bytes) {
  Check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::Finish() {
  std::string digest(32, '\0');
  Check(
      EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr));
  return absl::BytesToHexString(digest);
}

}  // namespace aisivi::server
