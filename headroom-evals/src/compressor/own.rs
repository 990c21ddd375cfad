use headroom_core::{CompressOptions, Engine, Outcome, Retrieval, Tier};

use super::{Compressor, Failed, Sent, Turn};

/// The engine as the layer and the proxy use it: the model can retrieve elided content.
#[derive(Debug, Clone)]
pub struct Own {
    engine: Engine,
    options: CompressOptions,
}

impl Own {
    /// Creates a compressor that edits up to this tier.
    #[must_use]
    pub fn new(tier: Tier) -> Self {
        Self {
            engine: Engine::new(),
            options: CompressOptions::new().tier(tier).retrieval(Retrieval::ServerTool),
        }
    }
}

impl Compressor for Own {
    fn name(&self) -> &str {
        "headroom"
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        Ok(match self.engine.compress(turn.api, turn.body, &self.options) {
            Outcome::Rewritten { body, originals, .. } => Sent { body, originals },
            Outcome::Unchanged { .. } => Sent { body: turn.body.to_vec(), originals: Vec::new() },
        })
    }

    fn is_own(&self) -> bool {
        true
    }
}
