use super::{MAX_DEPTH, line_reads};

/// Whether this program with these arguments shows the content of files. `has_input`: its input is a file.
pub(super) fn shows_file<W: AsRef<str>>(words: &[W], has_input: bool, depth: usize) -> bool {
    if depth >= MAX_DEPTH {
        return false;
    }
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let words = of_command(&words);
    let Some((program, arguments)) = words.split_first() else { return false };
    let program = name(program);
    let has = |options: &str| has_input || !operands(arguments, options).is_empty();
    match program.as_str() {
        "cat" | "gcat" | "tac" | "zcat" | "more" | "most" | "get-content" | "gc" => has(""),
        "less" => has("-p -x -j -b -h -y -z"),
        "bat" | "batcat" => has(
            "-l -H -r -m --line-range --language --style --theme --color --paging --highlight-line --wrap",
        ),
        "nl" => has("-b -d -f -h -i -l -n -s -v -w"),
        "head" | "tail" => has("-n -c -s --lines --bytes"),
        "sed" => shows_script_input(arguments, has_input, "-e -f -l --expression --file", |_| true),
        "awk" | "gawk" | "mawk" | "nawk" => {
            shows_script_input(arguments, has_input, "-f -F -v --file --assign", |script| {
                script.contains("NR") || script.contains("$0") || !script.contains('{')
            })
        }
        "git" => shows_blob(arguments),
        "xargs" => shows_file(skip_options(arguments, "-n -P -I -L -d -a -s -E"), true, depth + 1),
        "find" | "fd" => arguments
            .iter()
            .position(|word| matches!(*word, "-exec" | "-execdir" | "-x"))
            .and_then(|at| arguments.get(at + 1..))
            .is_some_and(|inner| shows_file(inner, true, depth + 1)),
        "bash" | "sh" | "zsh" | "dash" | "fish" | "ksh" | "powershell" | "pwsh" | "cmd" => {
            script_of(arguments).is_some_and(|script| line_reads(script, depth + 1))
        }
        "ssh" => arguments.split_first().is_some_and(|(_, rest)| line_reads(&rest.join(" "), depth + 1)),
        "docker" | "podman" | "kubectl" | "oc" | "adb" | "chroot" | "wsl" => (0..arguments.len())
            .filter_map(|at| arguments.get(at..))
            .find(|inner| inner.first().is_some_and(|word| is_inner_program(word)))
            .is_some_and(|inner| shows_file(inner, has_input, depth + 1)),
        _ => false,
    }
}

/// Whether the program is one of these.
pub(super) fn is_any(words: &[String], programs: &[&str]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    of_command(&words).first().is_some_and(|program| programs.contains(&name(program).as_str()))
}

/// Whether the program changes the files that it names: `sed -i`, `perl -pi`.
pub(super) fn edits_in_place(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = of_command(&words).split_first() else { return false };
    let is_in_place = |word: &&str| {
        word.starts_with("--in-place")
            || word.starts_with('-') && !word.starts_with("--") && word.contains('i')
    };
    matches!(name(program).as_str(), "sed" | "gsed" | "perl" | "ruby") && arguments.iter().any(is_in_place)
}

/// Whether the program prints its arguments.
pub(super) fn echoes(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    of_command(&words).first().is_some_and(|word| matches!(*word, "echo" | "printf"))
}

/// Whether the program runs another on the names that it reads.
pub(super) fn passes_names(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = of_command(&words).split_first() else { return false };
    matches!(name(program).as_str(), "xargs" | "parallel") && {
        let inner = skip_options(arguments, "-n -P -I -L -d -a -s -E");
        !inner
            .first()
            .is_some_and(|inner| matches!(name(inner).as_str(), "wc" | "ls" | "rm" | "stat" | "echo"))
    }
}

/// Whether the program's output is something other than lines of its input.
pub(super) fn transforms(words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some((program, arguments)) = of_command(&words).split_first() else { return false };
    let program = name(program);
    match program.as_str() {
        "awk" | "gawk" | "mawk" | "nawk" => !shows_script_input(arguments, true, "-f -F -v", |script| {
            script.contains("NR") || script.contains("$0") || !script.contains('{')
        }),
        "base64" | "bash" | "cksum" | "curl" | "cut" | "deno" | "jq" | "md5sum" | "mysql" | "node" | "od"
        | "perl" | "psql" | "ruby" | "sh" | "sha1sum" | "sha256sum" | "shasum" | "sqlite3" | "wc"
        | "xargs" | "xxd" | "yq" | "zsh" => true,
        _ => program.starts_with("python"),
    }
}

