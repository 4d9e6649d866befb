//! What an endpoint serves: its methods, old receipts, safe heads by L1 block; and what it calls safe. Pure.

use super::finding::{Grade, ProbeVerdict};
use crate::audit::{RuleDifference, RulesError, in_words};
use crate::sources::{Method, MethodUse, SafeHeadAtL1, Served, Shortfall, SourceError, keeps_no_safe_heads};
use crosscheck_core::heads::SafeMeans;
use std::time::Duration;

/// Whether what is needed is served.
pub(crate) fn methods(asked: &[(&Method, Served)]) -> ProbeVerdict {
    let served = |name: &str| asked.iter().find(|(method, _)| method.name == name).map(|(_, served)| served);
    let is_lacking = |(method, answer): &&(&Method, Served)| {
        *answer == Served::No
            && match method.need {
                MethodUse::Always => true,
                MethodUse::Preferred { instead } => served(instead) == Some(&Served::No),
                MethodUse::Extra | MethodUse::Apart => false,
            }
    };
    let list = |of: &dyn Fn(&&(&Method, Served)) -> bool| {
        let reported =
            asked.iter().filter(of).map(|(method, _)| format!("{} ({})", method.name, method.without));
        reported.collect::<Vec<_>>().join(", ")
    };
    let lacking = list(&is_lacking);
    if !lacking.is_empty() {
        return ProbeVerdict::fault(
            format!("it does not serve {lacking}"),
            "enable the method, or configure an endpoint that serves it",
        );
    }
    let unknown = asked.iter().find_map(|(method, answer)| match answer {
        Served::Unknown { reason } if method.need != MethodUse::Extra => Some((method.name, reason)),
        _ => None,
    });
    if let Some((name, reason)) = unknown {
        let (grade, advice) = (Grade::NotDetermined, "ask again once it answers".to_owned());
        return ProbeVerdict { grade, found: format!("it did not answer {name}: {reason}"), advice };
    }
    let missing = |need: fn(MethodUse) -> bool| {
        move |(method, answer): &&(&Method, Served)| *answer == Served::No && need(method.need)
    };
    let dear = list(&missing(|need| matches!(need, MethodUse::Preferred { .. })));
    if !dear.is_empty() {
        return ProbeVerdict::doubt(
            format!("it does not serve {dear}"),
            "configure an endpoint that serves it",
        );
    }
    let is_extra = missing(|need| need == MethodUse::Extra);
    let extra: Vec<&str> = asked.iter().filter(is_extra).map(|(method, _)| method.name).collect();
    ProbeVerdict::ok(match extra.is_empty() {
        true => "all that are asked for".to_owned(),
        false => format!("all that are needed; not {}", extra.join(", ")),
    })
}

/// A block so old that hardly any message cites an older one, and whether an endpoint has its receipts.
#[derive(Clone, Debug)]
pub(crate) struct Depth {
    /// Its height.
    pub(crate) number: u64,
    /// How much older it is than the latest block.
    pub(crate) age: Duration,
    /// Whether that is the chain's first block with receipts.
    pub(crate) is_oldest: bool,
    /// Whether its proven receipts are there. `None`: the block itself is not.
    pub(crate) held: Result<Option<bool>, SourceError>,
}

/// Whether receipts are there of blocks as old as messages may cite.
pub(crate) fn receipts(window: Duration, depth: &Result<Depth, SourceError>) -> ProbeVerdict {
    let Depth { number, age, is_oldest, held } = match depth {
        Err(error) => return ProbeVerdict::undetermined(error),
        Ok(depth) => depth,
    };
    let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
    let block = match is_oldest {
        true => format!("block {number}, the chain's oldest with receipts"),
        false => format!("block {number}, which is {age} old"),
    };
    let reason = match held {
        Ok(Some(true)) => return ProbeVerdict::ok(format!("it has the receipts of {block}")),
        Ok(Some(false)) => "it has none".to_owned(),
        Ok(None) => "it does not have the block".to_owned(),
        Err(error @ (SourceError::Refused { .. } | SourceError::Incomplete { .. })) => error.to_string(),
        Err(error) => return ProbeVerdict::undetermined(error),
    };
    let window = humantime::format_duration(window);
    ProbeVerdict::doubt(
        format!("the receipts of {block}, are unavailable: {reason}"),
        format!(
            "messages may cite blocks that are up to {window} old; messages that cite blocks without receipts stay \
             unknown, and the blocks that execute them get no verdict: configure a client that keeps receipts for that long"
        ),
    )
}

/// What is found of a node whose safe heads are not derived, but repeated from its source.
pub(crate) const REPEATS: &str = "it follows a source and repeats that source: no independent second opinion";

