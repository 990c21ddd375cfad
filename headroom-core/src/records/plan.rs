//! Resources in the plans of Terraform and its kin.

use super::{
    body::Body,
    record::{Record, RecordKind},
};

/// Finds resources: the line that says what happens to one, and its attributes.
pub(super) fn resources<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let mut found: Vec<Record<'t>> = Vec::new();
    let mut open = false;
    for (line, body) in bodies.iter().enumerate() {
        if let Some((address, action)) = head(body) {
            let lines = line..line + 1;
            let mut record = Record::new(RecordKind::Resource, lines);
            record.named(line, address);
            record.named(line, action);
            found.push(record);
            open = true;
        } else if body.indent() == 0 && !body.is_blank() {
            open = false;
        } else if open
            && !body.is_blank()
            && let Some(record) = found.last_mut()
        {
            record.lines.end = line + 1;
        }
    }
    found
}

/// Returns the address in `# address will be created`, and what will be.
fn head<'t>(body: &Body<'t>) -> Option<(&'t str, &'t str)> {
    const ACTIONS: [&str; 6] =
        [" will be ", " must be ", " has changed", " has been ", " has moved ", " is tainted"];
    let text = body.bare().strip_prefix("# ")?;
    let at = ACTIONS.iter().filter_map(|action| text.find(action)).min()?;
    let (address, action) = text.split_at_checked(at)?;
    let is_address = address.contains('.') && !address.contains(' ') || address.contains('[');
    (is_address && body.indent() > 0).then(|| (address, action.trim_start()))
}
