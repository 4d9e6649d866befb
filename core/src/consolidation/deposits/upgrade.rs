//! [`upgrades`]: the deposits that a fork adds to its first block, and their gas.
//!
//! Specs: protocol/ecotone, protocol/fjord, protocol/isthmus and protocol/jovian `derivation.md`, "Network
//! upgrade automation transactions". Bytecode: the protocol's constants, as published in kona-hardforks; the
//! tests hold the transactions to the encodings and hashes published there. Karst's and Lagoon's are bundles,
//! known by their hashes; those of a fork that is not known here are said to be unknown, never left out.

use super::l1_info::{DEPOSITOR, L1_BLOCK};
use super::{DepositRules, UpgradeBundle, bundle};
use crate::consolidation::{Fork, TransactionDigest};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, TxKind, U256, address};
use crosscheck_p2p::UnixSeconds;
use op_alloy::consensus::{TxDeposit, UpgradeDepositSource};

const GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000f");
const OPERATOR_FEE_VAULT: Address = address!("420000000000000000000000000000000000001b");

/// `upgradeTo(address)`.
const UPGRADE_TO: [u8; 4] = [0x36, 0x59, 0xcf, 0xe6];

/// One upgrade transaction.
struct Upgrade {
    intent: &'static str,
    action: Action,
    gas: u64,
}

enum Action {
    /// Creates a contract.
    Deploy { from: Address, code: &'static [u8] },
    /// Points a proxy at the first contract that an account created.
    Point { proxy: Address, deployer: Address },
    /// Calls a method without arguments as the depositor account.
    Call { to: Address, selector: [u8; 4] },
}

/// What the forks whose first block is one and the same add to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Upgrades {
    /// Their transactions, in order.
    pub(super) transactions: Vec<TransactionDigest>,
    /// What they add to the block's gas limit: since Karst.
    pub(super) gas: u64,
    /// The first of them whose transactions are not known here. What it and later ones add is not in the list
    /// above.
    pub(super) unknown: Option<String>,
}

/// What the block with this timestamp holds for the forks that begin with it.
pub(super) fn upgrades(rules: &DepositRules, timestamp: UnixSeconds) -> Upgrades {
    let config = &rules.config;
    let mut all = Upgrades::default();
    for fork in Fork::ALL {
        if config.forks.is_activation_block(fork, timestamp, config.block_time) {
            all.add(&of_fork(fork, rules));
        }
    }
    for fork in config.unknown_forks.first_at(timestamp, config.block_time) {
        match rules.bundle(&fork.name) {
            Some(named) => all.add(&named.bundle),
            None => {
                all.unknown = Some(fork.name.clone());
                break;
            }
        }
    }
    all
}

/// What a block of this timestamp has in its gas limit for its upgrade alone, and the next one has not.
///
/// As op-node and kona-node have it: of forks that begin in one block the first counts, and what the others
/// added stays.
///
/// # Errors
/// The fork whose gas is not known here.
pub(super) fn gas_to_strip(rules: &DepositRules, timestamp: UnixSeconds) -> Result<u64, String> {
    let config = &rules.config;
    let is_first = |fork| config.forks.is_activation_block(fork, timestamp, config.block_time);
    if is_first(Fork::Karst) {
        return Ok(if config.keep_karst_upgrade_gas { 0 } else { bundle::karst().gas });
    }
    if is_first(Fork::Lagoon) {
        return Ok(bundle::lagoon(rules.set).gas);
    }
    let Some(fork) = config.unknown_forks.first_at(timestamp, config.block_time).next() else { return Ok(0) };
    rules.bundle(&fork.name).map(|named| named.bundle.gas).ok_or_else(|| fork.name.clone())
}

