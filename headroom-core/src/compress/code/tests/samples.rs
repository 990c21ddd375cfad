//! Code in every language: functions that each call the next, with names that can be found again.

use super::Language;

/// Every language, with the name of a file in it.
pub(super) const ALL: [(Language, &str); 14] = [
    (Language::Bash, "tally.sh"),
    (Language::C, "tally.c"),
    (Language::Cpp, "tally.cpp"),
    (Language::CSharp, "Tally.cs"),
    (Language::Go, "tally.go"),
    (Language::Java, "Tally.java"),
    (Language::JavaScript, "tally.js"),
    (Language::Perl, "Tally.pm"),
    (Language::Php, "tally.php"),
    (Language::Python, "tally.py"),
    (Language::Ruby, "tally.rb"),
    (Language::Rust, "tally.rs"),
    (Language::Tsx, "tally.tsx"),
    (Language::TypeScript, "tally.ts"),
];

/// How a language writes a file, a function `tally0` and a statement.
struct Shape {
    start: &'static str,
    /// What stands before and after the statements of a function; `N` is its number, `M` that of the next.
    head: &'static str,
    tail: &'static str,
    statement: &'static str,
    end: &'static str,
}

const fn shape(language: Language) -> Shape {
    match language {
        Language::Bash => Shape {
            start: "#!/bin/sh\n# Copyright 2031 The harbour authors\n",
            head: "\ntallyN() {\n    local port=\"$1\"\n",
            statement: "    harbourN_I=\"$(quay \"$port\" I)\"\n",
            tail: "    tallyM \"$port\"\n}\n",
            end: "",
        },
        Language::C => Shape {
            start: "/* Copyright 2031 The harbour authors */\n#include <stdio.h>\n\nstruct ship;\n",
            head: "\nstatic int tallyN(struct ship *ship)\n{\n",
            statement: "    int harbourN_I = quay(ship->port, I);\n",
            tail: "    tallyM(ship);\n    return 0;\n}\n",
            end: "",
        },
        Language::Cpp => Shape {
            start: "// Copyright 2031 The harbour authors\n#include <vector>\n\nnamespace harbour {\n",
            head: "\nstd::vector<int> Ship::tallyN(const Port& port) const {\n",
            statement: "    auto harbourN_I = quay<int>(port, I);\n",
            tail: "    tallyM(port);\n    return {};\n}\n",
            end: "\n}  // namespace harbour\n",
        },
        Language::CSharp => Shape {
            start: "// Copyright 2031 The harbour authors\nusing System;\n\nnamespace Harbour {\npublic class Ship {\n",
            head: "\n    public int TallyN(Port port) // tallyN\n    {\n",
            statement: "        var harbourN_I = port.Quay(I, \"lantern\");\n",
            tail: "        tallyM(port);\n        return 0;\n    }\n",
            end: "}\n}\n",
        },
        Language::Go => Shape {
            start: "// Copyright 2031 The harbour authors\npackage harbour\n\nimport \"fmt\"\n",
            head: "\nfunc (s *Ship) tallyN(port Port) int {\n",
            statement: "\tharbourN_I := s.quay(port, I)\n",
            tail: "\ts.tallyM(port)\n\treturn 0\n}\n",
            end: "",
        },
        Language::Java => Shape {
            start: "// Copyright 2031 The harbour authors\npackage harbour;\n\npublic class Ship {\n",
            head: "\n    @Override\n    public int tallyN(final Port port) {\n",
            statement: "        int harbourN_I = port.quay(I, \"lantern\");\n",
            tail: "        this.tallyM(port);\n        return 0;\n    }\n",
            end: "}\n",
        },
        Language::JavaScript => Shape {
            start: "// Copyright 2031 The harbour authors\nimport { quay } from './quay.js';\n",
            head: "\nexport const tallyN = async (ship, port) => {\n",
            statement: "  const harbourN_I = await quay(ship.port, I);\n",
            tail: "  tallyM(ship, port);\n  return ship;\n};\n",
            end: "",
        },
        Language::Perl => Shape {
            start: "# Copyright 2031 The harbour authors\npackage Tally;\nuse strict;\n",
            head: "\nsub tallyN {\n    my ($self, $port) = @_;\n",
            statement: "    my $harbourN_I = $self->quay($port, I);\n",
            tail: "    $self->tallyM($port);\n    return $self;\n}\n",
            end: "\n1;\n",
        },
        Language::Php => Shape {
            start: "<?php\n// Copyright 2031 The harbour authors\nnamespace Harbour;\n\nclass Ship extends Base {\n",
            head: "\n    public function tallyN(Port $port): int {\n",
            statement: "        $harbourN_I = $this->quay($port, I);\n",
            tail: "        $this->tallyM($port);\n        return 0;\n    }\n",
            end: "}\n",
        },
        Language::Python => Shape {
            start: "# Copyright 2031 The harbour authors\n\nimport os\n",
            head: "\n\ndef tallyN(ship, port):\n",
            statement: "    harbourN_I = ship.quay(port, I)\n",
            tail: "    tallyM(\n        ship,\n        port,\n    )\n",
            end: "",
        },
        Language::Ruby => Shape {
            start: "# Copyright 2031 The harbour authors\nrequire 'set'\n\nclass Ship < Base\n",
            head: "\n  def tallyN(port)\n",
            statement: "    harbourN_I = port.quay(I, :lantern)\n",
            tail: "    tallyM(port)\n  end\n",
            end: "end\n",
        },
        Language::Rust => Shape {
            start: "// Copyright 2031 The harbour authors\nuse crate::port::Port;\n\nimpl Ship {\n",
            head: "\n    #[must_use]\n    pub fn tallyN(&self, port: &Port) -> u32 {\n",
            statement: "        let harbourN_I = self.quay(port, I);\n",
            tail: "        self.tallyM(port)\n    }\n",
            end: "}\n",
        },
        Language::Tsx => Shape {
            start: "// Copyright 2031 The harbour authors\nimport { quay } from './quay';\n",
            head: "\nexport function tallyN({ ship }: Props): JSX.Element {\n",
            statement: "  const harbourN_I: Quay = useQuay(ship.port, I);\n",
            tail: "  tallyM(ship);\n  return <Ship name={ship.name} />;\n}\n",
            end: "",
        },
        Language::TypeScript => Shape {
            start: "// Copyright 2031 The harbour authors\nimport { quay } from './quay';\n\nexport class Ship {\n",
            head: "\n  async tallyN(port: Port): Promise<number> {\n",
            statement: "    const harbourN_I: number = await quay(port, I);\n",
            tail: "    this.tallyM(port);\n    return 0;\n  }\n",
            end: "}\n",
        },
    }
}

/// A file with so many functions.
pub(super) fn sample(language: Language, functions: usize) -> String {
    const STATEMENTS: usize = 10;
    let shape = shape(language);
    let mut text = shape.start.to_owned();
    let number = |text: &str, n: usize| text.replace('N', &n.to_string()).replace('M', &(n + 1).to_string());
    let named = |text: &str, n: usize| {
        let numbers = number(&text.replace("NULL", "\0").replace("TallyN", "Tally\u{1}"), n);
        numbers.replace('\0', "NULL").replace('\u{1}', &n.to_string())
    };
    for n in 0..functions {
        text.push_str(&named(shape.head, n));
        for i in 0..STATEMENTS {
            text.push_str(
                &number(shape.statement, n)
                    .replace("_I", &format!("_{i}"))
                    .replace(" I)", &format!(" {i})"))
                    .replace("(I,", &format!("({i},")),
            );
        }
        text.push_str(&named(shape.tail, n));
    }
    text + shape.end
}
