//! What is no usable ONNX Runtime is told. In a process that has loaded none, since there can be one.
#![cfg(all(feature = "magika", feature = "native"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may")]

use std::{fs, path::Path, process::Command};

use headroom_model::{Magika, Runtime};

fn refused(library: &Path) -> String {
    Magika::with_runtime(Runtime::Native(library.to_owned())).unwrap_err().to_string()
}

#[test]
fn a_library_that_is_missing_or_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("libonnxruntime.so");
    assert!(refused(&missing).ends_with("libonnxruntime.so: there is no such file"), "{}", refused(&missing));
    fs::write(&missing, "no library").unwrap();
    assert!(refused(&missing).contains("it cannot be loaded: "), "{}", refused(&missing));
    let name = refused(Path::new("libheadroom-has-none.so"));
    assert!(name.contains("libheadroom-has-none.so"), "{name}");
}

/// Libraries of this test's own, where there is a C compiler.
#[cfg(target_os = "linux")]
#[test]
fn a_library_that_is_too_old_is_told() {
    const OLD: &str = "static const char *version(void) { return \"1.9.0\"; }\n\
        static const void *api(unsigned v) { return 0; }\n\
        static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };\n\
        const void *OrtGetApiBase(void) { return &base; }\n";
    const NONE: &str = "const void *OrtGetApiBase(void) { return 0; }\n";
    const OTHER: &str = "int answer(void) { return 42; }\n";
    let folder = tempfile::tempdir().unwrap();
    for (name, source, told) in [
        ("old", OLD, "it is ONNX Runtime 1.9.0, and 1.18 or newer is needed"),
        ("none", NONE, "it is no ONNX Runtime"),
        ("other", OTHER, "it is no ONNX Runtime"),
    ] {
        let code = folder.path().join(format!("{name}.c"));
        let library = folder.path().join(format!("lib{name}.so"));
        fs::write(&code, source).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &code]).status();
        if !built.is_ok_and(|status| status.success()) {
            println!("skipped: there is no C compiler to make a library with");
            return;
        }
        assert!(refused(&library).contains(told), "{}", refused(&library));
    }
}
