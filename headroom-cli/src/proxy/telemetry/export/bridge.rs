//! Exports the metrics of `/metrics` under the same names.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use opentelemetry::{
    KeyValue,
    metrics::{Counter as OtelCounter, Gauge as OtelGauge, Histogram as OtelHistogram, Meter},
};

use crate::proxy::accounting::metered::buckets;

/// A recorder of the `metrics` facade that records to a meter.
#[derive(Debug)]
pub(super) struct OtelRecorder {
    meter: Meter,
    instruments: Mutex<Instruments>,
}

#[derive(Debug, Default)]
struct Instruments {
    descriptions: HashMap<String, String>,
    counters: HashMap<String, OtelCounter<u64>>,
    histograms: HashMap<String, OtelHistogram<f64>>,
    /// By their labels too: one that is changed by a difference has a value.
    gauges: HashMap<Key, Arc<BridgedGauge>>,
}

impl OtelRecorder {
    pub(super) fn new(meter: Meter) -> Self {
        Self { meter, instruments: Mutex::default() }
    }

    fn with<T>(&self, see: impl FnOnce(&mut Instruments) -> T) -> T {
        see(&mut self.instruments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn describe(&self, name: &KeyName, description: &SharedString) {
        self.with(|instruments| {
            instruments.descriptions.insert(name.as_str().to_owned(), description.to_string());
        });
    }
}

fn attributes(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|label| KeyValue::new(label.key().to_owned(), label.value().to_owned())).collect()
}

impl Recorder for OtelRecorder {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        self.describe(&name, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let counter = self.with(|instruments| {
            let Instruments { counters, descriptions, .. } = instruments;
            let make = || {
                let description = descriptions.get(key.name()).cloned().unwrap_or_default();
                self.meter.u64_counter(key.name().to_owned()).with_description(description).build()
            };
            counters.entry(key.name().to_owned()).or_insert_with(make).clone()
        });
        Counter::from_arc(Arc::new(BridgedCounter { counter, attributes: attributes(key) }))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let gauge = self.with(|instruments| {
            let Instruments { gauges, descriptions, .. } = instruments;
            let make = || {
                let description = descriptions.get(key.name()).cloned().unwrap_or_default();
                let gauge = self.meter.f64_gauge(key.name().to_owned()).with_description(description).build();
                Arc::new(BridgedGauge { gauge, attributes: attributes(key), value: Mutex::new(0.0) })
            };
            Arc::clone(gauges.entry(key.clone()).or_insert_with(make))
        });
        Gauge::from_arc(gauge)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let histogram = self.with(|instruments| {
            let Instruments { histograms, descriptions, .. } = instruments;
            let make = || {
                let description = descriptions.get(key.name()).cloned().unwrap_or_default();
                let histogram = self.meter.f64_histogram(key.name().to_owned()).with_description(description);
                histogram.with_boundaries(buckets(key.name()).to_vec()).build()
            };
            histograms.entry(key.name().to_owned()).or_insert_with(make).clone()
        });
        Histogram::from_arc(Arc::new(BridgedHistogram { histogram, attributes: attributes(key) }))
    }
}

struct BridgedCounter {
    counter: OtelCounter<u64>,
    attributes: Vec<KeyValue>,
}

impl CounterFn for BridgedCounter {
    fn increment(&self, value: u64) {
        self.counter.add(value, &self.attributes);
    }

    /// Nothing in this program sets a counter.
    fn absolute(&self, _: u64) {}
}

#[derive(Debug)]
struct BridgedGauge {
    gauge: OtelGauge<f64>,
    attributes: Vec<KeyValue>,
    value: Mutex<f64>,
}

impl BridgedGauge {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *value = change(*value);
        self.gauge.record(*value, &self.attributes);
    }
}

impl GaugeFn for BridgedGauge {
    fn increment(&self, value: f64) {
        self.change(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

struct BridgedHistogram {
    histogram: OtelHistogram<f64>,
    attributes: Vec<KeyValue>,
}

impl HistogramFn for BridgedHistogram {
    fn record(&self, value: f64) {
        self.histogram.record(value, &self.attributes);
    }
}
