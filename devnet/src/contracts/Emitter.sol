// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Emits the log that it is told to: the source of the devnet's initiating messages.
contract Emitter {
    error TooManyTopics(uint256 count);

    /// @notice Logs exactly these topics (at most four) and this data.
    function emitLog(bytes32[] calldata topics, bytes calldata data) external {
        if (topics.length > 4) revert TooManyTopics(topics.length);
        bytes memory payload = data;
        assembly ("memory-safe") {
            let start := add(payload, 0x20)
            let size := mload(payload)
            let t := topics.offset
            switch topics.length
            case 0 { log0(start, size) }
            case 1 { log1(start, size, calldataload(t)) }
            case 2 { log2(start, size, calldataload(t), calldataload(add(t, 0x20))) }
            case 3 {
                log3(start, size, calldataload(t), calldataload(add(t, 0x20)), calldataload(add(t, 0x40)))
            }
            default {
                log4(
                    start,
                    size,
                    calldataload(t),
                    calldataload(add(t, 0x20)),
                    calldataload(add(t, 0x40)),
                    calldataload(add(t, 0x60))
                )
            }
        }
    }
}
