//! The bill as a picture.

use std::fmt::Write as _;

use super::{
    bill::{BillSum, Sessions},
    show::signed,
};
use crate::output::dollars;

const WIDTH: f64 = 760.0;
const LABELS: f64 = 190.0;
const VALUES: f64 = 180.0;
const ROW: f64 = 24.0;
const BAR: f64 = 16.0;

/// Colours that can be told apart in light and dark, and by most who see few.
const STYLE: &str = "\
svg{background:#fff;color:#1f2328;font:13px system-ui,sans-serif}text{fill:currentColor}.t{font-weight:600;font-size:15px}\
.m{opacity:.75}.read{fill:#2f6fb3}.write{fill:#d9822b}.input{fill:#8a63b8}.output{fill:#2e8b6e}.less{fill:#2e8b6e}\
.more{fill:#c2483d}.axis{stroke:currentColor;stroke-opacity:.4}\
@media(prefers-color-scheme:dark){svg{background:#0d1117;color:#e6edf3}.read{fill:#6cb0f5}.write{fill:#f0a85a}\
.input{fill:#b794e0}.output{fill:#5cc9a4}.less{fill:#5cc9a4}.more{fill:#f0847a}}";

/// Draws where the money went, and what each lever takes off.
pub(super) fn draw(sessions: &Sessions) -> String {
    let all = sessions.sum();
    let total = all.paid.total();
    let mut picture = Picture { body: String::new(), top: 30.0 };
    picture.title(&format!("{} sessions, {}: where it went", all.sessions, dollars(total)));
    picture.legend();
    if total > 0.0 {
        picture.kinds(&all, total);
        picture.top += 26.0;
        picture.title("What takes some of it off");
        picture.levers(&all);
    }
    let height = picture.top + 12.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"Where the money of {} sessions went, and what takes some of it \
         off\">\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"none\"/>\n{}</svg>\n",
        all.sessions, picture.body
    )
}

struct Picture {
    body: String,
    top: f64,
}

impl Picture {
    fn title(&mut self, text: &str) {
        let _ = writeln!(self.body, "<text class=\"t\" x=\"12\" y=\"{:.1}\">{text}</text>", self.top);
        self.top += 14.0;
    }

    fn legend(&mut self) {
        let mut left = LABELS;
        for (class, name) in [
            ("read", "cache reads"),
            ("write", "cache writes"),
            ("input", "uncached input"),
            ("output", "output"),
        ] {
            let _ = writeln!(
                self.body,
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{:.1}\" width=\"11\" height=\"11\"/>\
                 <text class=\"m\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                self.top,
                left + 16.0,
                self.top + 10.0
            );
            left += 32.0 + 7.2 * name.len() as f64;
        }
        self.top += 24.0;
    }

    fn kinds(&mut self, all: &BillSum, total: f64) {
        let output = |kind: &str| all.output.get(kind).copied().unwrap_or_default();
        let mut kinds: Vec<(&str, [f64; 4])> = all
            .prompt
            .iter()
            .map(|(kind, cost)| (*kind, [cost.read, cost.write, cost.input, output(kind)]))
            .collect();
        let only_output = all.output.iter().filter(|(kind, _)| !all.prompt.contains_key(*kind));
        kinds.extend(only_output.map(|(kind, dollars)| (*kind, [0.0, 0.0, 0.0, *dollars])));
        kinds.retain(|(_, parts)| parts.iter().sum::<f64>() / total >= 0.0005);
        kinds.sort_by(|(_, a), (_, b)| b.iter().sum::<f64>().total_cmp(&a.iter().sum()));
        let most = kinds.first().map_or(1.0, |(_, parts)| parts.iter().sum());
        let scale = (WIDTH - LABELS - VALUES) / most;
        for (kind, parts) in kinds {
            let sum: f64 = parts.iter().sum();
            self.label(kind);
            let mut left = LABELS;
            for (class, part) in ["read", "write", "input", "output"].into_iter().zip(parts) {
                self.bar(class, left, part * scale);
                left += part * scale;
            }
            self.value(left + 8.0, &format!("{:.1} %  {}", sum / total * 100.0, dollars(sum)));
        }
    }

    fn levers(&mut self, all: &BillSum) {
        let names = [
            ("headroom", "Headroom"),
            ("without_epochs", "… without epochs"),
            ("5m", "cache of 5 minutes"),
            ("5m_headroom", "… and Headroom"),
            ("1h", "cache of 1 hour"),
            ("1h_headroom", "… and Headroom"),
            ("shorter_head", "1,000 tokens less head"),
        ];
        let effects: Vec<_> =
            names.iter().filter_map(|(lever, name)| Some((*name, all.levers.get(lever)?))).collect();
        let ends = || effects.iter().map(|(_, effect)| effect.total);
        let (low, high) = (ends().fold(0.0, f64::min), ends().fold(0.0, f64::max));
        // Values stand to the right of their bars and of the zero.
        let scale = (WIDTH - LABELS - VALUES) / (high - low).max(0.001);
        let zero = LABELS - low * scale;
        let first = self.top;
        for (name, effect) in effects {
            self.label(name);
            let length = effect.total.abs() * scale;
            let text = format!("{}  (median {})", signed(effect.total), signed(effect.median));
            if effect.total < 0.0 {
                self.bar("less", zero - length, length);
                self.value(zero + 8.0, &text);
            } else {
                self.bar("more", zero, length);
                self.value(zero + length + 8.0, &text);
            }
        }
        let _ = writeln!(
            self.body,
            "<line class=\"axis\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"{first:.1}\" y2=\"{:.1}\"/>",
            self.top
        );
    }

    fn label(&mut self, text: &str) {
        let (left, top) = (LABELS - 10.0, self.top + 13.0);
        let _ = write!(self.body, "<text x=\"{left:.1}\" y=\"{top:.1}\" text-anchor=\"end\">{text}</text>");
    }

    fn bar(&mut self, class: &str, left: f64, length: f64) {
        if length >= 0.1 {
            let top = self.top;
            let _ = write!(
                self.body,
                "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{BAR}\"/>"
            );
        }
    }

    /// Ends the row.
    fn value(&mut self, left: f64, text: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"m\" x=\"{left:.1}\" y=\"{:.1}\">{text}</text>",
            self.top + 13.0
        );
        self.top += ROW;
    }
}
