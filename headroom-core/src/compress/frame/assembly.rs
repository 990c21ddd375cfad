//! Recognises assembler: what a compiler writes, and what a disassembler lists.

use crate::text::lines;

/// Lines that show what a text is.
const SAMPLE: usize = 400;
/// Fewer lines of assembler may be chance.
const MIN_LINES: usize = 12;
/// Percentage of the lines that are those of assembler.
const MIN_SHARE: usize = 60;
/// What opens comments, by the machine and the program; the first where a text has none.
const COMMENTS: [&str; 4] = ["# ", "; ", "// ", "@ "];

/// Returns what opens a comment, if a text is assembler.
pub(super) fn comment(text: &str) -> Option<&'static str> {
    let sample = || lines::split(text).filter(|line| !line.trim().is_empty()).take(SAMPLE);
    let (mut all, mut code, mut fit) = (0_usize, 0_usize, 0_usize);
    for line in sample() {
        all += 1;
        let is_code = is_instruction(line) || is_disassembled(line);
        code += usize::from(is_code);
        fit += usize::from(is_code || is_directive(line) || is_label(line));
    }
    if code < MIN_LINES || fit * 100 < all * MIN_SHARE {
        return None;
    }
    let count = |mark: &str| sample().filter(|line| line.contains(mark)).count();
    COMMENTS.into_iter().rev().max_by_key(|mark| count(mark))
}

/// Whether this is an instruction as compilers write it: `\tmovl\t%edi, %eax`.
fn is_instruction(line: &str) -> bool {
    let Some(rest) = line.strip_prefix('\t') else { return false };
    let name = rest.split('\t').next().unwrap_or_default().trim_end();
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let has_operands = rest.len() > name.len() + 1;
    name.len() <= 12
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(is_name)
        && (has_operands || matches!(name, "ret" | "leave" | "nop" | "cltq" | "cltd" | "endbr64"))
}

/// Whether this is an instruction behind its address: `  4030:\tff 25 ca ff\tjmp`, `   0x1139 <+0>:\tpush   %rbp`.
fn is_disassembled(line: &str) -> bool {
    let Some((address, _)) = line.trim_start().split_once(":\t") else { return false };
    let address = address.split(' ').next().unwrap_or_default();
    let digits = address.strip_prefix("0x").unwrap_or(address);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether this is a directive: `\t.globl\tmain`.
fn is_directive(line: &str) -> bool {
    line.strip_prefix("\t.").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Whether this is a label, a function of a listing, or a comment: `.L3:`, `0000000000004030 <main>:`, `# %bb.0:`.
fn is_label(line: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._$@<>+- ".contains(c);
    let is_one = |line: &str| line.strip_suffix(':').is_some_and(|name| name.chars().all(is_part));
    is_one(line) || line.starts_with(['#', ';']) || line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assembler_of_many_programs_is_known() {
        for (line, head, mark) in [
            ("\tmovl\t%edi, %eax", "main:\n\t.cfi_startproc", "# "),
            ("\tmov\tw0, #1\t// the first", ".globl\tmain\nmain:", "// "),
            ("\tldr\tr0, [r1]\t@ a word", "f:", "@ "),
            ("    4030:\tff 25 ca ff 01 00    \tjmp    4020", "0000000000004030 <getenv@plt>:", "# "),
            (
                "   0x0000000000001139 <+4>:\tmov    %rsp,%rbp",
                "Dump of assembler code for function main:",
                "# ",
            ),
        ] {
            let text = format!("{head}\n{}", format!("{line}\n").repeat(20));
            assert_eq!(comment(&text), Some(mark), "{text}");
        }
    }

    #[test]
    fn other_texts_are_none() {
        for line in [
            "\tgcc -o a.o a.c",
            "\tlibc.so.6 => /lib/libc.so.6 (0x00007f)",
            "10:\tvalue",
            "\treturn x;",
            "key: value",
            "12:00:01\tx",
        ] {
            let text = format!("start\n{}", format!("{line}\nother {line}\n").repeat(20));
            assert_eq!(comment(&text), None, "{text}");
        }
    }
}
