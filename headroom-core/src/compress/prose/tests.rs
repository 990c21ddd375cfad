use super::*;

/// A document of sections with sentences that say different things, one of which holds the answer.
fn document(sections: usize) -> String {
    let subjects = ["harbour", "engine", "garden", "library", "market", "station", "bridge", "museum"];
    let verbs = ["opens", "closes", "moves", "waits", "rises", "falls", "changes", "remains"];
    let mut text = String::new();
    for section in 0..sections {
        let subject = subjects[section % subjects.len()];
        text.push_str(&format!("## Part {section}\n\n"));
        for (n, verb) in verbs.iter().enumerate() {
            text.push_str(&format!(
                "The {subject} of town {section} {verb} at hour {n}, as people of the place say each year. "
            ));
        }
        if section == sections / 2 {
            text.push_str(
                "The lighthouse keeper was called Angus Mackay. However, nobody remembers his voice. ",
            );
        }
        text.push_str("\n\n");
    }
    text
}

fn asked<'a>(question: &'a str) -> Query<'a> {
    Query { question: Some(question), ..Query::default() }
}

/// The text with `[…]` for each gap.
fn shown(text: &str, query: &Query<'_>) -> String {
    let mut out = String::new();
    let mut at = 0;
    for gap in gaps(text, query) {
        out.push_str(&text[at..gap.range.start]);
        out.push_str("[…]");
        at = gap.range.end;
    }
    out.push_str(&text[at..]);
    out
}

#[test]
fn what_answers_the_question_stays() {
    let text = document(10);
    let shown = shown(&text, &asked("What was the name of the lighthouse keeper?"));
    assert!(shown.len() * 10 < text.len() * 6, "{shown}");
    let answer = "The lighthouse keeper was called Angus Mackay. However, nobody remembers his voice.";
    assert!(shown.contains(answer), "{shown}");
    assert_eq!(shown.matches("## Part").count(), 10, "headings stay");
    let last = text.trim_end().rsplit(". ").next().unwrap_or_default();
    assert!(shown.trim_end().ends_with(last), "the end stays");
}

#[test]
fn the_section_whose_heading_was_named_stays_whole() {
    let people = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn"];
    let problem = |n: usize| {
        let who = people[n % people.len()];
        let days: String = (1..9)
            .map(|day| {
                format!("{who} takes {} pears to stall {} of the market. ", 300 + n * 31 + day * 7, 20 + day)
            })
            .collect();
        format!("## Problem {}\n\n{days}How many pears are that?\n\n", 10 + n)
    };
    let text: String = (0..people.len()).map(problem).collect();
    let shown = shown(&text, &asked("Solve problem 13."));
    assert!(shown.contains(&problem(3)), "{shown}");
    assert!(shown.len() * 10 < text.len() * 7, "{shown}");
}

#[test]
fn arguments_of_the_call_are_a_question_too() {
    let arguments =
        r#"{"url": "https://example.org/the/market", "prompt": "Who was the lighthouse keeper?"}"#;
    let query = Query { arguments: Some(arguments), ..Query::default() };
    let shown = shown(&document(10), &query);
    assert!(shown.contains("Angus Mackay") && shown.contains("[…]"), "{shown}");
}

#[test]
fn texts_that_nobody_asked_about_stay_unless_they_are_long() {
    let text = document(10);
    for question in ["Look at it.", "", "Fix the login of the app and deploy it to production.", "Why?"] {
        assert_eq!(gaps(&text, &asked(question)), [], "{question}");
    }
    assert_eq!(gaps(&text[..1000], &asked("lighthouse keeper")), []);
    let long = document(60);
    let shown = shown(&long, &asked("Look at it."));
    assert!(shown.len() * 2 < long.len());
    assert_eq!(shown.matches("opens at hour 0").count(), 60, "first sentences stay");
}

