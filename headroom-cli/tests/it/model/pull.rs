//! `headroom model pull`.

use super::*;

#[test]
fn a_model_is_fetched_once_and_listed() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|_, _| Fate::Whole);
    let output = pull(&home, &server, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "no bar where nobody looks");
    assert_whole(&home);

    let again = pull(&home, &server, &[]);
    assert!(again.status.success());
    assert_eq!(server.ranges("/m/model.onnx").len(), 1, "what is there is not fetched again");

    let list = run(&home, &["list", "--json"], &[]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["complete"]), (&NAME.into(), &true.into()));
    assert!(String::from_utf8_lossy(&run(&home, &["list"], &[]).stdout).starts_with("small  "));
    let path = run(&home, &["path", NAME], &[]);
    assert_eq!(String::from_utf8_lossy(&path.stdout).trim_end(), folder(&home).to_str().unwrap());
    assert!(run(&home, &["remove", NAME], &[]).status.success());
    assert!(!folder(&home).exists());
    let gone = run(&home, &["path", NAME], &[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("there is no model small in "), "{}", stderr(&gone));
}

#[test]
fn an_interrupted_download_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    // Twice within one call.
    let server = server(|path, before| match (path, before) {
        ("/m/model.onnx", 0) => Fate::Cut(9000),
        ("/m/model.onnx", 1) => Fate::Cut(5000),
        _ => Fate::Whole,
    });
    let output = pull(&home, &server, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_whole(&home);
    let ranges = server.ranges("/m/model.onnx");
    assert_eq!(ranges.len(), 3, "{ranges:?}");
    assert_eq!(ranges[0], None);
    let from = |range: &Option<String>| -> usize {
        range.as_deref().unwrap().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
    };
    // What was on its way when the connection broke may be lost.
    assert!(from(&ranges[1]) <= 9000 && from(&ranges[2]) >= from(&ranges[1]), "{ranges:?}");
}

#[test]
fn another_call_goes_on_where_one_gave_up() {
    let home = tempfile::tempdir().unwrap();
    let unreliable = server(|path, before| match (path, before) {
        ("/m/model.onnx", 0) => Fate::Cut(12_000),
        ("/m/model.onnx", _) => Fate::Busy,
        _ => Fate::Whole,
    });
    let output = pull(&home, &unreliable, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("the server answers 503")
            && told.contains(" bytes are kept, and the same command resumes"),
        "{told}"
    );
    assert!(!folder(&home).join("model.onnx").exists(), "nothing has the name that is not whole");
    let list: Value = serde_json::from_slice(&run(&home, &["list", "--json"], &[]).stdout).unwrap();
    assert_eq!(list[0]["complete"], false);
    let kept = fs::metadata(folder(&home).join("model.onnx.part")).unwrap().len();
    assert!(kept > 0 && kept <= 12_000);

    let reliable = server(|_, _| Fate::Whole);
    let output = pull(&home, &reliable, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(reliable.ranges("/m/model.onnx"), [Some(format!("bytes={kept}-"))]);
    assert_whole(&home);
}

#[test]
fn a_server_that_gives_no_parts_gives_all() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    fs::write(folder(&home).join("model.onnx.part"), &model()[..4000]).unwrap();
    let server = server(|_, _| Fate::NoParts);
    assert!(pull(&home, &server, &[]).status.success());
    assert_whole(&home);
}

#[test]
fn what_is_left_of_another_version_is_fetched_anew() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    for left in [vec![7; 4000], vec![7; 90_000], model()] {
        let is_right = left == model();
        fs::write(folder(&home).join("model.onnx.part"), left).unwrap();
        let _ = fs::remove_file(folder(&home).join("model.onnx"));
        let server = server(|_, _| Fate::Whole);
        let output = pull(&home, &server, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_whole(&home);
        assert_eq!(server.ranges("/m/model.onnx").len(), if is_right { 1 } else { 2 });
    }
}

