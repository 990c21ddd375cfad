//! The numbers by which compressors and detectors choose: thresholds, shares, least gains, lines of context.
//!
//! Each has a unit and an effect, and its default is written once. How the defaults were chosen, and what half and double
//! of each would change, is in `docs/decisions/0036-numbers-with-a-source.md`. Limits that guard work or memory, words,
//! and tables of formats are no choices; they stand where they are used. So does "most", which is more than half.

#[cfg(feature = "__tuning")]
pub(crate) mod numbers;

/// Defines the numbers of one compressor or detector: `name: type = default unit`, with `from` and the least value if that
/// is not zero. The text above a number is its effect.
macro_rules! tuning {
    (
        $(#[$about:meta])*
        $group:ident: $name:ident {
            $(
                $(#[doc = $effect:literal])+
                $number:ident: $type:ty = $default:literal $unit:ident $(from $least:literal)?,
            )+
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name {
            $(
                $(#[doc = $effect])+
                pub(crate) $number: $type,
            )+
        }

        impl $name {
            pub(super) const DEFAULT: Self = Self { $($number: $default,)+ };

            /// Shows each number to a visitor, which may change it.
            #[cfg(feature = "__tuning")]
            pub(super) fn visit(&mut self, visitor: &mut dyn super::numbers::Visitor) {
                $(
                    visitor.number(
                        super::numbers::Entry {
                            name: concat!(stringify!($group), ".", stringify!($number)),
                            unit: stringify!($unit),
                            effect: concat!($($effect),+),
                            least: 0 $(+ $least)?,
                        },
                        &mut self.$number,
                    );
                )+
            }
        }
    };
}

#[cfg(feature = "__code")]
mod code;
mod decide;
mod detect;
mod diff;
mod html;
mod json;
mod listing;
mod log;
mod prose;
mod records;
mod relevance;
mod search;
mod table;
mod text;

/// Defines the struct of all groups, so that none is missing in a list of all numbers.
macro_rules! groups {
    ($($(#[$if:meta])? $group:ident: $type:ty,)+) => {
        /// All numbers.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Tuning {
            $($(#[$if])? pub(crate) $group: $type,)+
        }

        impl Tuning {
            pub(crate) const DEFAULT: Self = Self { $($(#[$if])? $group: <$type>::DEFAULT,)+ };

            #[cfg(feature = "__tuning")]
            fn visit(&mut self, visitor: &mut dyn numbers::Visitor) {
                $($(#[$if])? self.$group.visit(visitor);)+
            }
        }
    };
}

groups! {
    #[cfg(feature = "__code")]
    code: code::CodeTuning,
    decide: decide::DecideTuning,
    detect: detect::DetectTuning,
    diff: diff::DiffTuning,
    genre: prose::GenreTuning,
    html: html::HtmlTuning,
    json: json::JsonTuning,
    json_rows: json::JsonRowTuning,
    listing: listing::ListingTuning,
    log: log::LogTuning,
    log_records: log::LogRecordTuning,
    prose: prose::ProseTuning,
    records: records::RecordTuning,
    relevance: relevance::RelevanceTuning,
    search: search::SearchTuning,
    table: table::TableTuning,
    text: text::TextTuning,
}

/// Returns the numbers: constants, which the compiler puts where they are read.
#[cfg(not(feature = "__tuning"))]
#[inline]
pub(crate) const fn tuning() -> &'static Tuning {
    const DEFAULT: &Tuning = &Tuning::DEFAULT;
    DEFAULT
}

/// Returns the numbers that hold on this thread.
#[cfg(feature = "__tuning")]
#[inline]
pub(crate) fn tuning() -> &'static Tuning {
    numbers::current()
}
