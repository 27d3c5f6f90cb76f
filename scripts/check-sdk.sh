#!/usr/bin/env bash
# Type-checks every ArkTS source against the declarations of the public SDK, instead of the stubs of scripts/test.sh:
#
#   scripts/check-sdk.sh CHECKOUT
#
# CHECKOUT is a checkout of openharmony/interface_sdk-js, at any version. The script checks entry/, tests/arkts, the
# documentation's examples, and a module with only package.har. The SDK members that they use must exist at the app's minimum API
# level.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

(($# == 1)) || fail 'no checkout is named' 'Usage: scripts/check-sdk.sh CHECKOUT, of openharmony/interface_sdk-js'
[[ -f $1/api/@internal/component/ets/common.d.ts && -d $1/kits ]] ||
    fail "$1 is no checkout of openharmony/interface_sdk-js" 'It is to hold api/@internal/component/ets/common.d.ts and kits/.'
need_setup
export OHOS_TYPESCRIPT=$NWS_OHOS_TYPESCRIPT
[[ -f package.har ]] || bash scripts/package.sh

step "Checking against $1 ($(git -C "$1" log -1 --format='%h of %cs' 2>/dev/null || echo 'of no known version'))"
node scripts/check-arkts.mjs --sdk "$1"
module=$TARGET/har/sdk
mkdir -p "${module%/*}"
node tests/har/install.mjs "$module" package.har
node scripts/check-arkts.mjs --sdk "$1" --module "$module"
say 'the module that has package.har alone: right'
