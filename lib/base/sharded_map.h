#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

namespace rota {

// A hash table that never rehashes all of its elements at once. To grow a std::unordered_map of
// 100,000 takes some 10 ms, and the caller that adds the next element would wait for that. Here
// each shard grows by itself. A pointer to an element stays valid until that element is erased.
// With a table for `Shard` that moves its elements, it is valid until the next one is added or
// erased.
template <class Key, class Value, class Hash = std::hash<Key>,
          class Shard = std::unordered_map<Key, Value, Hash>>
class ShardedMap {
 public:
  // Null if there is no such element.
  Value* find(const Key& key) {
    Shard& shard = shards_[index_of(key)];
    const auto it = shard.find(key);
    return it == shard.end() ? nullptr : &it->second;
  }
  const Value* find(const Key& key) const {
    const Shard& shard = shards_[index_of(key)];
    const auto it = shard.find(key);
    return it == shard.end() ? nullptr : &it->second;
  }

  // The element of this key, and whether this call added it (with a default value).
  std::pair<Value&, bool> try_emplace(const Key& key) {
    const auto [it, added] = shards_[index_of(key)].try_emplace(key);
    size_ += added ? 1 : 0;
    return {it->second, added};
  }
  // Does nothing if there is no such element.
  void erase(const Key& key) { size_ -= shards_[index_of(key)].erase(key); }
  std::size_t size() const { return size_; }

  // Calls `each(key, value)` for every element, in no order.
  template <class Each>
  void for_each(Each each) {
    for (Shard& shard : shards_) {
      for (auto& [key, value] : shard) each(key, value);
    }
  }
  // Erases the elements for whose value `over` is true.
  template <class Over>
  void erase_if(Over over) {
    for (Shard& shard : shards_) {
      size_ -= std::erase_if(shard, [&over](const auto& each) { return over(each.second); });
    }
  }

 private:
  static constexpr std::size_t kShards = 256;

  // The upper bits of the mixed hash: the shard's own table uses the hash itself, so the elements
  // of one shard do not crowd into a few of its buckets.
  static std::size_t index_of(const Key& key) {
    constexpr std::size_t kSpread = 0x9e3779b97f4a7c15;
    constexpr unsigned kUpperBits = 56;
    return Hash{}(key)*kSpread >> kUpperBits;
  }

  std::array<Shard, kShards> shards_;
  std::size_t size_ = 0;
};

}  // namespace rota