fn of_fork(fork: Fork, rules: &DepositRules) -> UpgradeBundle {
    let upgrades = match fork {
        Fork::Bedrock | Fork::Regolith | Fork::Canyon | Fork::Delta | Fork::Granite | Fork::Holocene => {
            Vec::new()
        }
        Fork::Ecotone => ecotone(),
        Fork::Fjord => fjord(),
        Fork::Isthmus => isthmus(),
        Fork::Jovian => jovian(),
        Fork::Karst => return bundle::karst(),
        Fork::Lagoon => return bundle::lagoon(rules.set),
    };
    let digest = |upgrade: &Upgrade| TransactionDigest::of(&upgrade.deposit().encoded_2718().into());
    // Until Karst they took their gas out of the block's usual limit.
    UpgradeBundle { transactions: upgrades.iter().map(digest).collect(), gas: 0 }
}

impl Upgrades {
    fn add(&mut self, bundle: &UpgradeBundle) {
        self.transactions.extend(&bundle.transactions);
        self.gas = self.gas.saturating_add(bundle.gas);
    }
}

impl Upgrade {
    const fn deploy(intent: &'static str, from: Address, gas: u64, code: &'static [u8]) -> Self {
        Self { intent, action: Action::Deploy { from, code }, gas }
    }

    const fn point(intent: &'static str, proxy: Address, deployer: Address) -> Self {
        Self { intent, action: Action::Point { proxy, deployer }, gas: 50_000 }
    }

    const fn call(intent: &'static str, to: Address, gas: u64, selector: [u8; 4]) -> Self {
        Self { intent, action: Action::Call { to, selector }, gas }
    }

    fn deposit(&self) -> TxDeposit {
        let (from, to, input) = match self.action {
            Action::Deploy { from, code } => (from, TxKind::Create, Bytes::from_static(code)),
            Action::Point { proxy, deployer } => {
                let implementation = deployer.create(0).into_word();
                let input = UPGRADE_TO.into_iter().chain(implementation).collect();
                (Address::ZERO, TxKind::Call(proxy), input)
            }
            Action::Call { to, selector } => (DEPOSITOR, TxKind::Call(to), Bytes::copy_from_slice(&selector)),
        };
        TxDeposit {
            source_hash: UpgradeDepositSource::new(self.intent.to_owned()).source_hash(),
            from,
            to,
            mint: 0,
            value: U256::ZERO,
            gas_limit: self.gas,
            is_system_transaction: false,
            input,
        }
    }
}

fn ecotone() -> Vec<Upgrade> {
    const L1_BLOCK_DEPLOYER: Address = address!("4210000000000000000000000000000000000000");
    const ORACLE_DEPLOYER: Address = address!("4210000000000000000000000000000000000001");
    const BEACON_ROOTS_DEPLOYER: Address = address!("0b799c86a49deeb90402691f1041aa3af2d3c875");
    vec![
        Upgrade::deploy(
            "Ecotone: L1 Block Deployment",
            L1_BLOCK_DEPLOYER,
            375_000,
            include_bytes!("bytecode/ecotone_l1_block.bin"),
        ),
        Upgrade::deploy(
            "Ecotone: Gas Price Oracle Deployment",
            ORACLE_DEPLOYER,
            1_000_000,
            include_bytes!("bytecode/ecotone_gas_price_oracle.bin"),
        ),
        Upgrade::point("Ecotone: L1 Block Proxy Update", L1_BLOCK, L1_BLOCK_DEPLOYER),
        Upgrade::point("Ecotone: Gas Price Oracle Proxy Update", GAS_PRICE_ORACLE, ORACLE_DEPLOYER),
        // setEcotone()
        Upgrade::call(
            "Ecotone: Gas Price Oracle Set Ecotone",
            GAS_PRICE_ORACLE,
            80_000,
            [0x22, 0xb9, 0x0a, 0xb3],
        ),
        Upgrade::deploy(
            "Ecotone: beacon block roots contract deployment",
            BEACON_ROOTS_DEPLOYER,
            250_000,
            include_bytes!("bytecode/ecotone_beacon_roots.bin"),
        ),
    ]
}

