use std::{iter::Peekable, str::CharIndices};

/// A simple command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// The words without quotes and without substitutions.
    pub(super) words: Vec<String>,
    /// The insides of `$(...)` and backticks in the words.
    pub(super) substitutions: Vec<String>,
    /// Whether standard input is a named file.
    pub(super) reads_input: bool,
    /// The name of that file.
    pub(super) input: Option<String>,
    /// Whether standard output goes to a file.
    pub(super) writes_file: bool,
}

/// Parses the pipelines of a command line, in order, however they are joined.
pub(super) fn pipelines(line: &str) -> Vec<Vec<Command>> {
    let mut lexer = Lexer {
        line,
        chars: line.char_indices().peekable(),
        pipelines: Vec::new(),
        pipeline: Vec::new(),
        command: Command::default(),
        heredocs: Vec::new(),
    };
    lexer.run();
    lexer.pipelines
}

struct Lexer<'a> {
    line: &'a str,
    chars: Peekable<CharIndices<'a>>,
    pipelines: Vec<Vec<Command>>,
    pipeline: Vec<Command>,
    command: Command,
    /// Terminators of the here-documents that begin on the next line.
    heredocs: Vec<String>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some((_, char)) = self.chars.peek().copied() {
            match char {
                '\n' => {
                    self.chars.next();
                    self.end_pipeline();
                    self.skip_heredocs();
                }
                ' ' | '\t' | '\r' => drop(self.chars.next()),
                '#' => self.skip_line(),
                '|' => {
                    self.chars.next();
                    if self.accept('|') {
                        self.end_pipeline();
                    } else {
                        self.accept('&');
                        self.end_command();
                    }
                }
                '&' => {
                    self.chars.next();
                    if self.accept('>') {
                        self.redirect_output(true);
                    } else {
                        self.end_pipeline();
                    }
                }
                ';' | '(' | ')' => {
                    self.chars.next();
                    self.end_pipeline();
                }
                '<' => {
                    self.chars.next();
                    self.redirect_input();
                }
                '>' => {
                    self.chars.next();
                    self.redirect_output(true);
                }
                _ => self.argument(),
            }
        }
        self.end_pipeline();
    }

    fn accept(&mut self, char: char) -> bool {
        self.chars.next_if(|(_, next)| *next == char).is_some()
    }

    fn end_command(&mut self) {
        let command = std::mem::take(&mut self.command);
        if command != Command::default() {
            self.pipeline.push(command);
        }
    }

    fn end_pipeline(&mut self) {
        self.end_command();
        if !self.pipeline.is_empty() {
            self.pipelines.push(std::mem::take(&mut self.pipeline));
        }
    }

    fn argument(&mut self) {
        let word = self.word();
        let next = self.chars.peek().map(|(_, char)| *char);
        // `2>` names the redirected stream; only standard output matters.
        if matches!(next, Some('<' | '>')) && matches!(word.as_str(), "0" | "1" | "2") {
            self.chars.next();
            match next {
                Some('>') => self.redirect_output(word == "1"),
                _ => self.redirect_input(),
            }
            return;
        }
        self.command.words.push(word);
    }

    fn redirect_output(&mut self, standard: bool) {
        if self.accept('(') {
            self.substitution();
            return;
        }
        let _ = self.accept('>') || self.accept('|');
        let duplicates = self.accept('&');
        let target = self.target();
        let stays = duplicates && matches!(target.as_str(), "1" | "2" | "-");
        self.command.writes_file |= standard && !stays && target != "/dev/stdout" && target != "/dev/tty";
    }

    fn redirect_input(&mut self) {
        if self.accept('(') {
            self.substitution();
        } else if !self.accept('<') {
            self.command.input = Some(self.target());
            self.command.reads_input = true;
        } else if self.accept('<') {
            self.target();
        } else {
            self.accept('-');
            let end = self.target();
            self.heredocs.push(end);
        }
    }

    fn target(&mut self) -> String {
        while self.chars.next_if(|(_, char)| matches!(char, ' ' | '\t')).is_some() {}
        self.word()
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some((_, char)) = self.chars.peek().copied() {
            if matches!(char, ' ' | '\t' | '\r' | '\n' | '|' | '&' | ';' | '(' | ')' | '<' | '>') {
                break;
            }
            self.chars.next();
            match char {
                '\\' => word.extend(self.chars.next().map(|(_, char)| char).filter(|char| *char != '\n')),
                '\'' => {
                    word.extend(self.chars.by_ref().map(|(_, char)| char).take_while(|char| *char != '\''));
                }
                '"' => self.quoted(&mut word),
                '`' => self.backticks(),
                '$' if self.accept('(') => self.substitution(),
                _ => word.push(char),
            }
        }
        word
    }

    fn quoted(&mut self, word: &mut String) {
        while let Some((_, char)) = self.chars.next() {
            match char {
                '"' => break,
                '\\' => word.extend(self.chars.next().map(|(_, char)| char)),
                '`' => self.backticks(),
                '$' if self.accept('(') => self.substitution(),
                _ => word.push(char),
            }
        }
    }

    fn backticks(&mut self) {
        let inner: String =
            self.chars.by_ref().map(|(_, char)| char).take_while(|char| *char != '`').collect();
        self.command.substitutions.push(inner);
    }

    /// Reads the rest of `(...)`.
    fn substitution(&mut self) {
        let Some((start, _)) = self.chars.peek().copied() else { return };
        let mut depth = 1_usize;
        let mut quote = None;
        let mut end = self.line.len();
        while let Some((at, char)) = self.chars.next() {
            match (quote, char) {
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (Some('\''), _) => {}
                (_, '\\') => drop(self.chars.next()),
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(char),
                (None, '(') => depth += 1,
                (None, ')') => {
                    depth -= 1;
                    if depth == 0 {
                        end = at;
                        break;
                    }
                }
                _ => {}
            }
        }
        self.command.substitutions.extend(self.line.get(start..end).map(str::to_owned));
    }

    fn skip_line(&mut self) {
        while self.chars.next_if(|(_, char)| *char != '\n').is_some() {}
    }

    fn skip_heredocs(&mut self) {
        for end in std::mem::take(&mut self.heredocs) {
            loop {
                let start = self.chars.peek().map(|(at, _)| *at);
                self.skip_line();
                let stop = self.chars.next().map_or(self.line.len(), |(at, _)| at);
                match start.and_then(|start| self.line.get(start..stop)) {
                    Some(line) if line.trim_matches(['\t', '\r']) != end => {}
                    _ => break,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<Vec<String>>> {
        let plain = |pipeline: Vec<Command>| pipeline.into_iter().map(|command| command.words).collect();
        pipelines(line).into_iter().map(plain).collect()
    }

    #[test]
    fn commands_are_split_where_a_shell_splits_them() {
        assert_eq!(
            words("cd 'a b' && cat \"x y\".rs|head -n5 2>&1; (ls) || echo a\\ b & # c | d\nnl f"),
            [
                vec![vec!["cd", "a b"]],
                vec![vec!["cat", "x y.rs"], vec!["head", "-n5"]],
                vec![vec!["ls"]],
                vec![vec!["echo", "a b"]],
                vec![vec!["nl", "f"]],
            ]
        );
    }

    #[test]
    fn here_documents_are_no_commands() {
        assert_eq!(
            words("cat <<'EOF' > a.py\ncat x\nit's\nEOF\nls\ncat <<-E\n\tcat y\n\tE\npwd"),
            [[vec!["cat"]], [vec!["ls"]], [vec!["cat"]], [vec!["pwd"]]]
        );
    }

    #[test]
    fn redirections_are_told_apart() {
        for (line, reads_input, writes_file) in [
            ("a < f", true, false),
            ("a <<< word", false, false),
            ("a > f", false, true),
            ("a >> f", false, true),
            ("a >| f", false, true),
            ("a &> f", false, true),
            ("a 1>f", false, true),
            ("a 2>/dev/null", false, false),
            ("a 2>&1", false, false),
            ("a >&2", false, false),
            ("a > /dev/stdout", false, false),
            ("a <(b)", false, false),
        ] {
            let command = &pipelines(line)[0][0];
            assert_eq!((command.reads_input, command.writes_file), (reads_input, writes_file), "{line}");
            assert_eq!(command.words, ["a"], "{line}");
        }
    }

    #[test]
    fn substitutions_stay_in_their_word() {
        let pipelines = pipelines("echo \"$(cat \"a)b\" | head)\" `pwd` $(x (y)) z");
        let command = &pipelines[0][0];
        assert_eq!(command.words, ["echo", "", "", "", "z"]);
        assert_eq!(command.substitutions, ["cat \"a)b\" | head", "pwd", "x (y)"]);
    }

    #[test]
    fn anything_is_taken() {
        for line in ["'", "\"", "$(", "`", "\\", "<<", "<< E\n", ">", "((((", "a |", "&&", "$((1+2))"] {
            pipelines(line);
        }
    }
}
