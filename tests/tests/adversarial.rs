//! Formats on which tools that make prompts smaller have gone wrong.
