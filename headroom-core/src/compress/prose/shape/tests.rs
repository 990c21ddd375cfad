use super::*;

fn kinds(text: &str) -> Vec<LineKind> {
    shapes(text).into_iter().map(|shape| shape.kind).filter(|kind| *kind != LineKind::Blank).collect()
}

#[test]
fn paragraphs_are_no_titles() {
    for text in [
        "The light of the tower was seen by all of\nthe ships. It was lit by\nDr.\nBrown. Then\nhe left.",
        "IN NO EVENT SHALL THE AUTHORS BE LIABLE FOR ANY CLAIM,\nDAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF\nCONTRACT OR TORT, IN\nTHE SOFTWARE.",
    ] {
        assert!(!kinds(text).contains(&LineKind::Title), "{text}: {:?}", kinds(text));
    }
}

#[test]
fn lines_are_known_by_how_they_start() {
    use LineKind::{Definition, Heading, Item, Label, Quote, Row, Rule, Text};
    for (line, kind) in [
        ("### a", Heading),
        ("#include", Text),
        ("----", Rule),
        ("* * *", Rule),
        ("> said", Quote),
        ("a | b", Row),
        (": a", Definition),
        ("- a", Item(Mark::Bullet('-'))),
        ("12. a", Item(Mark::Number(1, false))),
        ("1.2.3 a", Item(Mark::Number(3, false))),
        ("(iv) a", Item(Mark::Roman(true))),
        ("(b) a", Item(Mark::Letter(true, false))),
        ("B. a", Item(Mark::Letter(false, true))),
        ("[7] a", Item(Mark::Reference)),
        ("§ 7 a", Item(Mark::Clause)),
        ("1984 was a year", Text),
        ("Ada: yes", Label),
        ("**Note** this", Label),
        ("[2024-05-01 10:31] yes", Label),
        ("<bob> yes", Label),
        ("See https://example.org/a", Text),
    ] {
        assert_eq!(super::kind(line), kind, "{line}");
    }
}

#[test]
fn rules_below_lines_make_headings() {
    use LineKind::{Heading, Rule, Text};
    for rule in ["====", "----", "~~~~~", "^^^^"] {
        let text = format!("1.2.3\n{rule}\nThis is what is new in it.\n\n1.2.2\n{rule}\nThis was new.\n");
        assert_eq!(kinds(&text), [Heading, Rule, Text, Heading, Rule, Text], "{rule}");
    }
    assert_eq!(
        kinds("Do this\n~~~\n# ls\n~~~\n"),
        [LineKind::Title, LineKind::Fence, LineKind::Fenced, LineKind::Fenced]
    );
}
