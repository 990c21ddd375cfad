use super::*;

#[test]
fn runtimes_have_names() {
    assert_eq!(Runtime::Rust.to_string(), "rust");
    #[cfg(feature = "native")]
    assert_eq!(Runtime::Native("/a.so".into()).to_string(), "ONNX Runtime in /a.so");
}
