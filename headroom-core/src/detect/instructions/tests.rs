use super::*;
use crate::{Action, Engine, Hints, Retrieval, UnchangedReason};

fn rules(count: usize) -> String {
    let rule = |n: usize| {
        format!(
            "## Step {n}\n\nBefore step {n}, check that the last run has ended. Never start step {n} twice. \
             Do not skip it for small changes. Ask the owner of step {n} before anything else is done.\n\n"
        )
    };
    (0..count).map(rule).collect()
}

#[test]
fn tools_that_return_instructions_are_known_by_their_names() {
    for tool in [
        "skill",
        "Skill",
        "activate_skill",
        "skills.read",
        "mcp__agent-skills__load",
        "useSkill",
        "fetch_rules",
        "fetch_instructions",
        "initial_instructions",
        "mcp__house__get_code_guidelines",
    ] {
        assert!(are_in("text", Some(tool)), "{tool}");
    }
    for tool in ["Bash", "skillet_search", "list_firewall_rules", "reskill", "get_instrument"] {
        assert!(!are_in("text", Some(tool)), "{tool}");
    }
}

#[test]
fn calls_that_show_an_instruction_file_are_known() {
    for arguments in [
        r#"{"file_path":"/work/AGENTS.md"}"#,
        r#"{"filePath":"C:\\work\\CLAUDE.md"}"#,
        r#"{"absolute_path":"/home/a b/GEMINI.md","limit":20}"#,
        r#"{"path":".cursor/rules/style.mdc"}"#,
        r#"{"path":".cursorrules"}"#,
        r#"{"path":".github/copilot-instructions.md"}"#,
        r#"{"path":".github/instructions/rust.instructions.md"}"#,
        r#"{"uri":"file:///work/.windsurfrules"}"#,
        r#"{"url":"https://raw.example.org/a/b/main/AGENTS.md?plain=1"}"#,
        r#"{"paths":["src/a.rs","CONVENTIONS.md"]}"#,
        r#"{"path":"/home/me/.codex/skills/pdf/references/forms.md"}"#,
        r#"{"path":".claude/commands/ship.md"}"#,
        r#"{"command":"cat AGENTS.md"}"#,
        r#"{"command":"cd /work && cat src/a.rs CLAUDE.md | head -50"}"#,
        r#"{"command":"sed -n '1,80p' ./docs/../AGENTS.md"}"#,
        r#"{"command":"cat < CLAUDE.md"}"#,
        r#"{"command":"git show HEAD~2:CLAUDE.md"}"#,
        r#"{"command":"for f in AGENTS.md CLAUDE.md; do echo $f; cat $f; done"}"#,
        r#"{"command":"find . -name AGENTS.md | xargs cat"}"#,
        r#"{"command":"find . -name SKILL.md -exec cat {} \\;"}"#,
        r#"{"command":"grep -n -A3 never AGENTS.md"}"#,
        r#"{"command":"echo \"$(cat CLAUDE.md)\""}"#,
        r#"{"command":["bash","-lc","cat .claude/skills/*/SKILL.md"]}"#,
        r#"{"input":"const r = await tools.exec_command({cmd: \"cat AGENTS.md\"}); text(r.output)"}"#,
        r#"{"command":"curl -s https://example.org/main/.clinerules"}"#,
        "cat AGENTS.md",
    ] {
        assert!(are_in_file(Some(arguments)), "{arguments}");
    }
    for arguments in [
        r#"{"file_path":"/work/README.md"}"#,
        r#"{"file_path":"/work/agents.rs"}"#,
        r#"{"path":"docs/skills.md"}"#,
        r#"{"path":"docs/guidelines.md"}"#,
        r#"{"path":"docs/copilot-guide.md"}"#,
        r#"{"pattern":"CLAUDE.md","path":"src"}"#,
        r#"{"command":"ls -l AGENTS.md"}"#,
        r#"{"command":"git log --oneline -- CLAUDE.md"}"#,
        r#"{"command":"grep -rn CLAUDE.md src"}"#,
        r#"{"command":"rg TODO --glob '!AGENTS.md'"}"#,
        r#"{"command":"find . -name AGENTS.md"}"#,
        r#"{"command":"find . -name AGENTS.md | xargs wc -l"}"#,
        r#"{"command":"cat src/a.rs > AGENTS.md"}"#,
        r#"{"command":"wc -l CLAUDE.md && cargo test"}"#,
        r#"{"content":"See AGENTS.md","file_path":"notes.txt"}"#,
    ] {
        assert!(!are_in_file(Some(arguments)), "{arguments}");
    }
}