#[test]
fn what_leads_in_a_list_stays_with_it() {
    let mut text = document(6);
    text.push_str("These things were found in the tower by them:\n\n- a brass lighthouse lamp of the keeper\n- rope\n\n");
    text.push_str(&document(6));
    let shown = shown(&text, &asked("Which brass lamp did the lighthouse keeper have?"));
    assert!(shown.contains("found in the tower by them:\n\n- a brass lighthouse lamp"), "{shown}");
}

#[test]
fn gaps_of_more_than_a_line_take_the_white_space_around_them() {
    let text = document(10);
    for gap in gaps(&text, &asked("What was the name of the lighthouse keeper?")) {
        let removed = &text[gap.range.clone()];
        assert_eq!(gap.last - gap.first, removed.trim().matches('\n').count() as u32, "{removed}");
        assert_eq!(
            gap.first,
            1 + text[..gap.range.start].trim_end().matches('\n').count() as u32 + {
                let line_start = text[..gap.range.start].ends_with('\n');
                if line_start {
                    text[..gap.range.start].len() as u32 - text[..gap.range.start].trim_end().len() as u32
                } else {
                    0
                }
            }
        );
        assert_eq!(gap.summary, format!("{} words", removed.split_whitespace().count()));
    }
}

/// Sentences about a thing with this number, each of which says so.
fn about(number: usize, count: usize) -> String {
    const WORDS: [&str; 11] = [
        "harbour", "engine", "garden", "library", "market", "station", "bridge", "museum", "lamp", "river",
        "stone",
    ];
    let word = |at: usize| WORDS[(number * 7 + at * 3 + at * at) % WORDS.len()];
    let sentence = |at: usize| {
        let start = ["The", "It", "This", "However, the", "Every", "He saw that the"][(number + at) % 6];
        format!(
            "{start} {} of the {} is <{number}> by the {} and the {}.",
            word(at),
            word(at + 1),
            word(at + 2),
            word(at + 5)
        )
    };
    (0..count).map(sentence).collect::<Vec<_>>().join(" ")
}

/// Writes a record with this number, whose head says so.
type Form = fn(usize) -> String;

fn forms() -> [Form; 16] {
    [
        |n| format!("**Medicine #{n}#**\n\n{}\n\n{}\n\n", about(n, 3), about(n, 2)),
        |n| format!("Medicine #{n}#\n=============\n\n{}\n\n", about(n, 4)),
        |n| format!("Version #{n}#\n* {}\n* {}\n\n", about(n, 2), about(n, 1)),
        |n| format!("All about the old house #{n}#\n\n{}\n\n", about(n, 4)),
        |n| {
            format!(
                "The guests of group #{n}# must never do any of what is said here.\n\n- {}\n- {}\n\n",
                about(n, 1),
                about(n, 2)
            )
        },
        |n| format!("- The guests of group #{n}#\n  - {}\n  - {}\n", about(n, 1), about(n, 2)),
        |n| format!("Q: May I have it for #{n}#?\n\nA: {}\n\n{}\n\n", about(n, 3), about(n, 2)),
        |n| format!("May I have it for #{n}#?\n{}\n\n", about(n, 4)),
        |n| {
            format!(
                "{}: I am #{n}#. {}\n\n{}\n\n",
                ["ADA", "BEN", "EVE"][n * n % 3],
                about(n, 3),
                about(n, 2)
            )
        },
        |n| format!("{}: I am #{n}#. {}\n", ["Ada", "Ben", "Eve"][n * n % 3], about(n, 5)),
        |n| format!("The thing of many words #{n}#\n: {}\n\n", about(n, 3)),
        |n| format!("Files: #{n}#/*\nLicense: as below\n {}\n .\n {}\n\n", about(n, 2), about(n, 2)),
        |n| format!("#{n}# | {} | {n} mg\n", about(n, 3)),
        |n| {
            format!(
                "> What of the house #{n}# of the old man, and what of its garden?\n\n{}\n\n",
                about(n, 3)
            )
        },
        |n| format!("{}. Of #{n}#: {}\n\n{}\n\n", n + 1, about(n, 2), about(n, 2)),
        |n| format!("    The house #{n}# is for sale. {}\n", about(n, 5).replace(" of the ", "\nof the ")),
    ]
}

