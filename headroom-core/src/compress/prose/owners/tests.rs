use super::*;
use crate::compress::prose::{outline::units, shape::shapes};

/// What stays if only the unit with these words was chosen.
fn kept(text: &str, words: &str) -> String {
    let shapes = shapes(text);
    let units = units(text, &shapes);
    let owners = Owners::of(text, &units, &shapes);
    let mut kept: Vec<bool> = units.iter().map(|unit| text[unit.bytes.clone()].contains(words)).collect();
    assert!(kept.contains(&true), "{words}: {units:?}");
    owners.keep_always(&mut kept);
    let shown =
        units.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(unit, _)| text[unit.bytes.clone()].trim());
    shown.collect::<Vec<_>>().join("\n")
}

/// Asserts that the unit with these words brings all of these lines and none of those.
fn assert_kept(text: &str, words: &str, with: &[&str], without: &[&str]) {
    let text = format!(
        "This is where it all starts, for a reader.\n\n{text}\n\nThis is where it all ends, for a reader.\n"
    );
    let kept = kept(&text, words);
    for line in with {
        assert!(kept.contains(line), "{words:?} without {line:?}:\n{kept}\n--- of\n{text}");
    }
    for line in without {
        assert!(!kept.contains(line), "{words:?} with {line:?}:\n{kept}\n--- of\n{text}");
    }
}

#[test]
fn headings_of_every_style_stay() {
    for heading in [
        "## Ibuprofen",
        "Ibuprofen\n---------",
        "**Ibuprofen**",
        "__Ibuprofen__",
        "IBUPROFEN",
        "Ibuprofen",
        "Version 4.4.33",
        "1.2.3 (2024-03-05)",
        "Ibuprofen:",
        "== Ibuprofen ==",
        "2. Ibuprofen",
        "2.1  Ibuprofen",
        "<h3>Ibuprofen</h3>",
        "foo (1.2-3) unstable; urgency=medium",
        "Changes in the 3.8 release",
    ] {
        let text = format!(
            "The first of them is taken daily by grown people, and by nobody else in the house.\n\n{heading}\n\nHalf of it is enough for a child of that age, as all know."
        );
        assert_kept(&text, "Half of it", &[heading.lines().next().unwrap()], &["taken daily"]);
    }
    for heading in ["Version 4.4.32", "FIXES", "Fixes of this month:", "**Fixes**"] {
        let text = format!(
            "* The old one is gone from here for good, as all of the people in the house know.\n\n{heading}\n* It reads the new files too.\n* It waits."
        );
        assert_kept(&text, "It waits", &[heading], &["old one", "new files"]);
    }
}

#[test]
fn items_need_what_introduces_their_list() {
    let never = "The people of the red group must never do any of this in the house at all.";
    let may = "The people of the blue group may do all of this in the house at all times.";
    for (blank, mark) in
        [("\n", "- "), ("", "* "), ("\n", "1. "), ("", "(a) "), ("\n", "a) "), ("", "  - "), ("\n", "    ")]
    {
        let list = |item: &str| {
            format!("{blank}{mark}copy {item} of the house.\n{blank}{mark}open {item} of the house.\n")
        };
        let text = format!("{may}\n{}\n{never}\n{}", list("a key"), list("a door"));
        // What follows a numbered or an indented item may belong to it.
        let may_belong = mark.contains(['.', ')']) || mark.trim().is_empty();
        let without: &[&str] = if may_belong { &[] } else { &[may, "a key"] };
        assert_kept(&text, "open a door", &[never], without);
    }
    let nested = "The guests may do these things here, and all of the others may not do them.\n\n- In the garden, in which all is free\n  - sit on the grass\n  - eat of the apples\n- In the house of the owner\n  - sit on a chair";
    assert_kept(nested, "sit on a chair", &["The guests may", "In the house"], &["the grass"]);
    let within = "Do the following things in this order, and in no other order than this one.\n\n1. Open the door of the house.\n\n   Nobody will see you there, as all of the people in the house are asleep.\n\n2. Close the door of the house.\n\n   Somebody will see you there, as none of the people in the house are asleep.";
    assert_kept(within, "Somebody", &["Do the following", "Close the door"], &["Open the door", "Nobody"]);
}

#[test]
fn answers_need_their_questions() {
    let text = "Q: May I have my money back for the small plan?\n\nA: Yes, within thirty days of the day.\n\nQ: May I have my money back for the large plan? I have asked for it before, and nobody has said a word.\n\nA: No, never.\n\nWe are sorry for that, as you may well think.";
    assert_kept(text, "No, never", &["the large plan"], &["Yes, within"]);
    assert_kept(text, "We are sorry", &["A: No, never", "the large plan"], &["Yes, within"]);
    let text = "May I have my money back for the small plan?\nYes, within thirty days of the day.\n\nMay I have my money back for the large plan?\nNo, you may not have it then.\n\nSo it is.";
    assert_kept(text, "No, you", &["the large plan"], &["Yes, within"]);
    let text = "1. Is it free for those who are in the first house?\n\nYes, it is.\n\n2. Is it free for those who are in the last house?\n\nNo, it is not, as is known.\n\nThey pay for it.";
    assert_kept(text, "They pay", &["the last house"], &[]);
}

