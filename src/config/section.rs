//! [`section!`](section): the one place where a key is written: its name, its type, its default, its form,
//! and its text.
//!
//! The fields of a section, their defaults and the rows of the table of keys follow from it.

use super::Key;

/// A section of the configuration and its keys.
#[derive(Debug)]
pub(super) struct Section {
    /// What precedes a key's name in its path: `log.`, or nothing.
    pub(super) prefix: &'static str,
    /// What it is about, as lines.
    pub(super) about: &'static str,
    /// Its keys, in the order in which they are shown.
    pub(super) keys: &'static [Key],
}

impl Section {
    /// Whether each chain has one.
    pub(super) fn is_per_chain(&self) -> bool {
        self.keys.iter().any(|key| key.per_chain)
    }
}

/// Defines the type of a section. Each key is written as
///
/// ```text
/// /// What the key does, for operators: this text is in config/default.toml, and its first sentence in --help.
/// name: Type = default, form;
/// ```
///
/// where `form` says which values it accepts, and what happens if it is not set. `and { … }` has the fields
/// that are not keys: sections within, and what is not written in the file.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        pub struct $name:ident at $prefix:literal, per_chain: $per_chain:literal {
            $(
                $(#[doc = $text:literal])*
                $(#[serde($($serde:tt)*)])?
                $field:ident: $type:ty = $default:expr, $form:expr;
            )*
        }
        $(and {
            $(
                $(#[$part_attribute:meta])*
                $part:ident: $part_type:ty = $part_default:expr;
            )*
        })?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[allow(
            rustdoc::bare_urls,
            rustdoc::broken_intra_doc_links,
            rustdoc::invalid_html_tags,
            reason = "the texts are written for a configuration file"
        )]
        pub struct $name {
            $(
                $(#[doc = $text])*
                $(#[serde($($serde)*)])?
                pub $field: $type,
            )*
            $($(
                $(#[$part_attribute])*
                pub $part: $part_type,
            )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* $($($part: $part_default,)*)? }
            }
        }

        impl $name {
            /// Its keys.
            pub(super) const SECTION: $crate::config::section::Section = $crate::config::section::Section {
                prefix: $prefix,
                about: concat!($($about, "\n"),*),
                keys: &[$(
                    $crate::config::Key {
                        path: concat!($prefix, stringify!($field)),
                        per_chain: $per_chain,
                        text: concat!($($text, "\n"),*),
                        form: $form,
                        written_default: || ::toml::Value::try_from(&$name::default().$field).ok(),
                    },
                )*],
            };
        }
    };
}

pub(super) use section;
