#!/usr/bin/env bash
# In Bun, `new` returns the instance of a native class even if its constructor returns another object.
#
# A good guess: the returned object replaces the instance, as in every JavaScript class. In Node it does.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm @oven/bun-linux-x64-baseline@1.4.4 node-api-headers@1.5.0
cat >"$work/class.c" <<'C'
#include <node_api.h>

static napi_value construct(napi_env env, napi_callback_info info)
{
    napi_value other, yes;
    (void)info;
    napi_create_object(env, &other);
    napi_get_boolean(env, true, &yes);
    napi_set_named_property(env, other, "other", yes);
    return other;
}

NAPI_MODULE_INIT()
{
    napi_value made;
    napi_define_class(env, "Native", NAPI_AUTO_LENGTH, construct, NULL, 0, NULL, &made);
    napi_set_named_property(env, exports, "Native", made);
    return exports;
}
C
gcc -shared -fPIC -o "$work/class.node" -I "$work/node_modules/node-api-headers/include" "$work/class.c"
cat >"$work/seen.js" <<'JS'
const { Native } = require('./class.node');
class Plain {
  constructor() {
    return { other: true };
  }
}
console.log('a class of JavaScript:', new Plain().other, '- a native class:', new Native().other);
JS

for engine in node "$work/node_modules/@oven/bun-linux-x64-baseline/bin/bun"; do
    echo "$(basename "$engine"): $(cd "$work" && "$engine" seen.js)"
done | compare 'node: a class of JavaScript: true - a native class: true
bun: a class of JavaScript: true - a native class: undefined'
