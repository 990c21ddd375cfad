use std::{collections::HashMap, fs, path::Path, time::Instant};

use proptest::{collection::vec, prelude::*, sample::select};
use regex_syntax::hir::{self, HirKind};
use tiktoken_rs::CoreBPE;

use super::{class::Class, data, heap, *};

/// OpenAI's tokenizer.
fn reference(vocabulary: Vocabulary) -> &'static CoreBPE {
    match vocabulary {
        Vocabulary::O200kBase => tiktoken_rs::o200k_base_singleton(),
        Vocabulary::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
    }
}

const ALL: [Vocabulary; 2] = [Vocabulary::O200kBase, Vocabulary::Cl100kBase];

fn assert_counts_as_the_reference(text: &str) {
    for vocabulary in ALL {
        let expected = reference(vocabulary).count_ordinary(text);
        let start: String = text.chars().take(500).collect();
        assert_eq!(vocabulary.count(text), expected, "{vocabulary:?} of {} bytes: {start:?}", text.len());
    }
}

/// Words in which something is special to a pattern or to the tables.
#[test]
fn special_texts_are_counted_as_by_the_reference() {
    let long = [
        "a",
        "A",
        "ab",
        "=",
        " ",
        "\n",
        "\t",
        "-",
        "7",
        "[{\"\":",
        "é",
        "语",
        "👩\u{200d}",
        "e\u{301}",
        "ACGT",
        "\r\n",
        "'s",
    ];
    for part in long {
        for count in [1, 2, 3, 15, 16, 17, 63, 64, 65, 100, 127, 128, 129, 300, 1000, 5000] {
            let text = part.repeat(count);
            assert_counts_as_the_reference(&text);
            assert_counts_as_the_reference(&format!("x{text}"));
            assert_counts_as_the_reference(&format!(" {text} y"));
            assert_counts_as_the_reference(&format!("\n{text}\n/z"));
        }
    }
    for text in [
        "don't DON'T I'll we'Ve x're'd 'tis 'S \u{17f} it'\u{17f} 'Kelvin' l'l ''s '' 're",
        "HTTPServer XMLHttpRequest camelCase ABCdef aB Ab ǅabc ǅABC ªb ʰA 中A A中B Aʰ Aʰb ABʰC",
        "\u{301}A \u{301}\u{301}AB x\u{301}Y\u{301}Z \u{301}1 1\u{301} \u{301}\u{301}",
        "1 12 123 1234 12345 ½ ⅷⅷⅷⅷ ١٢٣٤ 1½2 \u{a0}1 \u{3000}x \u{2003}\u{2003}y \u{85}z\u{85}\n \u{2028} \u{2028}a",
        ",\n/x //\n//y .\r\n\r\n/ -\n \n- \t\t-\t- - \t \n\t x  \r y",
        "  \n  x   \n\n   \n   12  \t- \u{b}\u{c}\u{1c}\u{0}\u{7f}",
        " ",
        "  ",
        "\n ",
        "a ",
        "a  ",
        "a\n",
        "a\n  ",
        "\u{a0}\u{a0}",
    ] {
        assert_counts_as_the_reference(text);
    }
}

proptest! {
    #[test]
    fn counts_are_those_of_the_reference(text in any::<String>()) {
        assert_counts_as_the_reference(&text);
    }

    #[test]
    fn counts_of_mixed_texts_are_those_of_the_reference(parts in vec(prop_oneof![
        select(vec![
            " ", "  ", "\n", "\r\n", "\t", "/", "'", "'s", "'re", "'LL", "'ſ", "don't", "A", "AB", "Abc", "abc", "aBc", "7", "1234567",
            "½", "-", "--", "{\"key\":", "\",", "://", "_", ".", "中", "日本語の文", "ǅ", "ʰ", "\u{301}", "👩\u{200d}👧", "\u{a0}", "\u{85}",
            "\u{2028}", "\u{0}", "é", "Über", "привет", "ПРИВЕТ", "สวัสดี", "مرحبا", "deadbeef0123", "aGVsbG8gd29ybGQ", "error", "ERROR",
            "0x1F", "          ", "========", "________________",
        ]).prop_map(str::to_owned),
        "[a-zA-Z]{1,40}",
        "[ -~]{1,12}",
        "\\PC{1,3}",
        ("[a-z]{1,3}", 1_usize..200).prop_map(|(part, count)| part.repeat(count)),
    ], 0..40)) {
        assert_counts_as_the_reference(&parts.concat());
    }

    #[test]
    fn long_words_are_counted_as_by_the_reference(word in prop_oneof!["[a-z]{60,3000}", "[ab]{60,3000}", "[ACGT]{60,3000}", "[-=]{60,3000}", "[語言词汇のは]{20,1000}"]) {
        assert_counts_as_the_reference(&word);
    }

    #[test]
    fn windows_are_joined_where_the_whole_word_has_the_same_tokens(word in "([a-d]{1,4}){1,400}") {
        let merges = &Vocabulary::O200kBase.tables().merges;
        let mut window = encode::Window::new();
        assert_eq!(merges.count(word.as_bytes(), &mut window), heap::encode(merges, word.as_bytes()).len());
    }

    #[test]
    fn the_machine_splits_as_the_splitter_does(text in "[a-bA-Bsrl0-1 \\n\\t'/.é]{0,60}") {
        for pattern in [Pattern::O200k, Pattern::Cl100k] {
            let splitter = Splitter { text: text.as_bytes(), classes: Classes::get() };
            let mut ends = [0; BATCH];
            let (count, _) = Machine::new(pattern).split(text.as_bytes(), 0, &mut ends);
            let mut at = 0;
            for end in &ends[..count] {
                at = splitter.end(at, pattern);
                assert_eq!(at, *end, "{pattern:?} {text:?}");
            }
        }
    }
}

