#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/check.h"

namespace rota {

// A vector for objects of which there are many: an empty one is a null pointer of 8 bytes, where a
// std::vector takes 24. Its size stands before the elements, and it grows by little, so it is for
// few elements. As with std::vector, whatever changes its size ends iterators and references.
template <class T>
class SlimVector {
 public:
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using reference = T&;
  using const_reference = const T&;
  using iterator = T*;
  using const_iterator = const T*;

  SlimVector() = default;
  template <std::input_iterator It>
  SlimVector(It first, It last) {
    append(first, last);
  }
  SlimVector(std::initializer_list<T> values) : SlimVector(values.begin(), values.end()) {}
  // NOLINTNEXTLINE(google-explicit-constructor): only its form changes
  SlimVector(const std::vector<T>& values) : SlimVector(values.begin(), values.end()) {}
  SlimVector(const SlimVector& other) : SlimVector(other.begin(), other.end()) {}
  SlimVector(SlimVector&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}
  SlimVector& operator=(const SlimVector& other) {
    if (this != &other) *this = SlimVector(other);
    return *this;
  }
  SlimVector& operator=(SlimVector&& other) noexcept {
    if (this != &other) {
      clear();
      head_ = std::exchange(other.head_, nullptr);
    }
    return *this;
  }
  ~SlimVector() { clear(); }

  iterator begin() { return elements(); }
  iterator end() { return elements() + size(); }
  const_iterator begin() const { return elements(); }
  const_iterator end() const { return elements() + size(); }
  std::size_t size() const { return head_ == nullptr ? 0 : head_->size; }
  bool empty() const { return size() == 0; }
  // Only if there is such an element, as for front(), back() and pop_back().
  T& operator[](std::size_t at) { return elements()[at]; }
  const T& operator[](std::size_t at) const { return elements()[at]; }
  // Aborts if there is none.
  T& at(std::size_t at) {
    ROTA_CHECK(at < size());
    return elements()[at];
  }
  const T& at(std::size_t at) const {
    ROTA_CHECK(at < size());
    return elements()[at];
  }
  T& front() { return *begin(); }
  const T& front() const { return *begin(); }
  T& back() { return end()[-1]; }
  const T& back() const { return end()[-1]; }

  void reserve(std::size_t capacity) {
    if (capacity > this->capacity()) move_to(capacity);
  }
  template <class... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size() < capacity()) return add(std::forward<Arguments>(arguments)...);
    T value(std::forward<Arguments>(arguments)...);  // an argument may be one of the elements
    move_to(size() + size() / 2 + 1);
    return add(std::move(value));
  }
  void push_back(const T& value) { emplace_back(value); }
  void push_back(T&& value) { emplace_back(std::move(value)); }
  void pop_back() { erase(end() - 1); }
  // Returns where the value stands now.
  iterator insert(const_iterator before, T value) {
    const std::ptrdiff_t at = before - begin();
    push_back(std::move(value));
    std::rotate(begin() + at, end() - 1, end());
    return begin() + at;
  }
  template <std::input_iterator It>
  void append(It first, It last) {  // both can be read twice, and not of its own elements
    reserve(size() + static_cast<std::size_t>(std::distance(first, last)));
    for (; first != last; ++first) add(*first);
  }
  // Returns where the next element stands now.
  iterator erase(const_iterator at) { return erase(at, at + 1); }
  iterator erase(const_iterator first, const_iterator last) {
    const std::ptrdiff_t at = first - begin();
    const iterator left = std::move(begin() + (last - begin()), end(), begin() + at);
    if (left == begin()) {
      clear();
    } else {
      destroy(left);
    }
    return begin() + at;
  }
  // Frees the memory, too, as does every way to get empty.
  void clear() {
    if (head_ == nullptr) return;
    destroy(begin());
    free(std::exchange(head_, nullptr));
  }

  friend bool operator==(const SlimVector& a, const SlimVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  friend bool operator==(const SlimVector& a, const std::vector<T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  struct Head {
    std::uint32_t size = 0;
    std::uint32_t capacity = 0;
  };

  T* elements() const {
    static_assert(alignof(T) <= sizeof(Head), "the elements stand right behind the head");
    return head_ == nullptr ? nullptr : reinterpret_cast<T*>(head_ + 1);
  }
  std::size_t capacity() const { return head_ == nullptr ? 0 : head_->capacity; }
  static void free(Head* head) { ::operator delete(head); }

  template <class... Arguments>
  T& add(Arguments&&... arguments) {
    T* const added = std::construct_at(end(), std::forward<Arguments>(arguments)...);
    ++head_->size;
    return *added;
  }
  void destroy(iterator from) {
    std::destroy(from, end());
    head_->size = static_cast<std::uint32_t>(from - begin());
  }
  void move_to(std::size_t capacity) {
    SlimVector larger;
    larger.head_ = new (::operator new(sizeof(Head) + capacity * sizeof(T)))
        Head{.capacity = static_cast<std::uint32_t>(capacity)};
    for (T& element : *this) larger.add(std::move(element));
    std::swap(head_, larger.head_);
  }

  Head* head_ = nullptr;
};

// How many it erased.
template <class T, class Predicate>
std::size_t erase_if(SlimVector<T>& from, Predicate is_over) {
  const auto left = std::remove_if(from.begin(), from.end(), is_over);
  const auto erased = static_cast<std::size_t>(from.end() - left);
  if (erased > 0) from.erase(left, from.end());
  return erased;
}
template <class T>
std::size_t erase(SlimVector<T>& from, const T& value) {
  return erase_if(from, [&value](const T& element) { return element == value; });
}

}  // namespace rota