fn fjord() -> Vec<Upgrade> {
    const ORACLE_DEPLOYER: Address = address!("4210000000000000000000000000000000000002");
    vec![
        Upgrade::deploy(
            "Fjord: Gas Price Oracle Deployment",
            ORACLE_DEPLOYER,
            1_450_000,
            include_bytes!("bytecode/fjord_gas_price_oracle.bin"),
        ),
        Upgrade::point("Fjord: Gas Price Oracle Proxy Update", GAS_PRICE_ORACLE, ORACLE_DEPLOYER),
        // setFjord()
        Upgrade::call(
            "Fjord: Gas Price Oracle Set Fjord",
            GAS_PRICE_ORACLE,
            90_000,
            [0x8e, 0x98, 0xb1, 0x06],
        ),
    ]
}

fn isthmus() -> Vec<Upgrade> {
    const L1_BLOCK_DEPLOYER: Address = address!("4210000000000000000000000000000000000003");
    const ORACLE_DEPLOYER: Address = address!("4210000000000000000000000000000000000004");
    const VAULT_DEPLOYER: Address = address!("4210000000000000000000000000000000000005");
    const BLOCK_HASHES_DEPLOYER: Address = address!("3462413af4609098e1e27a490f554f260213d685");
    vec![
        Upgrade::deploy(
            "Isthmus: L1 Block Deployment",
            L1_BLOCK_DEPLOYER,
            425_000,
            include_bytes!("bytecode/isthmus_l1_block.bin"),
        ),
        Upgrade::deploy(
            "Isthmus: Gas Price Oracle Deployment",
            ORACLE_DEPLOYER,
            1_625_000,
            include_bytes!("bytecode/isthmus_gas_price_oracle.bin"),
        ),
        Upgrade::deploy(
            "Isthmus: Operator Fee Vault Deployment",
            VAULT_DEPLOYER,
            500_000,
            include_bytes!("bytecode/isthmus_operator_fee_vault.bin"),
        ),
        Upgrade::point("Isthmus: L1 Block Proxy Update", L1_BLOCK, L1_BLOCK_DEPLOYER),
        Upgrade::point("Isthmus: Gas Price Oracle Proxy Update", GAS_PRICE_ORACLE, ORACLE_DEPLOYER),
        Upgrade::point("Isthmus: Operator Fee Vault Proxy Update", OPERATOR_FEE_VAULT, VAULT_DEPLOYER),
        // setIsthmus()
        Upgrade::call(
            "Isthmus: Gas Price Oracle Set Isthmus",
            GAS_PRICE_ORACLE,
            90_000,
            [0x29, 0x1b, 0x03, 0x83],
        ),
        Upgrade::deploy(
            "Isthmus: EIP-2935 Contract Deployment",
            BLOCK_HASHES_DEPLOYER,
            250_000,
            include_bytes!("bytecode/isthmus_block_hashes.bin"),
        ),
    ]
}

fn jovian() -> Vec<Upgrade> {
    const L1_BLOCK_DEPLOYER: Address = address!("4210000000000000000000000000000000000006");
    const ORACLE_DEPLOYER: Address = address!("4210000000000000000000000000000000000007");
    vec![
        Upgrade::deploy(
            "Jovian: L1 Block Deployment",
            L1_BLOCK_DEPLOYER,
            447_315,
            include_bytes!("bytecode/jovian_l1_block.bin"),
        ),
        Upgrade::point("Jovian: L1 Block Proxy Update", L1_BLOCK, L1_BLOCK_DEPLOYER),
        Upgrade::deploy(
            "Jovian: Gas Price Oracle Deployment",
            ORACLE_DEPLOYER,
            1_750_714,
            include_bytes!("bytecode/jovian_gas_price_oracle.bin"),
        ),
        Upgrade::point("Jovian: Gas Price Oracle Proxy Update", GAS_PRICE_ORACLE, ORACLE_DEPLOYER),
        // setJovian()
        Upgrade::call(
            "Jovian: Gas Price Oracle Set Jovian",
            GAS_PRICE_ORACLE,
            90_000,
            [0xb3, 0xd7, 0x20, 0x79],
        ),
    ]
}

#[cfg(test)]
mod tests;
