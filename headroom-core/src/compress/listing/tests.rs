use proptest::prelude::*;

use super::{super::trial, *};
use crate::{compress::shared_texts, formats::listing::share};

fn both(text: &str, query: &Query<'_>) -> String {
    let rendered = render(text);
    let text = rendered.as_deref().unwrap_or(text);
    let found = gaps(text, query);
    trial::check(text, &found);
    trial::elided(text, &found)
}

fn asking(question: &str) -> Query<'_> {
    Query { question: Some(question), ..Query::default() }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_texts_come_back() {
    for (path, text) in shared_texts("corpora").into_iter().chain(shared_texts("captures")) {
        if let Some(short) = render(&text) {
            let back = recursive::expand(&short).unwrap_or_else(|| common_prefix::expand(&short));
            assert_eq!(back, text, "{}", path.display());
            println!("{} -> {} {}", trial::tokens(&text), trial::tokens(&short), path.display());
        }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_listings_keep_their_needles() {
    let form = |text: &str, query: &Query<'_>| (share(text) >= 80).then(|| both(text, query));
    let tally = trial::corpus("search/", |_, text, query| form(text, query));

    assert!(tally.visible * 100 >= tally.needles * 99, "{tally:?}");
    let tally = trial::conversations(form);

    assert!(tally.visible * 100 >= tally.needles * 99, "{tally:?}");
}

#[test]
fn a_long_list_of_paths_names_each_directory_once() {
    let text: String =
        (0..120).map(|n| format!("/home/me/work/app/src/part{}/mod_{n}.rs\n", n / 30)).collect();
    let short = render(&text).unwrap();
    assert_eq!(common_prefix::expand(&short), text);
    assert!(short.contains("\n/home/me/work/app/src/part2/mod_60.rs\n mod_61.rs\n"), "{short}");
    assert!(trial::tokens(&short) * 2 < trial::tokens(&text));
    assert_eq!(render(&text[..text.len() / 3]), None, "paths of short lists are quoted");
}

#[test]
fn drawn_trees_are_indented() {
    for [parent, branch, last] in
        [["│\u{a0}\u{a0} ", "├── ", "└── "], ["│   ", "├── ", "└── "], ["|   ", "|-- ", "`-- "]]
    {
        let mut text = ".\n".to_owned();
        for n in 0..9 {
            text += &format!(
                "{branch}dir{n}\n{parent}{branch}a b.rs\n{parent}{branch}sub\n{parent}{parent}{last}x\n"
            );
            text += &format!("{parent}{last}last.rs\n");
        }
        text += &format!("{last}end\n    {last}deep\n        {last}er -> /x\n\n12 directories, 30 files\n");
        let short = render(&text).unwrap();
        assert_eq!(common_prefix::expand(&short), text);
        assert!(short.contains("\n  dir3\n    a b.rs\n    sub\n      x\n"), "{short}");
        assert!(trial::tokens(&short) * 10 < trial::tokens(&text) * 8);
    }
}

/// What `ls -R` prints of some directories.
fn recursive_listing() -> String {
    let mut text = ".:\nCargo.toml\ndocs\nsrc\n".to_owned();
    for n in 0..12 {
        text += &format!("\n./docs/messages/part-{n}:\nbad.py\ndetails.rst\ngood.py\n");
    }
    text + "\n./src:\n\n./src/deep:\nlib.rs\n"
}

#[test]
fn recursive_listings_have_a_line_for_each_directory() {
    let text = recursive_listing();
    let short = render(&text).unwrap();
    assert_eq!(recursive::expand(&short).as_deref(), Some(&*text));
    assert!(short.contains(
        "\n./docs/messages/part-0: bad.py details.rst good.py\n part-1: bad.py details.rst good.py\n"
    ));
    assert!(short.ends_with("\n./src:\n./src/deep: lib.rs\n"), "{short}");
    assert!(trial::tokens(&short) * 10 < trial::tokens(&text) * 9);
    // Cut in the middle, and inside of what an agent wraps it in.
    let cut = format!("<output>\n{}\n<cut/>\nx.py\ny.py\n\n./z:\n</output>", &text[..text.len() * 3 / 4]);
    assert_eq!(recursive::expand(&render(&cut).unwrap()), Some(cut));
    for odd in [text.replace('\n', "\r\n"), text.replace("good.py", "see: good.py"), text + " a: b\n"] {
        if let Some(short) = render(&odd) {
            assert_eq!(recursive::expand(&short), Some(odd));
        }
    }
}

#[test]
fn directories_of_a_huge_recursive_listing_are_set_aside() {
    let mut text = ".:\nsrc\n".to_owned();
    for n in 0..600 {
        text += &format!("\n./node_modules/pkg{}/part_{n}:\nindex.js\nREADME.md\n", n / 100);
    }
    text += "\n./src:\nmain.rs\n";
    let short = render(&text).unwrap();
    let out = trial::elided(&short, &gaps(&short, &asking("What is in part_277?")));
    assert!(out.len() * 4 < short.len(), "{out}");
    assert!(out.contains("part_277: index.js") && out.contains("./src: main.rs"), "{out}");
    for n in 0..6 {
        assert!(out.contains(&format!("./node_modules/pkg{n}/part_{}", n * 100)), "{n}\n{out}");
    }
}

#[test]
fn what_tools_wrote_is_set_aside_first() {
    let mut text = String::new();
    for n in 0..60 {
        text += &format!("./src/mod_{n}.rs\n");
    }
    for n in 0..200 {
        text += &format!("./node_modules/pkg{}/lib/file_{n}.js\n", n / 50);
    }
    text += "./README.md\n";
    let out = both(&text, &Query::default());
    assert!(out.len() * 3 < text.len(), "{out}");
    for n in 0..60 {
        assert!(out.contains(&format!("mod_{n}.rs")), "{n}");
    }
    for n in 0..4 {
        assert!(out.contains(&format!("node_modules/pkg{n}/lib")), "{n}\n{out}");
    }
    assert!(out.contains("49 .js in ./node_modules/pkg0/lib") && out.ends_with("./README.md\n"), "{out}");
    assert!(both(&text, &asking("what is in file_77.js?")).contains("file_77.js"));
    let call = Query { arguments: Some(r#"{"pattern":"**/file_133.js"}"#), ..Query::default() };
    assert!(both(&text, &call).contains("file_133.js"));
}

#[test]
fn a_huge_listing_names_its_directories() {
    let mut text = String::new();
    for directory in 0..100 {
        for n in 0..60 {
            text += &format!("lib/part{directory}/item_{n}.py\n");
        }
        text += &format!("lib/part{directory}/special.toml\n");
    }
    let out = both(&text, &Query::default());
    assert!(out.len() * 4 < text.len(), "{}", out.len());
    for directory in 0..100 {
        assert!(out.contains(&format!("lib/part{directory}/item_0.py")), "{directory}");
    }
    assert!(out.contains("special.toml"));
}

#[test]
fn what_is_left_reads_as_paths_of_the_input() {
    let mut text = String::new();
    for n in 0..3000 {
        let directory = ["src/a", "node_modules/x/y", "tests/b c", "src/deep/er"][n / 9 % 4];
        text += &format!("/w/{directory}/file_{n}.{}\n", ["rs", "py", "toml"][n % 3]);
    }
    let short = render(&text).unwrap();
    let out = trial::elided(&short, &gaps(&short, &asking("file_77.toml or file_1009.py")));
    assert!(out.len() * 2 < short.len() && out.contains("file_77.") && out.contains("file_1009."), "{out}");
    let lines = out.split_inclusive('\n').filter(|line| !line.contains("[headroom:"));
    for line in common_prefix::expand(&lines.collect::<String>()).lines() {
        assert!(text.lines().any(|input| input == line), "{line}");
    }
}

#[test]
fn many_deep_directories_are_named_to_a_lesser_depth() {
    let text: String =
        (0..20_000).map(|n| format!("a/b{}/c{}/d{}/e{n}.x\n", n / 1000, n / 100, n / 10)).collect();
    let out = both(&text, &Query::default());
    assert!(out.len() * 10 < text.len(), "{}", out.len());
}

#[test]
fn listings_are_told_from_other_texts() {
    let status = "On branch main\nChanges not staged for commit:\n\tmodified:   src/a.rs\n\tdeleted:    b.rs\n\nUntracked files:\n\tnew/x.rs\n";
    assert_eq!(share(status), 50, "the sentences are none");
    assert_eq!(share(" M src/a.rs\n?? b.txt\nR  a.rs -> c/d.rs\n"), 100);
    assert_eq!(share(".:\nsrc\nCargo.toml\n\n./src:\nlib.rs\n"), 100);
    assert_eq!(share("This is a sentence.\nerror: no such file\nlet a = b;\nkey: value\n"), 0);
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "(/w|\\./a b|C:\\\\d)/(x|y-z)/[a-c]{1,3}(\\.rs|/)?",
        2 => "[ \t]?[a-c. ]{0,4}",
        4 => "((│   |    |│\u{a0}\u{a0} ){0,3}(├── |└── )|(\\|   ){0,2}(\\|-- |`-- ))[ a-c]{0,3}",
        1 => Just(common_prefix::LIST.to_owned()),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn lifting_is_reversible(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..80),
        many in 0_usize..90,
        last in line(),
    ) {
        let mut text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        for n in 0..many {
            text.push_str(&format!("/w/x/{n}a.rs\n"));
        }
        text.push_str(&last);
        if let Some(short) = render(&text) {
            prop_assert!(short.len() < text.len());
            prop_assert_eq!(recursive::expand(&short).unwrap_or_else(|| common_prefix::expand(&short)), text);
        }
    }

    #[test]
    fn recursive_listings_come_back(
        lines in proptest::collection::vec(prop_oneof![
            3 => "\\n?(\\./)?[a-c]/([a-c]/)?[a-c]:",
            4 => "[a-c]{1,2}(\\.py)?",
            1 => " ?[a-c]?:?( [a-c]:?)?",
            1 => Just(recursive::HEADER.to_owned()),
        ], 0..120),
    ) {
        let text = lines.join("\n");
        if let Some(short) = recursive::render(&text) {
            prop_assert_eq!(recursive::expand(&short), Some(text));
        }
    }

    #[test]
    fn trees_come_back(depths in proptest::collection::vec(1_usize..5, 1..60), style in 0..3_usize) {
        let mut text = "root\n".to_owned();
        let mut deepest = 0;
        for (n, depth) in depths.into_iter().enumerate() {
            let depth = depth.min(deepest + 1);
            deepest = depth;
            text.push_str(&"  ".repeat(depth));
            text.push_str(&format!("n{n}\n"));
        }
        let drawn = common_prefix::ListStyle::ALL[style].draw(&text);
        if let Some(short) = render(&drawn) {
            prop_assert_eq!(common_prefix::expand(&short), drawn);
        }
    }

    #[test]
    fn gaps_are_whole_lines_of_any_text(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..60),
        times in 1_usize..60,
        question in "[a-d]{0,3}",
    ) {
        let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        let text = text.repeat(times);
        trial::check(&text, &gaps(&text, &asking(&question)));
        prop_assert!(share(&text) <= 100);
    }
}

#[test]
fn a_name_stays_with_its_directory() {
    // `ls -R` and a drawn tree, so large that directories deep inside are not shown.
    let mut flat = String::new();
    let mut drawn = String::from(".\n├── src\n");
    for n in 0..400 {
        flat += &format!("./a/b/c/d/e/f{n}:\n");
        drawn += &format!("│   ├── f{n}\n");
        for at in 0..12 {
            let name = if (n, at) == (222, 7) { "kestrel.rs".to_owned() } else { format!("part_{at}.rs") };
            flat += &format!("{name}\n");
            drawn += &format!("│   │   {} {name}\n", if at == 11 { "└──" } else { "├──" });
        }
        flat += "\n";
    }
    for (text, directory) in [(flat, "f222:"), (drawn, "│   ├── f222")] {
        let query = Query { question: Some("Where is kestrel.rs?"), ..Query::default() };
        let found = gaps(&text, &query);
        trial::check(&text, &found);
        let out = trial::elided(&text, &found);
        let before = &out[..out.find("kestrel.rs").unwrap()];
        let is_directory = |line: &&str| line.ends_with(':') || line.starts_with("│   ├── ");
        let last = before.lines().rfind(is_directory).unwrap();
        assert!(last.contains(directory) && !found.is_empty(), "{last} {}", out.len());
    }
}
