//! Reads the files of AWS's tools: sections of `key = value`.

use std::collections::HashMap;

/// The settings of a profile in the credentials file and the configuration file. The first overrides the second.
pub(super) fn read(credentials: &str, config: &str, profile: &str) -> HashMap<String, String> {
    let mut settings = section(config, |name| {
        name == profile && profile == "default"
            || name
                .strip_prefix("profile")
                .is_some_and(|rest| rest.starts_with([' ', '\t']) && rest.trim() == profile)
    });
    settings.extend(section(credentials, |name| name == profile));
    settings
}

fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> HashMap<String, String> {
    let mut settings = HashMap::new();
    let mut inside = false;
    for line in text.lines() {
        // Indented lines belong to a nested table.
        if line.trim().is_empty() || line.starts_with(['#', ';', ' ', '\t']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            inside = name.split_once(']').is_some_and(|(name, _)| is_wanted(name.trim()));
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside) {
            let comment = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
            let value = value.get(..comment.unwrap_or(value.len())).unwrap_or(value);
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_found_as_awss_tools_find_them() {
        let credentials = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=B/+= # c\n[work]\nAWS_ACCESS_KEY_ID=W\n";
        let config = "[default]\nregion = eu-west-1\ns3 =\n  region = no\n[profile work]\nregion = us-east-1\naws_access_key_id = no\n[work]\nregion = no\n";
        let of = |profile| read(credentials, config, profile);
        let default = of("default");
        assert_eq!(
            ["region", "aws_access_key_id", "aws_secret_access_key"].map(|key| &*default[key]),
            ["eu-west-1", "A", "B/+="]
        );
        let work = of("work");
        assert_eq!(["region", "aws_access_key_id"].map(|key| &*work[key]), ["us-east-1", "W"]);
        assert!(of("other").is_empty());
    }
}