#[test]
fn no_sentence_stands_under_the_head_of_another() {
    let forms = forms();
    let mut elided = 0;
    for (number, form) in forms.iter().enumerate() {
        let text = format!(
            "What is known of them all.\n\n{}\nThat is all of it.\n",
            (0..24).map(form).collect::<String>()
        );
        for question in [
            "What is the lamp of the river by the museum?",
            "Which garden is <7>?",
            "What about stone and market?",
        ] {
            let shown = shown(&text, &asked(question));
            elided += usize::from(shown.contains("[…]"));
            let mut head = None;
            for part in shown.split_inclusive(['#', '>']) {
                if let Some((_, of)) = part.strip_suffix('>').and_then(|part| part.rsplit_once('<')) {
                    assert_eq!(Some(of), head, "form {number}, {question}: {part}\n{shown}");
                } else if let Some(of) = part.strip_suffix('#').filter(|of| of.parse::<usize>().is_ok()) {
                    head = Some(of);
                }
            }
        }
    }
    assert!(elided > forms.len(), "{elided}");
}

proptest::proptest! {
    #[test]
    fn gaps_hold_whole_sentences(parts in proptest::collection::vec(proptest::sample::select(vec![
        "The keeper saw the lighthouse. ", "Dr. Who has 2.5 m of rope in the old tower of the town. ", "\n\n", "\n",
        "## Head\n", "- an item of the list of the keeper\n", "灯台は古い。", "Is the wind of the north strong tonight? ",
        "A: yes of course\n", "```\ncode\n```\n", "| a | b |\n", "It waits, and waits, and waits for the tide. ", "é ",
    ]), 60..200)) {
        let text = parts.concat();
        let found = gaps(&text, &asked("Which lighthouse keeper has strong rope?"));
        proptest::prop_assert_eq!(&found, &gaps(&text, &asked("Which lighthouse keeper has strong rope?")));
        let units = units(&text, &shapes(&text));
        let mut end = 0;
        for gap in &found {
            proptest::prop_assert!(gap.range.start >= end && gap.range.start < gap.range.end);
            proptest::prop_assert!(text.get(gap.range.clone()).is_some());
            for unit in &units {
                let outside = unit.bytes.end <= gap.range.start || unit.bytes.start >= gap.range.end;
                let inside = unit.bytes.start >= gap.range.start && unit.bytes.end <= gap.range.end;
                proptest::prop_assert!(outside || inside, "{:?} cuts {:?}", gap, unit);
            }
            end = gap.range.end;
        }
        if let Some(gap) = found.first() {
            proptest::prop_assert!(gap.last as usize <= text.split('\n').count());
        }
    }
}

#[test]
fn sentences_in_cells_stay_in_their_row() {
    let mut text = "id,name,note,state\n".to_owned();
    for n in 0..120 {
        let sentence = format!("The boat number {n} came in with the tide and left again before the night.");
        let state = if n % 3 == 0 { "open" } else { "paid" };
        text += &format!(
            "{n},ship-{n},\"{sentence}\nNobody on the quay said \"\"no\"\" to boat {n}.\",{state}\n"
        );
    }
    for question in ["Who came?", "What was said to boat 67?"] {
        let query = Query { question: Some(question), ..Query::default() };
        for gap in crate::compress::gaps(crate::ContentKind::Prose, &text, &query) {
            let hidden = &text[gap.range.clone()];
            assert!(hidden.starts_with(|c: char| c.is_ascii_digit()), "a gap begins within a row: {hidden}");
            assert!(
                hidden.ends_with("open") || hidden.ends_with("paid"),
                "a gap ends within a row: {hidden}"
            );
        }
    }
}
