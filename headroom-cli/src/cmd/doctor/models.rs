//! Checks which learned models are on and whether they can be loaded.

use std::time::Instant;

use super::{Finding, Health, finding};
use crate::{
    chain::Chain,
    cmd::model::is_intact,
    config::{Classifier, Models, Prose},
};

pub(super) fn classifier(models: &Models) -> Finding {
    const SUBJECT: &str = "classifier";
    match (models.classifier, models.classifier()) {
        (Classifier::Off, _) => {
            finding(SUBJECT, Health::Good, "off: texts are classified by structure alone")
        }
        (_, Ok(_)) => finding(
            SUBJECT,
            Health::Good,
            format!(
                "{}, for texts whose structure is ambiguous; runs on {}",
                models.classifier,
                models.runtime.describe()
            ),
        ),
        (_, Err(error)) => finding(
            SUBJECT,
            Health::Broken,
            format!("texts are classified by structure alone: {}", Chain(&error)),
        ),
    }
}

pub(super) fn prose(models: &Models) -> Finding {
    const SUBJECT: &str = "prose model";
    let Some(folder) = models.prose.folder() else {
        let what = "off: sentences are elided, but no words; see `headroom model --help`";
        return finding(SUBJECT, Health::Good, what);
    };
    let hint = match &models.prose {
        Prose::Named(name) if !folder.is_dir() => format!("; fetch it with `headroom model pull {name}`"),
        _ => String::new(),
    };
    if is_intact(&folder) == Some(false) {
        let what = format!("{} is not what was fetched; remove it and pull it again", folder.display());
        return finding(SUBJECT, Health::Broken, what);
    }
    let start = Instant::now();
    match models.condenser() {
        Ok(_) => finding(
            SUBJECT,
            Health::Good,
            format!(
                "{}, loaded in {} ms; runs on {}, {} threads",
                folder.display(),
                start.elapsed().as_millis(),
                models.runtime.describe(),
                models.threads.max(1)
            ),
        ),
        Err(error) => finding(
            SUBJECT,
            Health::Broken,
            format!("no words are pruned from prose: {}{hint}", Chain(&error)),
        ),
    }
}
