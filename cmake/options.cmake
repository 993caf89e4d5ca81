# Language level, warnings, sanitizers, and where the build puts things.
option(AISIVI_SERVICE "Build the server, the client library and the command line" ON)
option(AISIVI_TESTS "Build the tests" ON)
option(AISIVI_BENCHMARKS "Build the benchmarks" ON)
option(AISIVI_WERROR "Warnings are errors" OFF)
option(AISIVI_UNITY "Compile small files that share much in groups: a full build takes less time" ON)
set(AISIVI_SANITIZE "" CACHE STRING "Comma-separated sanitizers, for instance address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
# The loader then also looks in lib/glibc-hwcaps/ for the engine built for this processor.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
set(CMAKE_BUILD_RPATH "$ORIGIN/../lib")

find_program(AISIVI_CCACHE ccache)
if(AISIVI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers: their macros and timestamps say nothing that their contents do not.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${AISIVI_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

find_program(AISIVI_LLD ld.lld)
if(AISIVI_LLD)
  add_link_options(-fuse-ld=lld)
endif()

include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})

# One alignment for all instruction sets, so that Eigen's types look the same to the engine's
# variants and to everything that links to them.
add_compile_definitions(EIGEN_MAX_ALIGN_BYTES=64)

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
                    -Wno-restrict)  # GCC 12 reports its own std::string
if(AISIVI_WERROR)
  add_compile_options(-Werror)
endif()

if(AISIVI_SANITIZE)
  add_compile_options(-fsanitize=${AISIVI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AISIVI_SANITIZE})
endif()
