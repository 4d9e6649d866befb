// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Keeps the hashes of withdrawals: the root of this contract's storage is the block's withdrawals root.
/// @dev Written from the specification (withdrawals). Slot 0 maps withdrawal hashes, slot 1 holds the nonce.
contract L2ToL1MessagePasser {
    event MessagePassed(
        uint256 indexed nonce,
        address indexed sender,
        address indexed target,
        uint256 value,
        uint256 gasLimit,
        bytes data,
        bytes32 withdrawalHash
    );

    mapping(bytes32 => bool) public sentMessages;
    uint240 private nonce;

    function version() external pure returns (string memory) {
        return "1.2.0+crosscheck";
    }

    /// @notice The next withdrawal's nonce, with the encoding version 1 in its upper two bytes.
    function messageNonce() public view returns (uint256) {
        return (uint256(1) << 240) | uint256(nonce);
    }

    /// @notice Withdraws `msg.value` to `target` on L1, to be called there with `data`.
    function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) public payable {
        uint256 current = messageNonce();
        bytes32 withdrawalHash =
            keccak256(abi.encode(current, msg.sender, target, msg.value, gasLimit, data));
        sentMessages[withdrawalHash] = true;
        nonce += 1;
        emit MessagePassed(current, msg.sender, target, msg.value, gasLimit, data, withdrawalHash);
    }

    receive() external payable {
        initiateWithdrawal(msg.sender, 100_000, bytes(""));
    }
}
