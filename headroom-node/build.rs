//! Tells the linker what an addon of Node needs, and has the macros of napi write the types of the module.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() {
    napi_build::setup();
    // The command line of napi names a folder of its own.
    if env::var_os("NAPI_TYPE_DEF_TMP_FOLDER").is_some() {
        return;
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    // target/PROFILE/build/headroom-node-HASH/out
    let Some(profile) = out.ancestors().nth(3).map(Path::to_owned) else { return };
    let folder = profile.join("headroom-node-types");
    if fs::create_dir_all(&folder).is_ok() {
        println!("cargo::rustc-env=NAPI_TYPE_DEF_TMP_FOLDER={}", folder.display());
    }
}
