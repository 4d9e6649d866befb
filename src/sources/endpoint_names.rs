//! [`EndpointNames`]: what a caller gets instead of an endpoint's address: which of the configured ones it
//! is, counted from 0 as in the metrics and in `crosscheck check --online`.
//!
//! Names are used in answers of JSON-RPC only, to followers too: the log and `/readyz`, which the operator
//! reads, have the address. Pure: no I/O.

use super::EndpointUrl;
use alloy::hex;
use alloy::primitives::keccak256;
use crosscheck_p2p::ChainId;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The names of the configured endpoints. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct EndpointNames(Arc<Vec<Known>>);

/// What an endpoint may be called by in a text, and its name.
#[derive(Debug)]
struct Known {
    /// As it is shown, and then with less and less of that.
    shown: Vec<String>,
    name: String,
}

/// The name of a chain's endpoint of this kind, at this place of its list.
pub(crate) fn name_of(kind: &str, place: usize, chain_id: ChainId) -> String {
    format!("{kind} #{place} of chain {chain_id}")
}

/// The name of an endpoint whose claims are kept: after the configuration has changed, another endpoint at
/// this place is not taken for it.
pub(crate) fn claimant_name(kind: &str, place: usize, chain_id: ChainId, url: &EndpointUrl) -> String {
    let digest = keccak256(url.to_string());
    let part = digest.get(..4).unwrap_or_default();
    format!("{} ({})", name_of(kind, place, chain_id), hex::encode(part))
}

impl EndpointNames {
    /// Of these endpoints. Where several are at one place, as behind one op-supernode, a text means any of
    /// them.
    pub fn new<'a>(endpoints: impl IntoIterator<Item = (String, &'a EndpointUrl)>) -> Self {
        let mut known: Vec<Known> = Vec::new();
        for (name, url) in endpoints {
            let shown = spellings(url);
            match known.iter_mut().find(|known| known.shown == shown) {
                Some(known) => known.name = format!("{} or {name}", known.name),
                None => known.push(Known { shown, name }),
            }
        }
        Self(Arc::new(known))
    }

    /// The names of a chain's endpoints of a kind.
    pub fn of_chain<'a>(
        kind: &'static str,
        chain_id: ChainId,
        urls: impl IntoIterator<Item = &'a EndpointUrl>,
    ) -> impl Iterator<Item = (String, &'a EndpointUrl)> {
        urls.into_iter().enumerate().map(move |(place, url)| (name_of(kind, place, chain_id), url))
    }

    /// The JSON, with names where endpoints were in its texts.
    pub(crate) fn hide_in(&self, json: &RawValue) -> Box<RawValue> {
        // Neither an endpoint nor a name has a character that JSON escapes.
        RawValue::from_string(self.hide(json.get())).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// The text, with names where endpoints were.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest spelling of each first: the host alone is a part of all.
        let longest = self.0.iter().map(|known| known.shown.len()).max().unwrap_or_default();
        for place in 0..longest {
            let spelt = self.0.iter().filter_map(|known| Some((known.shown.get(place)?, &known.name)));
            for (shown, name) in spelt {
                text = replaced(&text, shown, name);
            }
        }
        text
    }
}

/// How texts spell where an endpoint is: as it is shown, its host with the port, its host.
fn spellings(url: &EndpointUrl) -> Vec<String> {
    let shown = url.to_string();
    let authority = shown.split_once("://").map_or(shown.as_str(), |(_, authority)| authority).to_owned();
    let host = url.host().to_owned();
    // A word like "l1" may be a host's name, and means much else.
    let is_distinctive = host.contains(['.', ':']);
    let mut spellings = vec![shown];
    spellings.extend((authority != host).then_some(authority));
    spellings.extend(is_distinctive.then_some(host));
    spellings
}

/// The text with a name in each place where a spelling is a whole word, and not a part of something longer.
fn replaced(text: &str, shown: &str, name: &str) -> String {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(shown) {
        done.push_str(before);
        let is_apart = !done.ends_with(is_of_a_host) && !continues(after);
        done.push_str(if is_apart { name } else { shown });
        rest = after;
    }
    done.push_str(rest);
    done
}

/// Whether a character may be a part of a host's name.
const fn is_of_a_host(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '[')
}

/// Whether a host or a port continues here.
fn continues(after: &str) -> bool {
    let mut next = after.chars();
    match next.next() {
        Some('.' | ':') => next.next().is_some_and(|second| second.is_ascii_alphanumeric()),
        Some(first) => is_of_a_host(first),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn names() -> EndpointNames {
        let urls = ["http://10.0.0.1:8545/key", "http://10.0.0.1:85", "https://user:pass@node.example/v3"];
        let urls: Vec<EndpointUrl> = urls.iter().map(|url| url.parse().unwrap()).collect();
        let shared: EndpointUrl = "http://supernode:9545/901".parse().unwrap();
        let l1: EndpointUrl = "http://[2001:db8::1]:8545".parse().unwrap();
        let execution = EndpointNames::of_chain("execution", ChainId::from(901), &urls);
        let nodes = [901, 902].map(|id| (name_of("rollup-node", 0, ChainId::from(id)), &shared));
        EndpointNames::new(execution.chain(nodes).chain([("l1".to_owned(), &l1)]))
    }

    #[rstest]
    #[case::shown("http://10.0.0.1:8545 did not answer", "execution #0 of chain 901 did not answer")]
    #[case::at_the_end("waiting for http://10.0.0.1:85", "waiting for execution #1 of chain 901")]
    #[case::a_sentence_ends("it is at http://10.0.0.1:85.", "it is at execution #1 of chain 901.")]
    #[case::without_scheme("refused by 10.0.0.1:8545; look", "refused by execution #0 of chain 901; look")]
    #[case::the_host("no certificate for node.example", "no certificate for execution #2 of chain 901")]
    #[case::ipv6("http://[2001:db8::1]:8545: no", "l1: no")]
    #[case::several_at_one_place(
        "http://supernode:9545 is",
        "rollup-node #0 of chain 901 or rollup-node #0 of chain 902 is"
    )]
    #[case::another_host("my-node.example and node.example.org", "my-node.example and node.example.org")]
    #[case::another_port("http://10.0.0.1:8546", "http://10.0.0.1:8546")]
    #[case::a_word("the supernode", "the supernode")]
    fn hidden(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(names().hide(text), expected);
    }

    #[test]
    fn hidden_in_json() {
        let waits = r#"[{"for":"l1","reason":"http://10.0.0.1:8545 did not answer \"x\""},{"reason":null}]"#;
        let expected = waits.replace("http://10.0.0.1:8545", "execution #0 of chain 901");
        let hidden = names().hide_in(&RawValue::from_string(waits.to_owned()).unwrap());
        assert_eq!(hidden.get(), expected);
    }
}
