//! [`NodeList`]: the rollup nodes of a chain, as an operator writes them: one URL, or a list in the order in
//! which they are to be tried.

use crate::sources::EndpointUrl;
use core::fmt;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The rollup nodes of a chain. Empty: it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeList(Vec<EndpointUrl>);

impl NodeList {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, to be changed.
    pub(super) fn urls_mut(&mut self) -> &mut [EndpointUrl] {
        &mut self.0
    }

    /// Their URLs, in the order in which they are tried.
    pub fn urls(&self) -> &[EndpointUrl] {
        &self.0
    }
}

impl Serialize for NodeList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NodeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = NodeList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<NodeList, E> {
        text.parse().map(|url| NodeList(vec![url])).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NodeList, A::Error> {
        let mut urls = Vec::new();
        while let Some(url) = items.next_element()? {
            urls.push(url);
        }
        if urls.is_empty() {
            return Err(A::Error::custom(
                "the list is empty; a chain that is only monitored has no such key",
            ));
        }
        Ok(NodeList(urls))
    }
}