#[test]
fn the_files_of_other_agents_are_known() {
    for arguments in [
        r#"{"path":".github/copilot-commit-message-instructions.md"}"#,
        r#"{"path":"/work/.junie/guidelines.md"}"#,
        r#"{"path":"/work/.clinerules/style.md"}"#,
        r#"{"path":".roo/rules/a.md"}"#,
        r#"{"path":".roo/rules-code/a.md"}"#,
        r#"{"path":".kiro/steering/tech.md"}"#,
        r#"{"path":".amazonq/rules/a.md"}"#,
        r#"{"path":".augment/rules/a.md"}"#,
        r#"{"path":".augment-guidelines"}"#,
        r#"{"path":".trae/rules/project_rules.md"}"#,
        r#"{"path":".openhands/microagents/repo.md"}"#,
        r#"{"path":".gemini/styleguide.md"}"#,
        r#"{"path":".cursor/BUGBOT.md"}"#,
        r#"{"path":"QWEN.md"}"#,
        r#"{"path":"WARP.md"}"#,
        r#"{"path":".goosehints"}"#,
        r#"{"command":"cat .junie/guidelines.md"}"#,
    ] {
        assert!(are_in_file(Some(arguments)), "{arguments}");
    }
}

#[test]
fn envelopes_of_instructions_are_known() {
    for text in [
        "<skill_content name=\"deploy\">\n# Deploy\n</skill_content>",
        "\n<activated_skill name=\"a\">\n<instructions>\nx",
        "# AGENTS.md instructions for /work\n\n<INSTRUCTIONS>\nx",
        "Base directory for this skill: /home/me/.claude/skills/a\n\n# A",
        "---\nname: deploy\ndescription: Puts it there.\n---\n\n# Deploy",
        "---\ndescription: Style\nglobs: src/**\nalwaysApply: false\n---\n- x",
    ] {
        assert!(are_in(text, None), "{text}");
    }
    for text in [
        "<skills>3</skills>",
        "---\nname: web\nkind: Service\n---\nname: db\n",
        "---\ntitle: A post\n---\nText",
        "---\nname: a\ndescription: b\n",
        "--- a/x\n+++ b/x",
    ] {
        assert!(!are_in(text, None), "{text}");
    }
}

#[test]
fn what_a_client_adds_to_a_result_is_found() {
    let text =
        "a\n<system-reminder>\nNever.\n</system-reminder>\nb <system-reminder> c\n<system-reminder>open";
    let found: Vec<&str> = spans(text).into_iter().map(|span| &text[span]).collect();
    assert_eq!(found, ["<system-reminder>\nNever.\n</system-reminder>", "<system-reminder>open"]);
    assert!(spans("<system-reminders>\nx").is_empty());
}

fn compressed(text: &str, tool: &str, arguments: &str, question: &str) -> (String, Action) {
    let options = crate::CompressOptions::new().retrieval(Retrieval::ServerTool);
    let hints = Hints::new().tool(tool).arguments(arguments).query(question).options(options);
    let outcome = Engine::new().compress_text(text, &hints);
    (outcome.text.unwrap_or_else(|| text.to_owned()), outcome.report.action)
}

#[test]
fn instructions_stay_byte_for_byte_and_the_report_says_why() {
    let text = rules(40);
    let question = "How is step 7 done?";
    let (shown, _) = compressed(&text, "search", r#"{"query":"step 7"}"#, question);
    assert!(shown.len() < text.len(), "as evidence it would be cut");
    for (tool, arguments) in [
        ("skill", r#"{"name":"deploy"}"#),
        ("Bash", r#"{"command":"cat docs/AGENTS.md"}"#),
        ("Read", r#"{"file_path":"/work/.cursor/rules/deploy.md"}"#),
    ] {
        let (shown, action) = compressed(&text, tool, arguments, question);
        assert_eq!(
            (shown.as_str(), action),
            (text.as_str(), Action::Kept(UnchangedReason::Instructions)),
            "{tool}"
        );
    }
}

#[test]
fn a_reminder_in_a_result_stays_while_the_rest_shrinks() {
    let log: String = (0..400)
        .map(|n| format!("2031-04-05 10:{:02}:{:02} INFO loaded part {n} of the tide\n", n / 60, n % 60))
        .collect();
    let reminder = format!("<system-reminder>\n{}</system-reminder>", "Never run it again.\n".repeat(30));
    for text in
        [format!("{log}\n{reminder}"), format!("{reminder}\n{log}"), format!("{log}{reminder}\n{log}")]
    {
        let (shown, _) = compressed(&text, "Bash", r#"{"command":"make run"}"#, "Did it load?");
        assert!(shown.len() * 2 < text.len() && shown.contains(&reminder), "{shown}");
    }
}

#[test]
fn a_file_of_instructions_that_is_read_again_refers_to_itself() {
    let rules = rules(12);
    let turn = |n: usize| {
        let text = serde_json::to_string(&rules).unwrap();
        format!(
            r#",{{"role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Bash","input":{{"command":"cat AGENTS.md"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{n}","content":{text}}}]}}"#
        )
    };
    let body = format!(
        r#"{{"model":"claude","messages":[{{"role":"user","content":"How is step 7 done?"}}{}{}]}}"#,
        turn(1),
        turn(2)
    );
    let outcome =
        Engine::new().compress(crate::Api::Anthropic, body.as_bytes(), &crate::CompressOptions::new());
    let after = String::from_utf8(outcome.body().unwrap().to_vec()).unwrap();
    let first = serde_json::to_string(&rules).unwrap();
    assert_eq!(after.matches(&first).count(), 1, "{after}");
    assert_eq!(after.matches("[headroom: same as result 1 above").count(), 1, "{after}");
}
