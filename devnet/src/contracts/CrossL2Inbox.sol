// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Where a message of another chain is executed.
/// @dev Written from the interop specification (predeploys: CrossL2Inbox). A message may execute only if its
///      checksum was declared as a storage key of this contract in the transaction's access list, which nodes
///      check before they include the transaction. A declared slot is warm: that is how it is recognised here.
contract CrossL2Inbox {
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

    /// @dev EIP-2929: a warm SLOAD costs 100 gas, a cold one 2100. The measurement itself adds a few opcodes.
    uint256 private constant WARM_BELOW = 1000;

    /// @dev The type byte of an access-list entry that holds a checksum.
    bytes32 private constant CHECKSUM_TYPE = bytes32(uint256(3) << 248);

    function version() external pure returns (string memory) {
        return "1.0.2+crosscheck";
    }

    /// @notice Executes the message with hash `msgHash` that `id` identifies; reverts unless it was declared.
    function validateMessage(Identifier calldata id, bytes32 msgHash) external {
        if (!_isWarm(calculateChecksum(id, msgHash))) revert NotInAccessList();
        emit ExecutingMessage(msgHash, id);
    }

    /// @notice The storage key that declares the message.
    function calculateChecksum(Identifier memory id, bytes32 msgHash) public pure returns (bytes32) {
        if (id.blockNumber > type(uint64).max) revert BlockNumberTooHigh();
        if (id.logIndex > type(uint32).max) revert LogIndexTooHigh();
        if (id.timestamp > type(uint64).max) revert TimestampTooHigh();

        bytes32 logHash = keccak256(abi.encodePacked(id.origin, msgHash));
        bytes memory place = abi.encodePacked(
            bytes12(0), uint64(id.blockNumber), uint64(id.timestamp), uint32(id.logIndex)
        );
        bytes32 bound = keccak256(abi.encodePacked(keccak256(abi.encodePacked(logHash, place)), id.chainId));
        return (bound & ~bytes32(uint256(0xff) << 248)) | CHECKSUM_TYPE;
    }

    function _isWarm(bytes32 slot) private view returns (bool warm) {
        uint256 limit = WARM_BELOW;
        assembly ("memory-safe") {
            let before := gas()
            // The value is always zero; adding it keeps the load from being optimised away.
            let value := sload(slot)
            let spent := add(sub(before, gas()), value)
            warm := lt(spent, limit)
        }
    }
}
