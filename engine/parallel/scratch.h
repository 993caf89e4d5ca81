// Memory for temporaries that is taken again and again without asking the allocator.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace aisivi {

// A bump allocator. Take() hands out 64-byte aligned arrays; a Frame gives back, when it ends, all
// that was taken since it began. After the first pass no memory is asked from the system.
// Thread safety: none; one per thread.
class Scratch {
 public:
  // An uninitialised array of n values, valid until the enclosing Frame ends.
  template <typename T>
  T* Take(int64_t n) {
    const size_t bytes = (static_cast<size_t>(n) * sizeof(T) + kAlign - 1) / kAlign * kAlign;
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) Grow(bytes);
    T* result = reinterpret_cast<T*>(blocks_[block_].data.get() + used_);
    used_ += bytes;
    return result;
  }

  class Frame {
   public:
    explicit Frame(Scratch& scratch)
        : scratch_(scratch), block_(scratch.block_), used_(scratch.used_) {}
    ~Frame() {
      scratch_.block_ = block_;
      scratch_.used_ = used_;
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Scratch& scratch_;
    size_t block_, used_;
  };

 private:
  static constexpr size_t kAlign = 64;
  static constexpr size_t kBlockBytes = size_t{1} << 20;
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  struct Block {
    std::unique_ptr<std::byte, Free> data;
    size_t size;
  };

  void Grow(size_t bytes) {
    const size_t size = bytes > kBlockBytes ? bytes : kBlockBytes;
    std::byte* data = static_cast<std::byte*>(std::aligned_alloc(kAlign, size));
    if (data == nullptr) throw std::bad_alloc();
    // All of it is resident from here on: what is used later costs no page faults, and the peak
    // does not depend on how much of a block a pass happens to need.
    std::memset(data, 0, size);
    blocks_.push_back({std::unique_ptr<std::byte, Free>(data), size});
    used_ = 0;
  }

  std::vector<Block> blocks_;
  size_t block_ = 0, used_ = 0;
};

}  // namespace aisivi
