// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice What L2 knows of L1: the attributes of the L1 origin, written by the first transaction of each block.
/// @dev Storage layout and packed calldata follow the specification's L1 attributes (Ecotone, Isthmus, Jovian);
///      execution engines read the fee parameters from these slots directly.
contract L1Block {
    error NotDepositor();
    error WrongLength(uint256 length);

    address public constant DEPOSITOR_ACCOUNT = 0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001;

    uint64 public number; // slot 0
    uint64 public timestamp; // slot 0
    uint256 public basefee; // slot 1
    bytes32 public hash; // slot 2
    uint64 public sequenceNumber; // slot 3
    uint32 public blobBaseFeeScalar; // slot 3
    uint32 public baseFeeScalar; // slot 3
    bytes32 public batcherHash; // slot 4
    uint256 public l1FeeOverhead; // slot 5, unused since Ecotone
    uint256 public l1FeeScalar; // slot 6, unused since Ecotone
    uint256 public blobBaseFee; // slot 7
    uint64 public operatorFeeConstant; // slot 8
    uint32 public operatorFeeScalar; // slot 8
    uint16 public daFootprintGasScalar; // slot 8

    function version() external pure returns (string memory) {
        return "1.8.0+crosscheck";
    }

    /// @notice Sets all attributes. The arguments follow the selector packed, without padding.
    function setL1BlockValuesJovian() external {
        if (msg.sender != DEPOSITOR_ACCOUNT) revert NotDepositor();
        if (msg.data.length != 178) revert WrongLength(msg.data.length);
        baseFeeScalar = uint32(bytes4(msg.data[4:8]));
        blobBaseFeeScalar = uint32(bytes4(msg.data[8:12]));
        sequenceNumber = uint64(bytes8(msg.data[12:20]));
        timestamp = uint64(bytes8(msg.data[20:28]));
        number = uint64(bytes8(msg.data[28:36]));
        basefee = uint256(bytes32(msg.data[36:68]));
        blobBaseFee = uint256(bytes32(msg.data[68:100]));
        hash = bytes32(msg.data[100:132]);
        batcherHash = bytes32(msg.data[132:164]);
        operatorFeeScalar = uint32(bytes4(msg.data[164:168]));
        operatorFeeConstant = uint64(bytes8(msg.data[168:176]));
        daFootprintGasScalar = uint16(bytes2(msg.data[176:178]));
    }
}
