use std::{collections::BTreeMap, fs, path::Path};

use headroom_core::{Classification, Classifier};

use super::*;

/// A text of some size in each language.
const SAMPLES: [(&str, &str, &str); 4] = [
    (
        "rust",
        "rs",
        "/// Moors a ship.\npub fn moor(ship: &Ship) -> Result<(), Full> {\n    docks.push(ship.id)?;\n    Ok(())\n}\n\n",
    ),
    (
        "python",
        "py",
        "def moor(ship, dock=None):\n    if dock is None:\n        raise DockFull(ship)\n    return dock.tie(ship)\n\n",
    ),
    (
        "go",
        "go",
        "func Moor(ship *Ship) error {\n\tif err := dock.Tie(ship); err != nil {\n\t\treturn err\n\t}\n\treturn nil\n}\n\n",
    ),
    (
        "typescript",
        "ts",
        "export function moor(ship: Ship, dock: Dock | null): number {\n  const id: number = ship.id;\n  return dock?.tie(id) ?? 0;\n}\n\n",
    ),
];

#[test]
fn languages_are_told() {
    let magika = Magika::new();
    for (label, extension, text) in SAMPLES {
        let text = text.repeat(30);
        let (found, score) = magika.label(&text).unwrap();
        assert_eq!(found, label);
        assert!(score > 0.9, "{label}: {score}");
        assert_eq!(magika.classify(&text), Some(Classification::Code(extension)));
    }
}

#[test]
fn a_text_has_one_verdict() {
    let text = SAMPLES[0].2.repeat(40);
    let first = Magika::new().label(&text);
    let magika = Magika::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(magika.label(&text), first));
        }
    });
}

#[test]
fn what_means_nothing_to_the_engine_is_no_verdict() {
    assert_eq!(Magika::new().classify(""), None);
    assert_eq!(Magika::new().label("short"), None);
    let labels: Vec<&str> = LABELS.lines().collect();
    assert_eq!(labels.len(), 214);
    assert_eq!(labels.iter().filter(|label| verdict(label).is_some()).count(), 14);
}

/// The verdicts for recorded sources, by extension, with those of their structure: what the model adds.
#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_sources_are_told() {
    let shared = std::env::var("HEADROOM_SHARED").unwrap_or_else(|_| "../../shared".to_owned());
    let mut files = Vec::new();
    let mut folders = vec![Path::new(&shared).join("corpora/code")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let magika = Magika::new();
    let mut matrix: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let (mut right, mut wrong, mut none) = (0, 0, 0);
    for path in files {
        let Some(extension) = path.extension().and_then(|end| end.to_str()).filter(|end| *end != "txt")
        else {
            continue;
        };
        let Ok(text) = fs::read_to_string(&path) else { continue };
        // Headers are C and C++ alike.
        let fits = |found: &str| {
            found == extension
                || matches!(
                    (extension, found),
                    ("h", "c" | "cpp") | ("cc" | "hpp", "cpp") | ("pm" | "t", "pl")
                )
        };
        let verdict = magika.classify(&text);
        let found = match verdict {
            Some(Classification::Code(found)) => found,
            Some(_) => "prose",
            None => "none",
        };
        match verdict {
            Some(Classification::Code(found)) if fits(found) => right += 1,
            Some(_) => wrong += 1,
            None => none += 1,
        }
        *matrix.entry(extension.to_owned()).or_default().entry(found.to_owned()).or_default() += 1;
    }
    assert!(!matrix.is_empty(), "no recorded sources under {shared}; HEADROOM_SHARED names the folder");
    println!("{matrix:#?}\n{right} right, {wrong} wrong, {none} without a verdict");
    assert!(wrong * 20 <= right && right >= 40, "{right} right, {wrong} wrong");
}
