//! Models in use.

use super::*;

#[test]
fn prose_without_some_words_can_be_had_back() {
    let home = tempfile::tempdir().unwrap();
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let plain = compress(&home, &[], &[]);
    assert_eq!(plain.stdout, letter(), "off by default");
    let output = compress(&home, &["--prose-model", NAME], &[]);
    assert!(output.status.success() && output.stdout.len() < letter().len() * 9 / 10, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let marker = text.lines().next().unwrap();
    let back = headroom(&["retrieve", marker]).env("HEADROOM_HOME", home.path()).output().unwrap();
    assert_eq!(back.stdout, letter(), "{}", stderr(&back));
    // The variable, the file and the folder say the same.
    let variable = compress(&home, &[], &[("HEADROOM_PROSE_MODEL", folder(&home).to_str().unwrap())]);
    assert_eq!(variable.stdout, output.stdout);
}

#[test]
fn a_model_that_is_not_there_is_told_and_never_fetched() {
    let home = tempfile::tempdir().unwrap();
    let hub = Server::new([], &[], |_, _| Fate::Whole);
    let url = hub.url("/");
    let output = compress(&home, &["--prose-model", "kompress-v2-base"], &[("HF_ENDPOINT", &url)]);
    assert!(output.status.success());
    assert_eq!(output.stdout, letter());
    assert!(
        stderr(&output).starts_with("headroom: no words are pruned from prose: cannot read "),
        "{}",
        stderr(&output)
    );
    assert!(hub.seen.lock().unwrap().is_empty());
}

#[test]
fn doctor_says_what_the_models_are() {
    let home = tempfile::tempdir().unwrap();
    let doctor = |variables: &[(&str, &str)]| {
        let mut command = headroom(&["doctor"]);
        command
            .env("HEADROOM_HOME", home.path())
            .env("HEADROOM_LISTEN", "127.0.0.1:1")
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, text) = doctor(&[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("classifier     magika, for texts whose structure is ambiguous; runs on rust\n"),
        "{text}"
    );
    assert!(text.contains("prose model    off: "), "{text}");
    let (_, text) = doctor(&[("HEADROOM_CLASSIFIER", "off")]);
    assert!(text.contains("classifier     off: "), "{text}");

    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME)]);
    assert_eq!(status, Some(1));
    assert!(text.contains("; fetch it with `headroom model pull small`\n"), "{text}");
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME), ("HEADROOM_MODEL_THREADS", "2")]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains(" ms; runs on rust, 2 threads\n"), "{text}");
    fs::write(folder(&home).join("model.onnx"), "another").unwrap();
    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME)]);
    assert_eq!(status, Some(1));
    assert!(text.contains(" is not what was fetched; remove it and pull it again\n"), "{text}");

    let (status, text) = doctor(&[("HEADROOM_MODEL_RUNTIME", "/nowhere/libonnxruntime.so")]);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("cannot load ONNX Runtime from /nowhere/libonnxruntime.so: there is no such file\n"),
        "{text}"
    );
}

#[test]
fn a_native_runtime_does_the_same() {
    let Ok(library) = std::env::var("ORT_DYLIB_PATH") else {
        crate::support::skipped("ORT_DYLIB_PATH names no libonnxruntime to run the models on");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let native = compress(&home, &["--prose-model", NAME], &[("HEADROOM_MODEL_RUNTIME", &library)]);
    let rust = compress(&home, &["--prose-model", NAME], &[]);
    assert_eq!(native.stdout, rust.stdout, "{}", stderr(&native));
    assert_eq!(stderr(&native), "");
}
