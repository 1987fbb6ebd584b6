# The target `tidy`: what a reader wants to be told before reading. It reports and changes nothing; only broken house rules fail it.
add_custom_target(tidy
  COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/tidy.py ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} USES_TERMINAL VERBATIM)