/// All of the recorded data, but for what is sealed.
#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_texts_are_counted_as_by_the_reference() {
    fn visit(path: &Path, files: &mut usize) {
        if path.is_dir() && !path.ends_with("sealed") {
            fs::read_dir(path).unwrap().for_each(|entry| visit(&entry.unwrap().path(), files));
        } else if path.is_file() {
            *files += 1;
            assert_counts_as_the_reference(&String::from_utf8_lossy(&fs::read(path).unwrap()));
        }
    }
    let mut files = 0;
    visit(Path::new(&std::env::var("HEADROOM_SHARED").unwrap()), &mut files);
    assert!(files > 100);
}

/// A word four times as long takes about four times as long, and sixteen times if the work were quadratic. The best of many
/// rounds counts, in which both take turns, because other programs take the processor away.
#[test]
fn the_time_of_a_word_is_linear_in_its_length() {
    let mixed = |n: usize| -> String { (0..n).map(|at| char::from(b'a' + (at * at % 26) as u8)).collect() };
    let words: [fn(usize) -> String; 5] = [
        |n| "a".repeat(n),
        |n| "ab".repeat(n / 2),
        |n| " ".repeat(n),
        |n| "[{\"\":".repeat(n / 5),
        |n| "語".repeat(n / 3),
    ];
    let time = |word: &str| {
        let start = Instant::now();
        std::hint::black_box(Vocabulary::O200kBase.count(word));
        start.elapsed()
    };
    for word in
        words.iter().map(|word| word as &dyn Fn(usize) -> String).chain([&mixed as &dyn Fn(usize) -> String])
    {
        let (short, long) = (word(1 << 16), word(1 << 18));
        let rounds: Vec<_> = (0..20).map(|_| (time(&short), time(&long))).collect();
        let (short, long) = rounds.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap();
        assert!(long < short * 10, "{short:?} and {long:?}");
    }
}

/// The tables' files, compared with their sources or written anew.
mod data_files {
    use super::*;

    fn compare(name: &str, present: &[u8], expected: &[u8]) {
        if std::env::var_os("HEADROOM_BLESS").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tokenizer/vocabulary/data").join(name);
            fs::write(path, expected).unwrap();
        } else {
            assert!(present == expected, "{name} is not what it is made from");
        }
    }

    fn push(data: &mut Vec<u8>, mut number: u32) {
        while number >= 0x80 {
            data.push(number as u8 | 0x80);
            number >>= 7;
        }
        data.push(number as u8);
    }

    /// Each token is what tokens of lower ranks merge into; the last two of them are its parts.
    fn merges(bpe: &CoreBPE) -> Vec<u8> {
        let mut data = Vec::new();
        let mut tokens: HashMap<Vec<u8>, u32> =
            (0..=u8::MAX).map(|byte| (vec![byte], u32::from(byte))).collect();
        for token in 256.. {
            let Ok(bytes) = bpe.decode_bytes(&[token]) else { break };
            let mut parts: Vec<&[u8]> = bytes.chunks(1).collect();
            while parts.len() > 2 {
                let joined =
                    |at: usize| &bytes[parts[..at].concat().len()..][..parts[at].len() + parts[at + 1].len()];
                let (_, at) =
                    (0..parts.len() - 1).filter_map(|at| Some((tokens.get(joined(at))?, at))).min().unwrap();
                parts[at] = joined(at);
                parts.remove(at + 1);
            }
            parts.iter().for_each(|part| push(&mut data, tokens[*part]));
            tokens.insert(bytes, token);
        }
        data
    }

    #[test]
    fn merges_are_those_of_the_reference() {
        compare("o200k_base.merges", data::O200K, &merges(reference(Vocabulary::O200kBase)));
        compare("cl100k_base.merges", data::CL100K, &merges(reference(Vocabulary::Cl100kBase)));
    }

    #[test]
    fn classes_are_those_of_the_regular_expressions() {
        let sets = [
            (Class::MARK, r"\p{M}"),
            (Class::UPPER, r"[\p{Lu}\p{Lt}]"),
            (Class::LOWER, r"\p{Ll}"),
            (Class::UNCASED, r"[\p{Lm}\p{Lo}]"),
            (Class::NUMBER, r"\p{N}"),
            (Class::SPACE, r"[\s--\r\n]"),
            (Class::LINE_END, r"[\r\n]"),
        ];
        let mut classes = vec![Class::SIGN; char::MAX as usize + 1];
        for (class, pattern) in sets {
            let parsed = regex_syntax::parse(pattern).unwrap();
            let HirKind::Class(hir::Class::Unicode(set)) = parsed.kind() else { panic!("{pattern}") };
            for range in set.iter() {
                classes[range.start() as usize..=range.end() as usize].fill(class);
            }
        }
        let mut expected = Vec::new();
        for run in classes[128..].chunk_by(|a, b| a == b) {
            expected.push(run[0].bits());
            push(&mut expected, u32::try_from(run.len()).unwrap());
        }
        compare("unicode.classes", data::CLASSES, &expected);
        for char in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = char.to_string();
            let found = Classes::get().at(text.as_bytes(), 0);
            assert_eq!(found, (classes[char as usize], text.len()), "{char:?}");
        }
    }
}
