//! Finds the names of the files that a call reads or edits.

use super::{EDITORS, arguments, bare};

/// Parts of the names of tools that change files.
const VERBS: [&str; 9] =
    ["append", "create", "edit", "insert", "modify", "patch", "replace", "update", "write"];
/// How a patch names its files.
const HEADS: [&str; 5] = ["*** Update File: ", "*** Add File: ", "*** Move to: ", "+++ b/", "+++ "];

/// Returns the names of the files that a call edits or writes by itself, in lower case and without directories. A
/// command whose output goes to a file writes no text of the agent.
pub(crate) fn edited_names(tool: Option<&str>, arguments: &str) -> Vec<String> {
    let tool = tool.map(bare).unwrap_or_default();
    let views = EDITORS.contains(&tool.as_str()) && arguments::command_is(arguments, "view");
    let is_editor =
        !views && (EDITORS.contains(&tool.as_str()) || VERBS.iter().any(|verb| tool.contains(verb)));
    let mut names =
        if is_editor { arguments::file_names(arguments) } else { arguments::edited_by_shell(arguments) };
    if HEADS.iter().take(3).any(|head| arguments.contains(head)) || is_editor {
        // Line ends may be escaped.
        for line in arguments.split('\n').flat_map(|line| line.split("\\n")) {
            names
                .extend(HEADS.iter().find_map(|head| line.strip_prefix(head).and_then(arguments::base_name)));
        }
    }
    names
}

/// Returns the names of the files that a call reads, in lower case and without directories.
pub(crate) fn read_names(arguments: &str) -> Vec<String> {
    let mut names = arguments::file_names(arguments);
    names.extend(arguments::command_names(arguments));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_name_their_files() {
        for (tool, arguments) in [
            ("Edit", r#"{"file_path":"/w/Data.json","old_string":"a","new_string":"b"}"#),
            ("mcp__fs__write_file", r#"{"path":"data.json","content":"x"}"#),
            ("str_replace_based_edit_tool", r#"{"command":"str_replace","path":"/w/data.json"}"#),
            ("apply_patch", r#"{"input":"*** Begin Patch\n*** Update File: w/data.json\n@@\n-a\n+b"}"#),
            ("shell", r#"{"command":["apply_patch","*** Begin Patch\n*** Update File: data.json\n"]}"#),
            ("apply_patch", "*** Begin Patch\n*** Add File: w/data.json\n+x"),
            ("Bash", r#"{"command":"sed -i 's/a/b/' w/data.json"}"#),
            ("Bash", r#"{"command":"perl -pi -e 's/a/b/' data.json && ls"}"#),
            ("Bash", r#"{"command":"cat > /w/data.json <<'EOF'\n{}\nEOF"}"#),
            ("Bash", r#"{"command":"tee data.json <<EOF\n{}\nEOF"}"#),
        ] {
            assert!(
                edited_names(Some(tool), arguments).contains(&"data.json".to_owned()),
                "{tool} {arguments}"
            );
        }
    }

    #[test]
    fn other_calls_edit_nothing() {
        for (tool, arguments) in [
            ("Read", r#"{"file_path":"/w/data.json"}"#),
            ("str_replace_based_edit_tool", r#"{"command":"view","path":"/w/data.json"}"#),
            ("Bash", r#"{"command":"curl -s http://x > data.json; cat data.json"}"#),
            ("Bash", r#"{"command":"sed -n 1,5p data.json"}"#),
            ("Bash", r#"{"command":"npm test 2>&1 | tee data.json"}"#),
        ] {
            assert_eq!(edited_names(Some(tool), arguments), Vec::<String>::new(), "{tool} {arguments}");
        }
    }

    #[test]
    fn reads_name_their_files() {
        for (arguments, names) in [
            (r#"{"file_path":"/var/log/App.log","limit":50}"#, vec!["app.log"]),
            (r#"{"command":"cd /w && tail -n 50 logs/a.log | grep -v x"}"#, vec!["w", "a.log", "50", "x"]),
            (r#"{"command":["bash","-lc","cat a.json"]}"#, vec!["a.json"]),
            ("cat b.txt", vec!["b.txt"]),
            (r#"const r = await tools.exec_command({cmd:"cat x/c.csv"}); text(r.output);"#, vec!["c.csv"]),
        ] {
            let found = read_names(arguments);
            let dotted: Vec<&String> = found.iter().filter(|name| name.contains('.')).collect();
            let expected: Vec<&&str> = names.iter().filter(|name| name.contains('.')).collect();
            assert_eq!(format!("{dotted:?}"), format!("{expected:?}"), "{arguments}");
        }
    }
}
