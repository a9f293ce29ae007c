// CMake wants one source in the library that precompiles the tests' headers.
