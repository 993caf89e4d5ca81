// Plain data as bytes: values in native little-endian order, one after the other; an array after
// its length; a checksum of all before it at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace aisivi {

// FNV-1a, 64 bits (RFC 9923). Finds damage, not malice.
inline uint64_t Checksum(std::string_view bytes) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

// Thread safety: none.
class ByteWriter {
 public:
  template <typename T>
  void Put(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <typename T>
  void PutArray(const T* values, int64_t count) {
    static_assert(std::is_arithmetic_v<T>);
    Put<int64_t>(count);
    Raw(reinterpret_cast<const char*>(values), static_cast<size_t>(count) * sizeof(T));
  }
  void Raw(const char* data, size_t size) {
    if (size > 0) bytes_.append(data, size);
  }
  // What was put so far.
  std::string_view bytes() const { return bytes_; }
  // With the checksum.
  std::string Finish() && {
    Put<uint64_t>(Checksum(bytes_));
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Takes the checksum of Finish() off the end of `bytes`; whether it is that of the rest.
inline bool TakeChecksum(std::string_view* bytes) {
  uint64_t checksum;
  if (bytes->size() < sizeof(checksum)) return false;
  std::memcpy(&checksum, bytes->data() + bytes->size() - sizeof(checksum), sizeof(checksum));
  bytes->remove_suffix(sizeof(checksum));
  return Checksum(*bytes) == checksum;
}

// Reads what a ByteWriter has put. Once something was not there, nothing is: ok() is false for
// good, and every value 0. Nothing is allocated that the bytes left cannot fill. Thread safety:
// none.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return bytes_.empty(); }
  void Fail() { ok_ = false; }

  template <typename T>
  T Get() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (!ok_ || bytes_.size() < sizeof(T)) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, bytes_.data(), sizeof(T));
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  // Exactly `count` values; anything else is an error.
  template <typename T>
  void GetArray(T* values, int64_t count) {
    if (Get<int64_t>() != count || !Has(count, sizeof(T))) ok_ = false;
    if (ok_) Raw(reinterpret_cast<char*>(values), static_cast<size_t>(count) * sizeof(T));
  }
  // The next `size` bytes, which Has() has found to be there.
  void Raw(char* data, size_t size) {
    if (size > 0) std::memcpy(data, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  std::string_view Take(int64_t size) {
    if (!Has(size, 1)) return {};
    const std::string_view taken = bytes_.substr(0, static_cast<size_t>(size));
    bytes_.remove_prefix(static_cast<size_t>(size));
    return taken;
  }
  int64_t GetSize(int64_t min, int64_t max) {
    const int64_t value = Get<int64_t>();
    if (value < min || value > max) ok_ = false;
    return ok_ ? value : min;
  }
  // Whether `count` more values of `size` bytes can be there.
  bool Has(int64_t count, int64_t size) {
    if (count < 0 || count > static_cast<int64_t>(bytes_.size()) / size) ok_ = false;
    return ok_;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace aisivi
