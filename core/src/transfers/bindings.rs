//! ABI bindings of the messenger and of the bridges, as far as a transfer's logs and calls need them.

#![allow(missing_docs, reason = "the items have the names of the contracts' own")]

alloy::sol! {
    #[derive(Debug, PartialEq, Eq)]
    interface IMessenger {
        event SentMessage(
            uint256 indexed destination,
            address indexed target,
            uint256 indexed nonce,
            address sender,
            bytes message
        );
        event RelayedMessage(
            uint256 indexed source, uint256 indexed nonce, bytes32 indexed messageHash, bytes32 returnDataHash
        );
    }

    #[derive(Debug, PartialEq, Eq)]
    interface IEthBridge {
        event SendETH(address indexed from, address indexed to, uint256 amount, uint256 destination);
        event RelayETH(address indexed from, address indexed to, uint256 amount, uint256 source);

        function relayETH(address from, address to, uint256 amount) external;
    }

    #[derive(Debug, PartialEq, Eq)]
    interface ITokenBridge {
        event SendERC20(
            address indexed token,
            address indexed from,
            address indexed to,
            uint256 amount,
            uint256 destination
        );
        event RelayERC20(
            address indexed token, address indexed from, address indexed to, uint256 amount, uint256 source
        );

        function relayERC20(address token, address from, address to, uint256 amount) external;
    }
}
