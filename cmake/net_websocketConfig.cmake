# find_package(net_websocket) gives the target net_websocket::net_websocket: the headers, and the library for the ABI that
# is being built for. OpenHarmony's toolchain file names it in OHOS_ARCH.

get_filename_component(_net_websocket_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(DEFINED OHOS_ARCH)
    set(_net_websocket_abi "${OHOS_ARCH}")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)")
    set(_net_websocket_abi arm64-v8a)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm")
    set(_net_websocket_abi armeabi-v7a)
else()
    set(_net_websocket_abi "${CMAKE_SYSTEM_PROCESSOR}")
endif()
set(_net_websocket_library "${_net_websocket_root}/${_net_websocket_abi}/libnet_websocket.so")

if(NOT EXISTS "${_net_websocket_library}")
    set(net_websocket_FOUND FALSE)
    set(net_websocket_NOT_FOUND_MESSAGE "there is no library for '${_net_websocket_abi}': ${_net_websocket_library}")
elseif(NOT TARGET net_websocket::net_websocket)
    add_library(net_websocket::net_websocket SHARED IMPORTED)
    set_target_properties(net_websocket::net_websocket PROPERTIES
        IMPORTED_LOCATION "${_net_websocket_library}"
        IMPORTED_SONAME libnet_websocket.so
        INTERFACE_INCLUDE_DIRECTORIES "${_net_websocket_root}/include")
endif()

unset(_net_websocket_root)
unset(_net_websocket_abi)
unset(_net_websocket_library)
