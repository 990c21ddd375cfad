//! What readers of other people found false.

use super::coded;

#[test]
fn a_function_that_the_question_names_stays_however_often_it_is_called() {
    let body: String = (0..20).map(|n| format!("    total = total + weigh({n})\n")).collect();
    let callers: String = (0..40)
        .map(|n| {
            format!("  def step_{n}(days)\n    advance(days: days + {n})\n    note({n})\n{body}  end\n\n")
        })
        .collect();
    let text = format!("class Clock\n  def advance(options)\n    secret = 1\n{body}  end\n\n{callers}end\n");
    for question in ["How does `advance` work?", "Explain advance()", "What does Clock#advance return?"] {
        let out = coded(&text, question, "clock.rb");
        assert!(out.contains(&format!("secret = 1\n{body}  end")), "{question}: {out}");
        assert!(out.contains("[headroom:"), "{question}");
    }
    assert!(!coded(&text, "How are you?", "clock.rb").contains("secret = 1"));
    let body: String = (0..20).map(|n| format!("    total = weigh(total, {n});\n")).collect();
    let callers: String = (0..40)
        .map(|n| {
            format!(
                "static int step_{n}(int days)\n{{\n    advance(days + {n});\n{body}    return total;\n}}\n\n"
            )
        })
        .collect();
    let text =
        format!("int advance(int days)\n{{\n    int secret = 1;\n{body}    return total;\n}}\n\n{callers}");
    let out = coded(&text, "How does advance() work?", "clock.c");
    assert!(
        out.contains(&format!("secret = 1;\n{body}    return total;")) && out.contains("[headroom:"),
        "{out}"
    );
    assert!(!coded(&text, "How are you?", "clock.c").contains("secret = 1"));
}

#[test]
fn code_behind_a_comment_stays_and_no_comment_is_left_open() {
    let comment: String =
        (0..8).map(|n| format!(" * What it does, line {n} of the comment above it\n")).collect();
    let notes: String = (0..6).map(|n| format!("    // A note on the first step, line {n}\n")).collect();
    let function = |n: usize| {
        let lines: String = (0..4).map(|at| format!("    step_{at}(value, {n});\n")).collect();
        format!("/**\n{comment} */ function named_{n}(value) {{\n{notes}{lines}    return value;\n}}\n")
    };
    let text: String = (0..10).map(function).collect();
    let out = coded(&text, "why?", "steps.js");
    for n in 0..10 {
        assert!(out.contains(&format!(" */ function named_{n}(value) {{\n")), "{out}");
    }
    let header = format!("/**\n{comment} */\n/**\n{comment} */\nint first(int);\n");
    let text = header.repeat(20);
    let out = coded(&text, "why?", "steps.c");
    assert_eq!(out.matches("/**").count(), out.matches("*/").count(), "{out}");
}
