#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace rota {

// An ordered set of small values, for many of them: they stand in sorted chunks, so one takes its
// own size and a tenth more, where a std::set takes 48 bytes more. A step costs O(log n), and moves
// some 4 KiB at most. Values that come in their order fill the chunks.
//
// Iterators and references are valid until the next insert() or erase().
template <class T, class Less = std::less<T>>
class ChunkedSet {
  static constexpr std::size_t kChunkBytes = 4'096;
  // Of one chunk. A chunk that falls below the least joins its neighbour if both fit well.
  static constexpr std::size_t kMax = std::max<std::size_t>(kChunkBytes / sizeof(T), 8);
  static constexpr std::size_t kMin = kMax / 4;
  static constexpr std::size_t kJoined = kMax / 4 * 3;
  // The room of a chunk grows and shrinks by this.
  static constexpr std::size_t kRoom = kMax / 8;

  using Chunk = std::vector<T>;  // never empty
  using Chunks = std::vector<Chunk>;

 public:
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    iterator() = default;
    reference operator*() const { return (*chunks_)[chunk_][at_]; }
    pointer operator->() const { return &**this; }
    iterator& operator++() {
      if (++at_ == (*chunks_)[chunk_].size()) {
        ++chunk_;
        at_ = 0;
      }
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator&) const = default;

   private:
    friend class ChunkedSet;
    iterator(const Chunks* chunks, std::size_t chunk, std::size_t at)
        : chunks_(chunks), chunk_(chunk), at_(at) {}

    const Chunks* chunks_ = nullptr;
    std::size_t chunk_ = 0;
    std::size_t at_ = 0;
  };
  using const_iterator = iterator;
  using value_type = T;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  iterator begin() const { return {&chunks_, 0, 0}; }
  iterator end() const { return {&chunks_, chunks_.size(), 0}; }
  // Only if it is not empty.
  const T& front() const { return chunks_.front().front(); }
  const T& back() const { return chunks_.back().back(); }

  // The first that is not less than `value`, or end().
  iterator lower_bound(const T& value) const {
    const std::size_t chunk = chunk_of(value);
    if (chunk == chunks_.size()) return end();
    return {&chunks_, chunk, place_in(chunks_[chunk], value)};
  }

  // The one that equals `value`, or end().
  iterator find(const T& value) const {
    const iterator first = lower_bound(value);
    return first == end() || less_(value, *first) ? end() : first;
  }

  // How many are less than `value`. Costs one step for each chunk before it.
  std::size_t count_before(const T& value) const {
    const std::size_t chunk = chunk_of(value);
    std::size_t count = 0;
    for (std::size_t i = 0; i < chunk; ++i) count += chunks_[i].size();
    return chunk == chunks_.size() ? count : count + place_in(chunks_[chunk], value);
  }

  // False: it is there already.
  bool insert(const T& value) {
    if (chunks_.empty() || less_(back(), value)) {  // behind all
      if (chunks_.empty() || chunks_.back().size() == kMax) chunks_.emplace_back();
      make_room(chunks_.back());
      chunks_.back().push_back(value);
      ++size_;
      return true;
    }
    std::size_t chunk = chunk_of(value);
    std::size_t at = place_in(chunks_[chunk], value);
    if (!less_(value, chunks_[chunk][at])) return false;
    if (chunks_[chunk].size() == kMax) {
      split(chunk);
      const std::size_t half = chunks_[chunk].size();
      if (at > half) {
        at -= half;
        ++chunk;
      }
    }
    Chunk& into = chunks_[chunk];
    make_room(into);
    into.insert(into.begin() + static_cast<std::ptrdiff_t>(at), value);
    ++size_;
    return true;
  }

  // How many there were: 0 or 1.
  std::size_t erase(const T& value) {
    const std::size_t chunk = chunk_of(value);
    if (chunk == chunks_.size()) return 0;
    const std::size_t at = place_in(chunks_[chunk], value);
    if (less_(value, chunks_[chunk][at])) return 0;
    Chunk& from = chunks_[chunk];
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(at));
    --size_;
    tidy(chunk);
    return 1;
  }

 private:
  // The first chunk whose last value is not less.
  std::size_t chunk_of(const T& value) const {
    const auto it = std::ranges::partition_point(
        chunks_, [&](const Chunk& chunk) { return less_(chunk.back(), value); });
    return static_cast<std::size_t>(it - chunks_.begin());
  }
  std::size_t place_in(const Chunk& chunk, const T& value) const {
    const auto it = std::lower_bound(chunk.begin(), chunk.end(), value, less_);
    return static_cast<std::size_t>(it - chunk.begin());
  }

  auto position(std::size_t chunk) { return chunks_.begin() + static_cast<std::ptrdiff_t>(chunk); }

  static void make_room(Chunk& chunk) {
    if (chunk.size() == chunk.capacity()) chunk.reserve(chunk.size() + kRoom);
  }

  // Into two halves, this one and the next.
  void split(std::size_t chunk) {
    Chunk& whole = chunks_[chunk];
    const auto middle = whole.begin() + static_cast<std::ptrdiff_t>(kMax / 2);
    Chunk upper(middle, whole.end());
    whole.erase(middle, whole.end());
    whole.shrink_to_fit();
    chunks_.insert(position(chunk + 1), std::move(upper));
  }

  // After one has gone from it.
  void tidy(std::size_t chunk) {
    if (chunks_[chunk].empty()) {
      chunks_.erase(position(chunk));
      return;
    }
    Chunk& left = chunks_[chunk];
    if (left.capacity() >= left.size() + 2 * kRoom) left.shrink_to_fit();
    if (left.size() >= kMin || chunks_.size() == 1) return;
    const std::size_t lower = chunk == 0 ? 0 : chunk - 1;
    Chunk& into = chunks_[lower];
    Chunk& from = chunks_[lower + 1];
    if (into.size() + from.size() > kJoined) return;
    into.insert(into.end(), from.begin(), from.end());
    chunks_.erase(position(lower + 1));
  }

  [[no_unique_address]] Less less_;
  Chunks chunks_;
  std::size_t size_ = 0;
};

}  // namespace rota
