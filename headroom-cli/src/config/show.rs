//! `headroom config`: prints the effective settings and the schema.

use clap::Args;
use headroom_core::CacheHint;
use serde_json::{Map, Value, json};

use super::{Config, Settings};

impl Config {
    /// Prints every effective setting as an equivalent configuration file.
    pub(crate) fn to_toml(&self) -> String {
        // TOML strings have the escapes of JSON.
        self.settings().iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    }

    /// Returns every effective setting.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(self.settings().into_iter().collect())
    }

    fn settings(&self) -> Vec<(String, Value)> {
        let text = |value: &dyn ToString| Value::String(value.to_string());
        let mut settings = vec![("listen".to_owned(), text(&self.listen))];
        settings.extend(self.upstreams.named().map(|(name, base)| (format!("{name}_upstream"), text(base))));
        settings.extend([
            ("bedrock_sign".to_owned(), json!(self.bedrock_sign)),
            ("tier".to_owned(), text(&self.tier)),
            ("epochs".to_owned(), text(&self.epochs())),
            ("store".to_owned(), text(&self.store)),
            ("retrieval".to_owned(), text(&self.retrieval)),
        ]);
        settings.extend(
            self.originals_dir.iter().map(|originals_dir| ("originals_dir".to_owned(), text(originals_dir))),
        );
        settings.extend([
            ("classifier".to_owned(), text(&self.models.classifier)),
            ("prose_model".to_owned(), text(&self.models.prose)),
            ("model_runtime".to_owned(), text(&self.models.runtime)),
            ("model_threads".to_owned(), json!(self.models.threads)),
            ("log".to_owned(), text(&self.log)),
            ("log_format".to_owned(), text(&self.log_format)),
            ("drain_seconds".to_owned(), json!(self.drain.as_secs())),
            ("idle_seconds".to_owned(), json!(self.limits.idle.as_secs())),
            ("body_seconds".to_owned(), json!(self.limits.body.as_secs())),
            ("answer_seconds".to_owned(), json!(self.limits.answer.as_secs())),
            ("max_connections".to_owned(), json!(self.limits.connections)),
            ("max_connections_per_peer".to_owned(), json!(self.limits.connections_per_peer)),
            ("max_buffered_mb".to_owned(), json!(self.limits.buffered >> 20)),
        ]);
        let stored = self.limits.stored_per_tenant;
        settings.extend(stored.map(|bytes| ("max_stored_mb_per_tenant".to_owned(), json!(bytes >> 20))));
        settings.extend(self.otlp_endpoint.iter().map(|base| ("otlp_endpoint".to_owned(), text(base))));
        settings.extend(self.tenant.iter().map(|tenant| ("tenant".to_owned(), text(tenant))));
        settings.extend(self.token_file.iter().map(|file| ("token_file".to_owned(), text(file))));
        if let Some(tls) = &self.tls {
            settings.extend(
                [("tls_cert", &tls.chain), ("tls_key", &tls.key)]
                    .map(|(name, file)| (name.to_owned(), text(&file.display()))),
            );
        }
        settings.extend([
            ("allow_origins".to_owned(), json!(self.allow_origins)),
            ("dashboard_content".to_owned(), json!(self.dashboard_content)),
            ("drop_tools".to_owned(), json!(self.drop_tools)),
            ("cache_hints".to_owned(), json!(self.cache_hints)),
            ("holdout".to_owned(), json!(self.holdout.percent())),
        ]);
        settings
    }
}

