#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <unordered_map>
#include <utility>

namespace rota {

// A hash table that never moves all of its elements at once: growing a std::unordered_map of
// 100,000 takes some 10 ms, which the one who adds the next element would have to wait for. Each of
// these shards grows by itself. Elements stay where they are until they are erased.
template <class Key, class Value, class Hash = std::hash<Key>>
class ShardedMap {
 public:
  // Null: there is no such element.
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

  // The element of this key, and whether it was added just now.
  std::pair<Value&, bool> try_emplace(const Key& key) {
    const auto [it, added] = shards_[index_of(key)].try_emplace(key);
    size_ += added ? 1 : 0;
    return {it->second, added};
  }
  void erase(const Key& key) { size_ -= shards_[index_of(key)].erase(key); }
  std::size_t size() const { return size_; }

 private:
  using Shard = std::unordered_map<Key, Value, Hash>;
  static constexpr std::size_t kShards = 256;

  // By bits that the shard's own table does not go by first.
  static std::size_t index_of(const Key& key) {
    constexpr std::size_t kSpread = 0x9e3779b97f4a7c15;
    constexpr unsigned kUpperBits = 56;
    return Hash{}(key)*kSpread >> kUpperBits;
  }

  std::array<Shard, kShards> shards_;
  std::size_t size_ = 0;
};

}  // namespace rota
