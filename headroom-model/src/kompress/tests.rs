use std::{fs, path::PathBuf};

use headroom_core::{CompressOptions, Engine, Hints, Retrieval, Tier, Transform};
use serde_json::Value;

use super::*;

const MODELS: [&str; 3] = ["model", "int8-weights", "int8"];
const TEXTS: [(&str, &str); 3] = [
    ("long", include_str!("../../tests/models/texts/long.txt")),
    ("mixed", include_str!("../../tests/models/texts/mixed.txt")),
    ("short", include_str!("../../tests/models/texts/short.txt")),
];

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// A folder with this model alone.
fn folder(model: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(models().join(format!("{model}.onnx")), folder.path().join("model.onnx")).unwrap();
    fs::copy(models().join("tokenizer.json"), folder.path().join("tokenizer.json")).unwrap();
    folder
}

/// Those that this machine has.
fn runtimes() -> Vec<Runtime> {
    let mut runtimes = vec![Runtime::Rust];
    #[cfg(feature = "native")]
    match std::env::var_os("ORT_DYLIB_PATH") {
        Some(library) => runtimes.push(Runtime::Native(library.into())),
        None => println!("skipped: ORT_DYLIB_PATH names no libonnxruntime to run the models on"),
    }
    runtimes
}

/// The scores of the words as onnxruntime gives them, each with how it is rounded.
fn expected() -> Value {
    serde_json::from_slice(&fs::read(models().join("expected.json")).unwrap()).unwrap()
}