/// The JSON Schema of a configuration file, for editors. Names and descriptions are those of the flags.
pub(crate) fn schema() -> Value {
    let flags = Settings::augment_args(clap::Command::new("settings"));
    let property = |flag: &clap::Arg| {
        let mut property = match flag.get_id().as_str() {
            "drain_seconds" => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            "idle_seconds"
            | "body_seconds"
            | "answer_seconds"
            | "max_connections"
            | "max_connections_per_peer"
            | "max_buffered_mb"
            | "max_stored_mb_per_tenant" => {
                json!({"type": "integer", "minimum": 1, "maximum": u32::MAX})
            }
            "holdout" => json!({"type": "integer", "minimum": 0, "maximum": 100}),
            "allow_origins" | "drop_tools" => json!({"type": "array", "items": {"type": "string"}}),
            "cache_hints" => {
                let names: Vec<_> = CacheHint::ALL.iter().map(|hint| hint.as_str()).collect();
                json!({"type": "array", "items": {"enum": names}})
            }
            "model_threads" => json!({"type": "integer", "minimum": 0, "maximum": u16::MAX}),
            "bedrock_sign" | "dashboard_content" => json!({"type": "boolean"}),
            "classifier" => json!({"enum": ["magika", "off"]}),
            "tier" => json!({"enum": ["lossless", "dedup", "recoverable"]}),
            "epochs" => json!({"enum": ["on", "off"]}),
            "log" => json!({"enum": ["off", "error", "warn", "info", "debug"]}),
            "log_format" => json!({"enum": ["text", "json"]}),
            "retrieval" => json!({"enum": ["server-tool", "client-tool", "file", "off"]}),
            "listen" | "originals_dir" | "tenant" | "token_file" | "tls_cert" | "tls_key" | "store"
            | "prose_model" | "model_runtime" => {
                json!({"type": "string"})
            }
            _ => json!({"type": "string", "format": "uri"}),
        };
        if let (Some(help), Some(fields)) = (flag.get_help(), property.as_object_mut()) {
            fields.insert("description".to_owned(), json!(help.to_string()));
        }
        (flag.get_id().to_string(), property)
    };
    let properties: Map<_, _> = flags.get_arguments().map(property).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "headroom configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_says_the_same_when_it_is_read() {
        let given = "listen = '127.0.0.1:9'\nupstream = 'http://all/v1'\ntier = 'dedup'\nlog = 'warn'\nlog_format = 'json'\notlp_endpoint = 'http://h:4318'\n\
                     store = '/a \"folder\" with\ttab'\ndrain_seconds = 7\nidle_seconds = 60\nbody_seconds = 3\n\
                     answer_seconds = 4\nmax_connections = 5\nmax_connections_per_peer = 6\nmax_buffered_mb = 9\nmax_stored_mb_per_tenant = 8\ntenant = 'me'\n\
                     token_file = '/t'\ntls_cert = '/c'\ntls_key = '/k'\n\
                     allow_origins = ['null', 'https://a.example:1']\nretrieval = 'file'\nepochs = 'on'\noriginals_dir = '/a b'\n\
                     classifier = 'off'\nprose_model = './m'\nmodel_runtime = '/a.so'\nmodel_threads = 2\n\
                     dashboard_content = false\ndrop_tools = ['WebSearch', 'mcp__x__*']\ncache_hints = ['breakpoint']\nholdout = 5";
        for text in [given, "store = 'memory'", "store = 'rediss://h:1/2?prefix=a'"] {
            let config = |text: &str| {
                Config::from_sources(&[
                    toml::from_str(text).unwrap(),
                    Settings::default(),
                    Settings::default(),
                ])
            };
            let printed = config(text).to_toml();
            assert_eq!(config(&printed).to_toml(), printed);
            assert!(printed.contains("openai_upstream = \"http"), "{printed}");
        }
    }

    #[test]
    fn the_schema_has_every_setting() {
        let schema = schema();
        let unknown = toml::from_str::<Settings>("nonsense = 1").unwrap_err().to_string();
        let properties = schema["properties"].as_object().unwrap();
        for name in properties.keys() {
            assert!(unknown.contains(&format!("`{name}`")), "{name} is no setting: {unknown}");
            assert!(properties[name]["description"].is_string(), "{name}");
        }
        // The list in the message begins after the unknown name itself.
        let known = unknown.split_once("expected").unwrap().1.matches('`').count() / 2;
        assert_eq!(properties.len(), known, "{unknown}");
    }
}
