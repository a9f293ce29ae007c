#pragma once

#include <cstddef>
#include <cstdint>

// What each target defines: it aborts (ROTA_CHECK) where a property does not hold. libFuzzer and
// replay.cc call it.
// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