/// Whether sums of two products of 8-bit numbers are cut to 16 bits: without VNNI, AVX2 has no other instruction for them.
fn saturates(runtime: &Runtime) -> bool {
    #[cfg(target_arch = "x86_64")]
    return matches!(runtime, Runtime::Rust) && !is_x86_feature_detected!("avx512vnni");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[test]
fn every_runtime_scores_as_the_reference_does() {
    let expected = expected();
    for runtime in runtimes() {
        for model in MODELS {
            if model == "int8" && saturates(&runtime) {
                println!(
                    "skipped: products of 8-bit numbers saturate on this processor in the {runtime} runtime"
                );
                continue;
            }
            let folder = folder(model);
            let options = KompressOptions::new().runtime(runtime.clone());
            let kompress = Kompress::load(folder.path(), &options).unwrap();
            let (mut count, mut worst, mut flips) = (0, 0.0_f32, 0);
            for (title, text) in TEXTS {
                let reference = &expected[model][title];
                let scored = kompress.scores(text).unwrap();
                let scores = reference["scores"].as_array().unwrap();
                assert_eq!(scored.len(), scores.len(), "{model} {title}");
                for ((word, score), reference) in scored.iter().zip(scores) {
                    let reference = reference.as_f64().map(|score| score as f32);
                    assert_eq!(score.is_some(), reference.is_some(), "{model} {title} {word:?}");
                    let (Some(score), Some(reference)) = (score, reference) else { continue };
                    count += 1;
                    worst = worst.max((score - reference).abs());
                    flips += usize::from((*score > THRESHOLD) != (reference > THRESHOLD));
                }
            }
            println!(
                "{runtime} {model}: {count} words, differ by {worst:.6} at most, {flips} decided otherwise"
            );
            // Where inputs are rounded to 8 bits as well, a last digit moves a step of the rounding.
            let most = if model == "int8" { 0.05 } else { 1e-3 };
            assert!(worst < most && flips * 200 <= count, "{runtime} {model}: {worst}, {flips} of {count}");
        }
    }
}

#[test]
fn rows_are_as_long_as_those_of_the_reference() {
    let expected = expected();
    let kompress = Kompress::load(folder("model").path(), &KompressOptions::new()).unwrap();
    for (title, text) in TEXTS {
        let words: Vec<&str> = text.split_whitespace().collect();
        let by_word = kompress.tokens.encode(&words).unwrap();
        let windows = windows::split(&by_word, kompress.tokens.room());
        let rows: Vec<usize> =
            windows.into_iter().map(|window| kompress.tokens.framed(&by_word[window]).len()).collect();
        let reference: Vec<usize> = serde_json::from_value(expected["model"][title]["rows"].clone()).unwrap();
        assert_eq!(rows, reference, "{title}");
    }
}

#[test]
fn what_is_left_has_every_line_and_what_must_stay() {
    for model in MODELS {
        let kompress = Kompress::load(folder(model).path(), &KompressOptions::new()).unwrap();
        for (title, text) in TEXTS {
            let ranges = kompress.prune(text).unwrap();
            let mut rest = text.to_owned();
            for range in ranges.iter().rev() {
                rest.replace_range(range.clone(), "");
            }
            assert_eq!(rest.matches('\n').count(), text.matches('\n').count(), "{title}");
            let words = words::split(text);
            let must = keep::protected(text, &words);
            let mut left = rest.split_whitespace();
            for (word, _) in words.iter().zip(must).filter(|(_, must)| *must) {
                let word = &text[word.range.clone()];
                assert!(left.any(|left| left == word), "{title}: {word} is not in what is left");
            }
            assert_eq!(kompress.prune(text).as_ref(), Some(&ranges), "twice the same");
            // Run by another, in another order.
            let again = Kompress::load(folder(model).path(), &KompressOptions::new().threads(2)).unwrap();
            assert_eq!(again.prune(text), Some(ranges), "{model} {title}");
        }
    }
}

#[test]
fn an_engine_leaves_words_out_behind_a_marker_and_only_where_they_can_be_had_back() {
    let text = TEXTS[0].1;
    let load = || Kompress::load(folder("model").path(), &KompressOptions::new()).unwrap();
    let engine = Engine::builder().token_pruner(load()).build();
    assert!(engine.is_costly());
    let hints =
        |retrieval| Hints::new().tool("fetch_letter").options(CompressOptions::new().retrieval(retrieval));
    let outcome = engine.compress_text(text, &hints(Retrieval::ServerTool));
    let after = outcome.text.expect("words can go");
    let (marker, rest) = after.split_once('\n').unwrap();
    assert!(marker.starts_with("[headroom:") && marker.contains(" of 1869 words stored"), "{marker}");
    assert_eq!(outcome.originals.len(), 1);
    assert_eq!(outcome.originals[0].content(), text);
    assert!(
        matches!(outcome.report.action, headroom_core::Action::Edited(ref steps) if steps == &[Transform::TokenPruning])
    );
    assert_eq!(rest.lines().count(), text.lines().count());
    for said in ["unless", "must not", "\"the work cannot wait for another year\"", "12 March 1844."] {
        assert_eq!(rest.matches(said).count(), text.matches(said).count(), "{said}");
    }
    // A second engine with the same configuration agrees, and no means means no words less.
    let second = Engine::builder().token_pruner(load()).build();
    assert_eq!(second.compress_text(text, &hints(Retrieval::ServerTool)).text.as_deref(), Some(&*after));
    assert_eq!(engine.compress_text(text, &hints(Retrieval::Disabled)).text, None);
    let mild =
        Hints::new().options(CompressOptions::new().retrieval(Retrieval::ServerTool).tier(Tier::Dedup));
    assert_eq!(engine.compress_text(text, &mild).text, None);
    assert_eq!(Engine::new().compress_text(text, &hints(Retrieval::ServerTool)).text, None);
}

#[test]
fn texts_that_are_too_long_stay() {
    let kompress = Kompress::load(folder("model").path(), &KompressOptions::new()).unwrap();
    assert_eq!(kompress.prune(&"word ".repeat(7000)), None);
    assert_eq!(kompress.prune(""), Some(Vec::new()));
}

#[test]
fn a_folder_that_cannot_be_used_is_told_why() {
    let load = |folder: &Path| {
        let error = Kompress::load(folder, &KompressOptions::new()).unwrap_err();
        let source =
            std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
        format!("{error}{source}")
    };
    let missing = load(Path::new("/nowhere"));
    assert!(missing.starts_with("cannot read /nowhere/tokenizer.json: No such file"), "{missing}");

    let empty = folder("model");
    fs::remove_file(empty.path().join("model.onnx")).unwrap();
    assert!(load(empty.path()).contains("holds 0 files that end in .onnx"), "{}", load(empty.path()));
    for name in ["a.onnx", "b.onnx"] {
        fs::write(empty.path().join(name), "no model").unwrap();
    }
    assert!(load(empty.path()).contains("holds 2 files that end in .onnx"), "{}", load(empty.path()));
    fs::remove_file(empty.path().join("b.onnx")).unwrap();
    assert!(load(empty.path()).contains("the rust runtime cannot use the model"), "{}", load(empty.path()));

    let torn = folder("model");
    let model = fs::read(torn.path().join("model.onnx")).unwrap();
    fs::write(torn.path().join("model.onnx"), &model[..model.len() / 2]).unwrap();
    assert!(load(torn.path()).contains("the rust runtime cannot use the model"), "{}", load(torn.path()));
    fs::write(torn.path().join("tokenizer.json"), "{}").unwrap();
    assert!(load(torn.path()).contains("cannot use "), "{}", load(torn.path()));
}

#[cfg(feature = "magika")]
#[test]
fn a_model_of_another_kind_is_refused_when_it_is_loaded() {
    let folder = folder("model");
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/magika-standard_v3_3/model.onnx");
    fs::copy(other, folder.path().join("model.onnx")).unwrap();
    for runtime in runtimes() {
        let error = Kompress::load(folder.path(), &KompressOptions::new().runtime(runtime)).unwrap_err();
        assert!(error.to_string().contains("runtime cannot use the model"), "{error}");
    }
}
