#[cfg(feature = "native")]
use std::{fs, path::Path, process::Command};

use super::*;

#[test]
fn runtimes_have_names() {
    assert_eq!(Runtime::Rust.to_string(), "rust");
    #[cfg(feature = "native")]
    assert_eq!(Runtime::Native("/a.so".into()).to_string(), "ONNX Runtime in /a.so");
}

#[cfg(feature = "native")]
fn refused(library: &Path) -> String {
    native::load(library).unwrap_err().to_string()
}

#[cfg(feature = "native")]
#[test]
fn a_library_that_is_missing_or_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("libonnxruntime.so");
    assert!(refused(&missing).ends_with("libonnxruntime.so: there is no such file"), "{}", refused(&missing));
    fs::write(&missing, "no library").unwrap();
    assert!(refused(&missing).contains("failed to load"), "{}", refused(&missing));
    let name = refused(Path::new("libheadroom-has-none.so"));
    assert!(name.contains("libheadroom-has-none.so"), "{name}");
}

/// Libraries of this test's own, where there is a C compiler.
#[cfg(all(feature = "native", target_os = "linux"))]
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
        ("old", OLD, "1.9.0"),
        ("none", NONE, "it is no ONNX Runtime"),
        ("other", OTHER, "expected `OrtGetApiBase`"),
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
