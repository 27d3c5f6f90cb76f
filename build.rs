//! Link arguments of the shared library. They stand here and not in `.cargo/config.toml` because `ohrs` replaces all
//! flags from there by its own.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target_os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it for build scripts");
    let target_env = env::var("CARGO_CFG_TARGET_ENV").expect("cargo sets it for build scripts");
    let on_openharmony = target_env == "ohos";
    let with_arkts = on_openharmony || env::var_os("CARGO_FEATURE_ARKTS").is_some();

    // Where libace_napi.z.so is, and reruns when napi-derive's environment changes. For OpenHarmony it panics without
    // OHOS_NDK_HOME, which only linking needs: leave that to the linker's own search path, so that `cargo check` and
    // clippy work without an SDK.
    println!("cargo::rerun-if-env-changed=OHOS_NDK_HOME");
    if with_arkts && (!on_openharmony || env::var_os("OHOS_NDK_HOME").is_some()) {
        napi_build_ohos::setup();
    }

    if on_openharmony {
        // Not to where ohrs looks: it would write an index.d.ts of its own, and the declarations are in package/.
        let out = env::var("OUT_DIR").expect("cargo sets it for build scripts");
        println!("cargo::rustc-env=NAPI_TYPE_DEF_TMP_FOLDER={out}");
    }

    // ohrs takes flags from this variable alone; scripts/lib.sh sets it.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if on_openharmony
        && env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && !flags.contains("--remap-path-prefix")
    {
        println!(
            "cargo::warning=the library will hold paths of this machine: docs/installing.md, \"Build it with the SDK\", tells how it does not"
        );
    }

    if target_os == "linux" {
        // Rust gives a cdylib no name, and then an app that links it asks for the path it was linked from.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libnet_websocket.so");
        // OpenHarmony's loader really unloads, under the feet of the runtime's threads and thread-local destructors.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        // Loads on kernels with 16 KiB pages as well as 4 KiB ones.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,max-page-size=16384");
    }

    if on_openharmony {
        // Relocations in the form that takes the least room; the loader reads it since OpenHarmony 4.0.
        println!("cargo::rustc-cdylib-link-arg=-Wl,--pack-dyn-relocs=relr");
        // One copy of functions that are alike. Nothing here compares functions by their addresses.
        println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=all");
    }

    let pointer_width = env::var("CARGO_CFG_TARGET_POINTER_WIDTH").expect("cargo sets it for build scripts");
    if on_openharmony && pointer_width == "32" {
        // Rust's timed waits go to src/platform/futex.rs. Programs in Rust that link the crate need it as well.
        println!("cargo::rustc-link-arg=-Wl,--wrap=syscall");
    }

    if with_arkts && !on_openharmony && env::var_os("CARGO_FEATURE_ARKVM_TEST").is_none() {
        // The function in which Node differs from ArkTS goes to src/arkts/node_shim.rs. Only a library can have this
        // feature: Node defines the napi_* names, and a test or example has no Node to define them.
        println!("cargo::rustc-cdylib-link-arg=-Wl,--wrap=napi_module_register");
    }
}
