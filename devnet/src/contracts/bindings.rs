//! ABI bindings of the contracts, as far as the devnet calls or reads them.

#![allow(missing_docs, reason = "the Solidity sources document these items")]

alloy::sol! {
    #[derive(Debug, PartialEq, Eq)]
    interface ICrossL2Inbox {
        struct Identifier {
            address origin;
            uint256 blockNumber;
            uint256 logIndex;
            uint256 timestamp;
            uint256 chainId;
        }

        error NotInAccessList();
        error BlockNumberTooHigh();
        error LogIndexTooHigh();
        error TimestampTooHigh();

        event ExecutingMessage(bytes32 indexed msgHash, Identifier id);

        function validateMessage(Identifier calldata id, bytes32 msgHash) external;
        function calculateChecksum(Identifier memory id, bytes32 msgHash) external pure returns (bytes32);
        function version() external pure returns (string memory);
    }

    interface IEmitter {
        function emitLog(bytes32[] calldata topics, bytes calldata data) external;
    }

    interface IL1Block {
        function setL1BlockValuesJovian() external;
    }

    interface IL2ToL1MessagePasser {
        function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) external payable;
    }
}
