# What every target of ours is compiled with. gcc and clang both stay silent; FC_WERROR makes a warning an error.
option(FC_WERROR "warnings are errors" ON)
add_library(fc_warnings INTERFACE)
target_compile_features(fc_warnings INTERFACE c_std_17)
target_compile_definitions(fc_warnings INTERFACE _GNU_SOURCE FC_VERSION="${PROJECT_VERSION}")
target_compile_options(fc_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2
  -Wswitch-enum -Wundef -Wvla -fno-common
  $<$<BOOL:${FC_WERROR}>:-Werror>
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