/// Whether the node keeps its safe heads by L1 block. `None`: it names no L1 block to ask about.
pub(crate) fn safe_heads(asked: Option<&Result<SafeHeadAtL1, SourceError>>) -> ProbeVerdict {
    let error = match asked {
        None => return ProbeVerdict::ok("it has not reported an L1 block to ask about yet"),
        Some(Ok(head)) if head.is_repeated() => {
            return ProbeVerdict::doubt(
                REPEATS,
                "blocks that differ from the source's chain stay open unless L1 data contradicts them; add a rollup \
                 node that derives the chain itself (an op-node without --l2.follow.source) to rollup_node",
            );
        }
        Some(Ok(head)) => {
            let (safe, l1) = (head.safe_head.number, head.l1_block.number);
            return ProbeVerdict::ok(format!("block {safe} is safe since L1 block {l1}"));
        }
        Some(Err(error)) => error,
    };
    match error {
        SourceError::Refused { message, .. } if keeps_no_safe_heads(error) => ProbeVerdict::doubt(
            format!("it keeps no safe heads by L1 block ({message})"),
            "superroot_atTimestamp and the cross-safe methods of supervisor_* need it; if you use them, start \
                 op-node with --safedb.path",
        ),
        SourceError::Refused { message, .. } if message.contains("not found") => {
            ProbeVerdict::ok("it keeps them, and has none for that L1 block yet")
        }
        error => ProbeVerdict::undetermined(error),
    }
}

/// What it means that the node calls a block safe, as configured and as it says.
pub(crate) fn safe_means(
    configured: Option<SafeMeans>,
    reported: &Result<SafeMeans, SourceError>,
) -> ProbeVerdict {
    match (configured, reported) {
        (_, Err(error)) => ProbeVerdict::undetermined(error),
        (_, Ok(SafeMeans::CrossSafe)) => ProbeVerdict::ok("an op-supernode: its safe head is cross-safe"),
        (Some(SafeMeans::CrossSafe), Ok(SafeMeans::LocalSafe)) => ProbeVerdict::doubt(
            "it is configured as a node that verifies messages (safe_means), and is not an op-supernode",
            "make sure that it verifies messages: an invalid message in a block that it calls safe is reported as a consensus failure",
        ),
        (_, Ok(SafeMeans::LocalSafe)) => {
            ProbeVerdict::ok("not known to verify messages: its safe head counts as local-safe")
        }
    }
}

/// Whether the node knows the chain's heads, and sees L1.
pub(crate) fn heads(reported: &Result<Option<Shortfall>, SourceError>) -> ProbeVerdict {
    match reported {
        Err(error) => ProbeVerdict::undetermined(error),
        Ok(None) => ProbeVerdict::ok("it reports its heads and sees L1"),
        Ok(Some(shortfall)) => {
            ProbeVerdict::doubt(shortfall.to_string(), "let it sync, or check its peers and its L1 endpoint")
        }
    }
}

/// Which program it is.
pub(crate) fn version(reported: &Result<String, SourceError>) -> ProbeVerdict {
    match reported {
        Ok(version) => ProbeVerdict::ok(version.clone()),
        Err(SourceError::Refused { .. }) => ProbeVerdict::ok("it does not say"),
        Err(error) => ProbeVerdict::undetermined(error),
    }
}

/// Whether the node works by the rules that are configured.
pub(crate) fn rules(asked: &Result<Vec<RuleDifference>, RulesError>) -> ProbeVerdict {
    match asked {
        Ok(differences) if differences.is_empty() => ProbeVerdict::ok("as configured"),
        Ok(differences) => ProbeVerdict::fault(
            in_words(differences),
            "until this is corrected, no block of the chain is judged",
        ),
        Err(RulesError::Source(error)) => ProbeVerdict::undetermined(error),
        Err(error @ (RulesError::Impossible { .. } | RulesError::Ledger(_))) => {
            ProbeVerdict::fault(error.to_string(), "until this is corrected, no block of the chain is judged")
        }
    }
}

/// Whether one of this many static peers was reached that subscribes to the chain's topics.
pub(crate) fn peers(count: usize, reached: Result<bool, &String>) -> ProbeVerdict {
    match reached {
        Ok(true) => ProbeVerdict::ok("a static peer was dialled and subscribes to the chain's topics"),
        Ok(false) => ProbeVerdict::doubt(
            format!("none of {count} static peers was dialled and subscribes to the chain's topics"),
            "check static_peers and the firewall; `crosscheck net` shows each peer",
        ),
        Err(reason) => ProbeVerdict {
            grade: Grade::NotDetermined,
            found: format!("the static peers were not dialled: {reason}"),
            advice: "try crosscheck net".to_owned(),
        },
    }
}