/// Returns the words of a command from its program on, without keywords, assignments and wrapper programs.
pub(super) fn of_command<'a, 'w>(mut words: &'w [&'a str]) -> &'w [&'a str] {
    while let Some((word, rest)) = words.split_first() {
        let options = match name(word).as_str() {
            "if" | "then" | "else" | "elif" | "do" | "while" | "until" | "!" | "{" | "builtin"
            | "command" | "exec" | "nohup" | "noglob" | "unbuffer" => "",
            "sudo" | "doas" => "-u -g -C -D -h -p -r -t -U",
            "env" => "-u -C -S",
            "time" => "-f -o",
            "nice" => "-n",
            "ionice" => "-c -n -p",
            "stdbuf" => "-i -o -e",
            "timeout" | "gtimeout" => {
                let rest = skip_options(rest, "-s -k");
                words = rest.get(1..).unwrap_or_default();
                continue;
            }
            _ if is_assignment(word) => {
                words = rest;
                continue;
            }
            _ => break,
        };
        words = skip_options(rest, options);
    }
    words
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// Returns the name of a program without its directory, in lower case.
pub(super) fn name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_ascii_lowercase();
    name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name)
}

/// Returns the arguments after the options. `valued` lists the options whose value is a separate word.
pub(super) fn skip_options<'a, 'w>(mut arguments: &'w [&'a str], valued: &str) -> &'w [&'a str] {
    while let Some((word, rest)) = arguments.split_first() {
        if !word.starts_with('-') || *word == "-" {
            break;
        }
        let takes_value = valued.split(' ').any(|option| option == *word);
        arguments = rest.get(usize::from(takes_value)..).unwrap_or_default();
        if *word == "--" {
            break;
        }
    }
    arguments
}

/// Returns the arguments that are neither options nor values of options.
pub(super) fn operands<'a>(arguments: &[&'a str], valued: &str) -> Vec<&'a str> {
    let mut operands = Vec::new();
    let mut rest = skip_options(arguments, valued);
    while let Some((word, after)) = rest.split_first() {
        if *word != "-" && !word.starts_with('+') && *word != "}" {
            operands.push(*word);
        }
        rest = skip_options(after, valued);
    }
    operands
}

/// Whether a program that runs a script over files shows their lines.
fn shows_script_input(
    arguments: &[&str],
    has_input: bool,
    valued: &str,
    script: impl Fn(&str) -> bool,
) -> bool {
    let in_place = |word: &str| {
        word.starts_with("--in-place")
            || (word.starts_with("-i") || (word.starts_with('-') && word.ends_with('i')))
    };
    if arguments.iter().take_while(|word| **word != "--").any(|word| in_place(word)) {
        return false;
    }
    let operands = operands(arguments, valued);
    let has_option = |short: &str, long: &str| {
        arguments
            .iter()
            .any(|word| word.starts_with(short) && !word.starts_with("--") || word.starts_with(long))
    };
    if has_option("-e", "--expression") || has_option("-f", "--file") {
        return has_input || !operands.is_empty();
    }
    match operands.split_first() {
        Some((first, files)) => script(first) && (has_input || files.iter().any(|file| !is_assignment(file))),
        None => false,
    }
}

/// Whether this is `git show REVISION:PATH` or `git cat-file ... REVISION:PATH`.
pub(super) fn shows_blob(arguments: &[&str]) -> bool {
    let arguments = skip_options(arguments, "-C -c --git-dir --work-tree");
    arguments.split_first().is_some_and(|(verb, rest)| {
        matches!(*verb, "show" | "cat-file")
            && operands(rest, "").iter().any(|object| {
                object.split_once(':').is_some_and(|(_, path)| !path.is_empty() && !object.contains("://"))
            })
    })
}

/// Returns the script after `-c` or a similar option.
fn script_of<'a>(arguments: &[&'a str]) -> Option<&'a str> {
    let at = arguments.iter().position(|word| {
        let word = word.to_ascii_lowercase();
        word == "/c"
            || word == "-command"
            || (word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
    })?;
    arguments.get(at + 1).copied()
}

fn is_inner_program(word: &str) -> bool {
    matches!(
        name(word).as_str(),
        "cat" | "tac" | "head" | "tail" | "sed" | "awk" | "nl" | "less" | "more" | "bash" | "sh" | "zsh"
    )
}