#[test]
fn what_is_said_needs_who_said_it() {
    for (ada, ben) in [
        ("ADA: ", "BEN: "),
        ("[10:31] Ada: ", "[10:35] Ben: "),
        ("<ada> ", "<ben> "),
        ("**Ada:** ", "**Ben:** "),
        ("Ada (chair): ", "Ben (guest): "),
    ] {
        for gap in ["\n\n", "\n"] {
            let text = format!(
                "{ada}I pay for the boat. The boat is old, and I have seen it in the harbour of the town on every day of the year so far.{gap}{ben}I pay for nothing. The boat has no mast, and I have never seen it in the harbour of the town on any day of the year so far. Nobody has.\n\nWhoever has seen it may tell me now."
            );
            assert_kept(&text, "Nobody has", &["I pay for nothing"], &[]);
            assert_kept(&text, "Whoever has", &["I pay for nothing"], &[]);
        }
    }
}

#[test]
fn definitions_rows_and_settings_need_what_they_are_of() {
    let terms = "Ship of the line\n: It has three masts.\n\nBoat of the river\n: It has two oars.\n: It has a flat bottom.";
    assert_kept(terms, "flat bottom", &["Boat of the river"], &["three masts"]);
    let table = "Name | Note | Dose\nAspirin | It is old. It is known to all. | 5 mg\nIbuprofen | It is new. Few know it. | 7 mg";
    assert_kept(
        table,
        "Few know",
        &["Name | Note | Dose", "Ibuprofen | It is new. Few know it. | 7 mg"],
        &["Aspirin"],
    );
    let files = "Files: src/*\nCopyright: the first of them\nLicense: MIT\n\nFiles: doc/*\nCopyright: the second of them\nLicense: GPL";
    assert_kept(files, "GPL", &["doc/*", "the second"], &["src/*", "MIT"]);
    let pages = "Name: Aspirin\n\nDose: Five of them in a day, and not one more.\n\nName: Ibuprofen\n\nDose: Seven of them in a day, and not one more.";
    assert_kept(pages, "Seven", &["Name: Ibuprofen"], &["Five"]);
    let clauses = "5. The seller owes nothing for what follows here.\n\n5.1 Loss of profit of the buyer of it, and of all that he could have had of it.\n\n6. The seller owes the full price for what follows here.\n\n6.1 Loss of life of the buyer of it, and of all that he could have had of it.";
    assert_kept(clauses, "Loss of life", &["the full price"], &["owes nothing", "Loss of profit"]);
}

#[test]
fn sentences_need_the_start_of_their_paragraph() {
    let text = "The red house is for sale. It has a garden of roses. Nobody lives there now. The price is known.\n\nThe blue house is taken. The roof of it is new. However, the cellar is wet. Nothing else is known of it.";
    assert_kept(text, "Nothing else", &["The blue house"], &["The red house", "cellar"]);
    assert_kept(text, "The roof", &["However, the cellar is wet"], &["red house"]);
    assert_kept(text, "a garden", &["The red house"], &["The price"]);
    let wrapped = "The red house is for sale, and all of those who would like\nto see it may come. The keys are kept by Ada, who lives in\nthe house behind it. Visits are on Sundays.\n\nNobody else has keys.";
    assert_kept(wrapped, "Visits are", &["The red house"], &["kept by Ada"]);
    let letter = "> Shall we sell the blue house of the old man?\n\nYes, do so at once, before the old man himself hears of it from others.\n\n> Shall we sell the red house of the old man?\n\nNo, I would rather not, before the old man himself has heard of it.";
    assert_kept(letter, "rather not", &["the red house"], &["Yes, do"]);
}

proptest::proptest! {
    #[test]
    fn selections_are_complete_after_one_walk(parts in proptest::collection::vec(proptest::sample::select(vec![
        "A b c. ", "\n", "\n\n", "# H\n", "```\n", "a | b\n", "- x\n", "  - y. ", "ADA: hi\n", ": d\n", "> q\n", "Who? ", "He is. ",
        "1. z\n", "    code\n", "Title\n", "However. ", "---\n", "Name: it\n",
    ]), 0..60), chosen in proptest::collection::vec(proptest::bool::ANY, 80)) {
        let text = parts.concat();
        let shapes = shapes(&text);
        let units = units(&text, &shapes);
        let owners = Owners::of(&text, &units, &shapes);
        let mut kept: Vec<bool> = (0..units.len()).map(|at| chosen.get(at) == Some(&true)).collect();
        owners.keep_always(&mut kept);
        let mut again = kept.clone();
        owners.close(&mut again);
        proptest::prop_assert_eq!(kept, again);
    }
}
