use super::super::is_prose;

/// Sentences that are beyond doubt.
fn sentences(count: usize) -> String {
    let one = |n: usize| {
        format!("The keeper of tower {n} lit the lamp at dusk, and the ships that passed saw it from afar. ")
    };
    (0..count).map(one).collect()
}

#[test]
fn prose_is_prose() {
    let wrapped = "The keeper lit the lamp at dusk, and the ships that passed it\nsaw it from afar. If it was dark,\nfor reasons of thrift, nobody came.\n\n".repeat(12);
    let talk =
        "Keeper: It is dark, I think we should light the lamp.\nMate: Yes, and soon, before they come.\n"
            .repeat(10);
    let document = format!(
        "# Towers\n\n{}\n\n## How\n\n- Light the lamp before the dusk falls.\n- Wait until the morning comes again.\n\n```sh\nlamp --on && wait;\n```\n\n{}\n",
        sentences(6),
        sentences(6)
    );
    let asian = "灯台は古い。夜に光る。船はそれを見る。守る人は一人だけです。\n\n".repeat(20);
    for text in [sentences(20), wrapped, talk, document, asian] {
        assert!(is_prose(&text), "{text}");
    }
}

#[test]
fn what_reads_like_prose_and_is_none_is_told_apart() {
    let option = "    -o, --out <FILE>\n          Write what was built to the file that is named here.\n";
    let page = "LAMP(1)                     User Commands                    LAMP(1)\n\nNAME\n       lamp - lights a lamp\n\nDESCRIPTION\n";
    let commit = "commit 1f2e3d4c5b6a79880716253443526170f0e1d2c3\nAuthor: A Keeper <a@example.org>\nDate:   Mon Apr 5 10:00:00 2031 +0000\n\n    Let the lamp burn longer in winter nights.\n\n";
    let words = "@@ -1,5 +1,5 @@\nThe lamp is [-lit-]{+dimmed+} before the keeper leaves the tower.\nIt must {+not +}be left alone while it burns at night.\n";
    let table = "lamp one of the tower    lit at dusk by the keeper    burns until the morning comes\n";
    let settings = "# How long the lamp burns in the night, in hours from dusk.\n# It is not lit in the day.\nlamp_hours = 9\n\n";
    let code = "    /* The lamp is lit before the keeper leaves, as the rules of the tower say. */\n    lamp_light(tower, keeper);\n    if (lamp_burns(tower)) {\n        return leave_the_tower(keeper);\n    }\n";
    let lines =
        "1f2e3d4 Let the lamp of the tower burn longer\n9a8b7c6 Say when the keeper leaves the tower\n";
    let tex = "\\section{The lamp of the tower}\nThe lamp is lit before the keeper leaves.\n\\label{lamp}\n";
    for (text, what) in [
        (format!("Usage: lamp [OPTIONS]\n\n{}", sentences(12)), "a help text"),
        (option.repeat(14), "options"),
        (format!("{page}       {}\n", sentences(12)), "a manual page"),
        (commit.repeat(10), "commits"),
        (lines.repeat(20), "commits by line"),
        (format!("diff --git a/x b/x\n{}", words.repeat(10)), "a diff by words"),
        (table.repeat(20), "a table"),
        (settings.repeat(14), "settings"),
        (code.repeat(8), "code"),
        (tex.repeat(12), "TeX"),
        (format!("r{0} | a | 2031\n{1}\nr2 | b | 2031\n{1}\n", 1, sentences(6)), "revisions"),
    ] {
        assert!(!is_prose(&text), "{what}: {text}");
    }
}