#[test]
fn a_wrong_checksum_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let wrong = sha256(b"another");
    let server = server(|_, _| Fate::Whole);
    let output = pull(&home, &server, &["--sha256", &format!("model.onnx={wrong}")]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    let found = sha256(&model());
    assert!(
        told.contains(&format!("wrong checksum: {found} where {wrong} is expected; it was removed")),
        "{told}"
    );
    assert!(!folder(&home).join("model.onnx").exists() && !folder(&home).join("model.onnx.part").exists());
    assert!(!folder(&home).join("SHA256SUMS").exists());
}

#[test]
fn nothing_is_taken_without_a_checksum() {
    let home = tempfile::tempdir().unwrap();
    let files = [("/m/tokenizer.json", tokenizer()), ("/m/model.onnx", model())];
    let server = Server::new(files, &[], |_, _| Fate::Whole);
    let output = pull(&home, &server, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no checksum found for tokenizer.json; pass --sha256"),
        "{}",
        stderr(&output)
    );
    let sums =
        [format!("tokenizer.json={}", sha256(&tokenizer())), format!("model.onnx={}", sha256(&model()))];
    assert!(pull(&home, &server, &["--sha256", &sums[0], "--sha256", &sums[1]]).status.success());
    assert_whole(&home);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder(&home).join("model.onnx.part")).unwrap();
    let output = pull(&home, &server(|_, _| Fate::Whole), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("cannot write ") && told.contains("model.onnx.part: No space left on device"),
        "{told}"
    );
}

#[test]
fn mistakes_are_told() {
    let home = tempfile::tempdir().unwrap();
    let missing = Server::new([], &[], |_, _| Fate::Whole);
    let sum = format!("tokenizer.json={}", sha256(b""));
    let output = pull(&home, &missing, &["--sha256", &sum]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/m/tokenizer.json: the server answers 404"), "{}", stderr(&output));
    for (args, told) in [
        (&["pull", "unknown"][..], "unknown model unknown; the known one is kompress-v2-base"),
        (&["pull", "../x"][..], "the name of a model has letters"),
        (&["pull", "--sha256", "model.onnx=12"][..], "a SHA-256 has 64 hexadecimal digits"),
        (&["pull", "--sha256", &format!("other={}", sha256(b""))][..], "the model has no file other"),
    ] {
        let output = run(&home, args, &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{args:?}: {}", stderr(&output));
    }
}

/// The hub states the sum of a large file where it sends us on, and the git name of a small one.
#[test]
fn the_model_that_is_known_comes_from_the_hub() {
    const TOKENIZER: &str = "/answerdotai/ModernBERT-base/resolve/main/tokenizer.json";
    const MODEL: &str = "/chopratejas/kompress-v2-base/resolve/main/onnx/kompress-int8-wo.onnx";
    let mut blob = format!("blob {}\0", tokenizer().len()).into_bytes();
    blob.extend(tokenizer());
    let git = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref());
    let hub = |sum: String| {
        let files = [(TOKENIZER, tokenizer()), ("/cdn/a?signature=1", model())];
        let headers = [
            (TOKENIZER, format!("etag: \"{git}\"\r\n")),
            (MODEL, format!("x-linked-etag: \"{sum}\"\r\nlocation: /cdn/a?signature=1\r\n")),
            ("/cdn/a?signature=1", "etag: \"0123\"\r\n".to_owned()),
        ];
        let fate = |path: &str, before| match (path, before) {
            ("/cdn/a?signature=1", 0) => Fate::Cut(10_000),
            _ => Fate::Whole,
        };
        Server::with(files.into_iter().collect(), headers.into_iter().collect(), fate)
    };
    let home = tempfile::tempdir().unwrap();
    let wrong = hub(sha256(b"another"));
    let output = run(&home, &["pull"], &[("HF_ENDPOINT", &wrong.url("/"))]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("wrong checksum"), "{}", stderr(&output));

    let right = hub(sha256(&model()));
    let output = run(&home, &["pull"], &[("HF_ENDPOINT", &right.url("/"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = home.path().join("models/kompress-v2-base");
    assert_eq!(fs::read(folder.join("model.onnx")).unwrap(), model());
    if cfg!(feature = "models") {
        let used = compress(&home, &["--prose-model", "kompress-v2-base"], &[]);
        assert!(String::from_utf8_lossy(&used.stdout).contains(" words stored"));
    }
}
